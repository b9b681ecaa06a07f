"""What is done to a database that no server has open: tokens, the first of which is made so.

May import api, scheduler, store, places, settings and model.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aura_aio.api import access_views
from aura_aio.api.views import Answer
from aura_aio.model.access import NewToken
from aura_aio.model.audit import Note, noting
from aura_aio.model.clock import SystemClock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.places import places_of
from aura_aio.scheduler.access import Access, Demand
from aura_aio.settings import Settings
from aura_aio.store.opening import open_store


class OfflineTokens:
    """The operations on tokens of the contract, by their names and with their answers."""

    def __init__(self, access: Access, database: Path | DatabaseUrl) -> None:
        self.database = database
        self._access = access

    async def create_token(self, new: NewToken) -> Answer:
        """NewToken."""
        with noting(Note("createToken")):
            return access_views.new_token(*await self._access.create(new))

    async def list_tokens(self) -> Answer:
        """TokenList."""
        return access_views.token_list(self._access.list())

    async def revoke_token(self, token_id: str) -> Answer:
        """Token; raises TokenNotFound."""
        note = Note("revokeToken")
        note.token_id = token_id
        with noting(note):
            return access_views.token(await self._access.revoke(token_id))


@asynccontextmanager
async def offline_tokens(settings: Settings, *, make: bool) -> AsyncIterator[OfflineTokens]:
    """The tokens in the database of `settings`; with `make`, one that is missing is made.

    Raises:
        DatabaseInUse: a server has it open: ask that one.
        DatabaseTooNew, StoreUnavailable, SettingsError: it cannot be used, or is missing.
    """
    places = places_of(settings)
    if not make and not await asyncio.to_thread(_is_there, places.database):
        raise StoreUnavailable(
            f"There is no database {places.database}: say where it is with --data-dir, or where "
            "its server is with --url."
        )
    clock = SystemClock()
    store = await open_store(places.database, publish=lambda _: None, clock=clock)
    try:
        access = await Access.load(store.tokens, Demand.ALWAYS, clock)
        yield OfflineTokens(access, places.database)
    finally:
        await store.aclose()


def _is_there(database: Path | DatabaseUrl) -> bool:
    """Whether a file is there; what is on a server is there, or the opening says so."""
    return isinstance(database, DatabaseUrl) or database.exists()
