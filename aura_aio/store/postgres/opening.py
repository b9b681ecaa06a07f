"""Opening a store in a PostgreSQL database.

May import the rest of `store.postgres`, store.relational, psycopg, the standard library and model
only.
"""

import asyncio

import psycopg

from aura_aio.model.clock import Clock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.ports import Publish
from aura_aio.store.postgres.database import LOCK_WAIT_SEC, PostgresDatabase, told
from aura_aio.store.relational.store import USUAL, Parts, Rules, SqlStore


async def open_postgres(
    url: DatabaseUrl,
    *,
    publish: Publish,
    clock: Clock,
    rules: Rules = USUAL,
    name: str = "",
    lock_wait_sec: float = LOCK_WAIT_SEC,
) -> SqlStore:
    """Open the database at `url`, making or migrating its tables as needed.

    `publish` is called on this event loop with every fact, after its commit and before the call
    that caused it returns. `name` is what this server is called by others on the same database.

    Raises:
        As `PostgresDatabase`.
    """
    parts = await asyncio.to_thread(_parts, url, clock, name, lock_wait_sec)
    return SqlStore(parts, publish, rules)


def _parts(url: DatabaseUrl, clock: Clock, name: str, lock_wait_sec: float) -> Parts:
    database = PostgresDatabase(url, name=name, lock_wait_sec=lock_wait_sec)
    try:
        return Parts(database, database, clock)
    except psycopg.Error as error:
        database.close()
        raise StoreUnavailable(f"The database {url} cannot be read: {told(url, error)}.") from error
