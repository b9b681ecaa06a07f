"""A start that is only tried: what would keep a server from starting is found while another serves.

May import everything below it.
"""

import asyncio
import importlib
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from aura_aio import callback_key, vault
from aura_aio.doctor import storage
from aura_aio.doctor.findings import Verdict
from aura_aio.model.access import Token
from aura_aio.model.clock import Clock, SystemClock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError
from aura_aio.places import Places, places_of
from aura_aio.server import running_server
from aura_aio.settings import Settings
from aura_aio.store.opening import require_postgres
from aura_aio.store.sqlite import open_sqlite
from aura_aio.store.sqlite.examination import usable_tokens
from aura_aio.worker.starting import ENTRIES

_DATABASE = "aura.db"


async def try_start(settings: Settings, secrets: Mapping[str, str]) -> None:
    """Return if a server with `settings` and `secrets` would start; one that runs with them may go
    on, and nothing of it is changed.

    A server is really started, with the plans, keys and tokens that are there, but with a data
    folder of its own, at a port that nobody knows, and without workers: nothing is executed. Of the
    database it is only looked at whose it is, and of which version.

    Raises:
        As `running_server`; and whatever a module raises that is imported.
    """
    clock, places = SystemClock(), places_of(settings)
    tokens = await asyncio.to_thread(_look_at, settings, places)
    async with _scratch(tokens, clock) as folder:
        tried = replace(
            settings,
            logs=replace(settings.logs, log_level="warning"),
            store=replace(settings.store, dispatcher="local"),
            workers=replace(settings.workers, start=False),
            plans=replace(settings.plans, hot_reload=False),
        )
        listener = socket.create_server(("127.0.0.1", 0))
        its_own = places._replace(data_dir=folder, database=folder / _DATABASE)
        async with running_server(tried, clock, secrets, listener, its_own):
            for module in ENTRIES:
                await asyncio.to_thread(importlib.import_module, module)


def _look_at(settings: Settings, places: Places) -> tuple[Token, ...]:
    """The data folder, and what is in it already; answers the tokens."""
    folder = storage.folder(places)
    if folder.verdict is Verdict.WRONG:
        raise SettingsError(f"The data folder {folder.detail}.")
    if (places.data_dir / vault.KEY_FILE).exists():
        vault.open_vault(places.data_dir)
    if (places.data_dir / callback_key.KEY_FILE).exists():
        callback_key.callback_secrets(settings.callbacks, places.data_dir)
    return _tokens(places.database)


def _tokens(database: Path | DatabaseUrl) -> tuple[Token, ...]:
    if isinstance(database, Path):
        return usable_tokens(database) if database.exists() else ()
    require_postgres()
    from aura_aio.store.postgres import examination  # noqa: PLC0415 - it may be missing

    return examination.usable_tokens(database)


@asynccontextmanager
async def _scratch(tokens: tuple[Token, ...], clock: Clock) -> AsyncIterator[Path]:
    """A data folder in which there are `tokens` and nothing else."""
    with TemporaryDirectory(prefix="aura-trial-") as name:
        store = await open_sqlite(Path(name, _DATABASE), publish=lambda _: None, clock=clock)
        try:
            for token in tokens:
                await store.tokens.add(token)
        finally:
            await store.aclose()
        yield Path(name)
