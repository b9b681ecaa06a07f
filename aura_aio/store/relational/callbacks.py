"""The callbacks: `model.callback.CallbackStore` in tables.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from aura_aio.model.callback import Callback, CallbackStatus, CallbackTry, DueCallback
from aura_aio.model.errors import RunNotFound
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer


class SqlCallbacks:
    """Implements `model.callback.CallbackStore`."""

    def __init__(self, writer: Writer[Transaction], look_ups: Reader) -> None:
        self._writer = writer
        self._look_ups = look_ups

    async def upcoming(self, limit: int) -> tuple[DueCallback, ...]:
        """Those that are to be tried next, the first due first."""

        def query(connection: Connection) -> tuple[DueCallback, ...]:
            rows = connection.execute(sql.UPCOMING_CALLBACKS, (limit,))
            return tuple(DueCallback(*row) for row in rows)

        return await self._look_ups.ask(query)

    async def record(self, tried: CallbackTry) -> None:
        """Keep how a try went, and what follows from it."""

        def operation(tx: Transaction) -> None:
            write = tx.connection
            write.execute(
                sql.KEEP_TRY,
                (
                    tried.cid,
                    tried.number,
                    tried.started_at,
                    tried.duration_sec,
                    tried.status_code,
                    tried.error,
                    tried.next_at,
                ),
            )
            settled = (tried.number, tried.status.value, tried.next_at, tried.cid)
            write.execute(sql.SETTLE_CALLBACK, settled)

        await self._writer.submit(operation)

    async def of_run(self, cid: str) -> Callback | None:
        """The callback of a run; raises RunNotFound."""

        def query(connection: Connection) -> Callback | None:
            run = connection.execute(sql.CALLBACK_URL, (cid,)).fetchone()
            if run is None:
                raise RunNotFound(cid)
            if run[0] is None:
                return None
            row = connection.execute(sql.CALLBACK, (cid,)).fetchone()
            if row is None:
                return Callback(run[0], CallbackStatus.WAITING)
            tries = tuple(CallbackTry(*each) for each in connection.execute(sql.TRIES, (cid,)))
            return Callback(run[0], CallbackStatus(row[0]), row[1], tries)

        return await self._look_ups.ask(query)
