"""Ways to open an SQLite store at a path.

Imports aura_aio.store only.
"""

from pathlib import Path
from typing import Any

from aura_aio.model.ports import Publish
from aura_aio.store.relational.store import Rules
from aura_aio.store.sqlite import open_sqlite
from tests.store.opened import ManualClock, Open, Opened, Store


def sqlite_at(path: Path) -> Open:
    """What opens the store at `path`."""

    async def sqlite(*, publish: Publish, clock: ManualClock, **settings: Any) -> Store:
        return await open_sqlite(path, publish=publish, clock=clock, rules=Rules(**settings))

    return sqlite


async def opened_at(path: Path) -> Opened:
    """The store at `path`, open, with the usual settings."""
    opened = Opened(sqlite_at(path))
    await opened.open()
    return opened
