"""Reading: threads with connections of their own, which never wait for the writer.

May import the rest of `store.relational`, the standard library and model only.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aura_aio.model.errors import StoreUnavailable
from aura_aio.store.relational.connection import Connection, Database

T = TypeVar("T")

Query = Callable[[Connection], T]
"""A plain function of a connection that only reads; all that it reads is of one moment."""


class Reader:
    """One thread with one connection: queries in turn.

    A store has several, so that what may walk over many rows delays no look-up.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._connection = database.reader()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"store-{name}")
        self._closed = False

    async def ask(self, query: Query[T]) -> T:
        """What `query` answers; it sees every write whose call has returned.

        Raises:
            StoreUnavailable: the database does not answer, or is closed.
        """
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._read, query)

    async def aclose(self) -> None:
        """Finish what waits, then close the connection. Idempotent."""
        self._closed = True
        await asyncio.to_thread(self._close)

    def _read(self, query: Query[T]) -> T:
        try:
            return self._look(query)
        except Exception as error:  # sorted out here, and raised
            if not self._database.is_unavailable(error):
                raise
            if not self._database.is_lost(self._connection):
                raise _no_answer(error) from error
        try:
            self._connection = self._database.reader()
            return self._look(query)
        except Exception as error:  # as above
            if self._database.is_unavailable(error):
                raise _no_answer(error) from error
            raise

    def _look(self, query: Query[T]) -> T:
        connection = self._connection
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.rollback()

    def _close(self) -> None:
        self._thread.shutdown()
        self._connection.close()


def _no_answer(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"The database does not answer: {error}.")
