"""Opening a store in one SQLite file.

May import the rest of `store.sqlite`, `store.relational`, the standard library and model only.
"""

import asyncio
import sqlite3
from pathlib import Path

from aura_aio.model.clock import Clock
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.ports import Publish
from aura_aio.store.relational.store import USUAL, Parts, Rules, SqlStore
from aura_aio.store.sqlite.database import AT_ONCE, Opening, SqliteDatabase
from aura_aio.store.sqlite.soundness import Inspection


async def open_sqlite(
    path: Path,
    *,
    publish: Publish,
    clock: Clock,
    rules: Rules = USUAL,
    how: Opening = AT_ONCE,
) -> SqlStore:
    """Open the database at `path`, making or migrating it as needed. It is checked first; one that
    is larger than `how.checked_bytes` afterwards (`health`), if it was not closed properly.

    `publish` is called on this event loop with every fact, after its commit and before the call
    that caused it returns.

    Raises:
        DatabaseTooNew: a newer version has written it; it was not touched.
        StoreUnavailable: it cannot be opened, is in use, is damaged, or is not ours.
    """
    parts = await asyncio.to_thread(_parts, path, clock, how)
    return SqlStore(parts, publish, rules)


def _parts(path: Path, clock: Clock, how: Opening) -> Parts:
    database = SqliteDatabase(path, how=how)
    try:
        inspection = Inspection(database.path)
        parts = Parts(database, inspection, clock)
        if database.is_unchecked:
            inspection.start(database.reader())
    except sqlite3.Error as error:
        database.close()
        raise StoreUnavailable(f"{database.path} cannot be read: {error}.") from error
    return parts
