"""Reading: connections and threads of their own, which never wait for the writer.

May import the rest of `store.sqlite`, the standard library and model only.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import Connection
from typing import TypeVar

from aura_aio.model.errors import StoreUnavailable
from aura_aio.store.sqlite.database import Database, is_unavailable

T = TypeVar("T")

Query = Callable[[Connection], T]
"""A plain function of a connection that only reads; all it reads is of one moment."""


class Readers:
    """Two lanes, each one thread with one connection, so that a long walk delays no look-up."""

    def __init__(self, database: Database) -> None:
        self._look_ups = _Lane(database.reader(), "store-look-ups")
        self._walks = _Lane(database.reader(), "store-walks")
        self._closed = False

    async def look_up(self, query: Query[T]) -> T:
        """What `query` answers; for what costs little at any size.

        Raises:
            StoreUnavailable: the database does not answer, or is closed.
        """
        return await self._ask(self._look_ups, query)

    async def walk(self, query: Query[T]) -> T:
        """As `look_up`, for lists, whose filters may make them walk over many rows."""
        return await self._ask(self._walks, query)

    async def aclose(self) -> None:
        """End both lanes, after what they are at."""
        self._closed = True
        loop = asyncio.get_running_loop()
        for lane in (self._look_ups, self._walks):
            await loop.run_in_executor(None, lane.close)

    async def _ask(self, lane: "_Lane", query: Query[T]) -> T:
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(lane.thread, lane.read, query)


class _Lane:
    def __init__(self, connection: Connection, name: str) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection = connection

    def read(self, query: Query[T]) -> T:
        connection = self._connection
        try:
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.rollback()
        except Exception as error:  # sorted out below, and raised
            if is_unavailable(error):
                raise StoreUnavailable(f"The database does not answer: {error}.") from error
            raise

    def close(self) -> None:
        self.thread.shutdown()
        self._connection.close()
