"""Where callbacks may go: which addresses, which hosts. Pure.

May import the standard library and model only.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from aura_aio.model.callback import CallbackRefused

_NAT64: Final = IPv6Network("64:ff9b::/96")


class Targets:
    """The rules for targets. `hosts` are those that are allowed (`*.example.org`: all below it),
    all if there are none; with `allow_private` also addresses that are not public.
    """

    def __init__(self, hosts: Iterable[str], *, allow_private: bool) -> None:
        names = [host.lower().rstrip(".") for host in hosts]
        self._hosts = frozenset(name for name in names if not name.startswith("*."))
        self._above = tuple(name[1:] for name in names if name.startswith("*."))
        self._allow_private = allow_private

    def check(self, url: str) -> None:
        """Return if callbacks may go to `url`, as far as it says itself: what its host is resolved
        to is checked with `allows`, when it is connected to.

        Raises:
            CallbackRefused: they may not; or it is no address.
        """
        host = _host_of(url)
        if not self._allows_host(host):
            raise CallbackRefused(
                f"the host {host!r} is none of those that callbacks may go to. Whoever operates "
                "the server can allow it with --callback-hosts."
            )
        if _is_address(host):
            self.check_address(host)

    def check_address(self, address: str) -> None:
        """Return if callbacks may go to this address, which is no name.

        Raises:
            CallbackRefused: they may not.
        """
        if not self._allow_private and not _is_public(address):
            raise CallbackRefused(
                f"the address {address} is not public. Whoever operates the server can allow such "
                "ones with --callback-private."
            )

    def _allows_host(self, host: str) -> bool:
        if not self._hosts and not self._above:
            return True
        return host in self._hosts or host.endswith(self._above)


def _host_of(url: str) -> str:
    """The host of `url`, in small letters."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise CallbackRefused(f"it is no address ({error}).") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise CallbackRefused("it is no address that starts with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise CallbackRefused("a user and a password in it are not sent; the signature tells more.")
    return host.lower().rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(address: str) -> bool:
    """Whether it belongs to the internet at large; of an IPv4 address that is written as an IPv6
    one, whether that one does. Tunnels into IPv4 (6to4, Teredo) do not.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return _is_public(str(found.ipv4_mapped))
        if found in _NAT64:
            return _is_public(str(IPv4Address(int(found) & 0xFFFFFFFF)))
        if found.sixtofour or found.teredo or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved
