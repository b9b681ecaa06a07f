"""Who must show a token by the settings, and the refusal to serve others where nobody has one.

May import scheduler, settings, `store_settings` and model only.
"""

import logging
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aura_aio.model.clock import Clock
from aura_aio.model.errors import SettingsError
from aura_aio.model.token_store import TokenStore
from aura_aio.scheduler.access import Access, Demand
from aura_aio.scheduler.tickets import Tickets
from aura_aio.settings import HttpSettings, Settings
from aura_aio.store_settings import StoreSettings

_log = logging.getLogger("aura.entrance")


@asynccontextmanager
async def entrance(
    settings: Settings, store: TokenStore, tickets: Tickets, clock: Clock
) -> AsyncIterator[Access]:
    """The tokens in `store` and the `tickets`, watched while the context is open.

    Raises:
        SettingsError: everybody would need a token, and none was ever made; or everybody who can
            reach the server could do everything.
    """
    access = await Access.load(store, demand_of(settings.http), clock, tickets)
    if not access.is_open and not access.list():
        raise SettingsError(
            f"This server would ask everybody for a token (it listens on {settings.http.host}), "
            "and none was made yet. Make one first, which can make others: "
            f"{_how_to_make_one(settings.store)}"
        )
    if not access.is_open and not access.any_in_force:
        _log.warning("every token has ended", extra={"action": "no_token_in_force"})
    access.start()
    try:
        yield access
    finally:
        await access.aclose()


def demand_of(settings: HttpSettings) -> Demand:
    """When a token is asked for.

    Raises:
        SettingsError: never, though others can reach the server.
    """
    if settings.require_token == "never":  # noqa: S105 - when, not which
        if not settings.on_loopback:
            raise SettingsError(
                "--require-token never: possible on loopback addresses only (127.0.0.1, ::1, "
                f"localhost), not with --host {settings.host}."
            )
        return Demand.NEVER
    alone = settings.on_loopback and not settings.allowed_hosts
    if settings.require_token == "auto" and alone:  # noqa: S105
        return Demand.ONCE_MADE
    return Demand.ALWAYS


def _how_to_make_one(settings: StoreSettings) -> str:
    words = ["aura", "token", "create", "--scope", "admin"]
    standard = StoreSettings()
    if settings.data_dir != standard.data_dir:
        words += ["--data-dir", settings.data_dir]
    if settings.database != standard.database:
        words += ["--database", settings.database]
    return shlex.join(words)
