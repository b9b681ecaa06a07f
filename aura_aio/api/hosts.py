"""Which hosts the server answers to, and whose pages may use it.

May import aiohttp, settings and model only.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from aura_aio.model.errors import SettingsError
from aura_aio.settings import HttpSettings

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^][:/@?#\s]+)(:[0-9]{0,5})?")
_HOSTS_REMEMBERED: Final = 32
"""A server is called by few names; to look at one costs more than to look it up."""
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


def host_check(settings: HttpSettings) -> Callable[[web.Request], None]:
    """What refuses (403) what a foreign page makes a browser send (DNS rebinding, cross-site
    requests).

    `Host` must be a name of this machine, one that is allowed, or, where the server listens for
    others, any address: who lures a browser to our address with a name of his own cannot do so
    without that name. `Origin`, which only browsers send, must be the server itself or one whose
    pages may use the API.
    """
    names = LOOPBACK_NAMES | {name.lower() for name in settings.allowed_hosts}
    origins = frozenset(settings.cors_origins)
    any_address = not settings.on_loopback

    @lru_cache(maxsize=_HOSTS_REMEMBERED)
    def is_ours(spelled: str) -> bool:
        host = _host_name(spelled).lower()
        return host in names or (any_address and _is_address(host))

    def check(request: web.Request) -> None:
        if not is_ours(request.host):
            host = _host_name(request.host).lower()
            raise web.HTTPForbidden(
                text=f"This server does not answer to the host {host!r}. Whoever operates it can "
                "allow the name with --allowed-hosts."
            )
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin not in origins and _host_of(origin) != request.host:
            raise web.HTTPForbidden(text=f"Requests from pages of {origin!r} are not allowed.")

    return check


def check_origins(settings: HttpSettings) -> None:
    """Return if each of `cors_origins` is spelled as browsers spell an origin.

    Raises:
        SettingsError: one is not; it would never match, or match everybody.
    """
    for origin in settings.cors_origins:
        parts = urlsplit(origin)
        plain = f"{parts.scheme}://{parts.netloc}".lower()
        if parts.scheme not in ("http", "https") or not parts.hostname or origin != plain:
            raise SettingsError(
                f"--cors-origins {origin}: an origin is written like https://tools.example.org or "
                "http://localhost:5173, in small letters and without a path. There is none that "
                "stands for all."
            )


def _host_name(host: str) -> str:
    """The name in a `Host` header, without the port; all of it, if it is not spelled as one."""
    spelled = _HOST.fullmatch(host)
    return host if spelled is None else spelled["name"]


def _host_of(origin: str) -> str | None:
    """Host and port of an origin; None if it has none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
