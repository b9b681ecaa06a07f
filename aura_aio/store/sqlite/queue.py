"""The queue: `model.ports.QueueStore` on SQLite, rows under an index.

May import store.writer, the rest of `store.sqlite`, the standard library and model only.
"""

import sqlite3
from collections.abc import Sequence

from aura_aio.model.clock import Clock
from aura_aio.model.ports import Holder, Page, Position, QueueCounts
from aura_aio.model.run import Run, Tasklet
from aura_aio.store.sqlite import claims, views
from aura_aio.store.sqlite.lanes import Lanes
from aura_aio.store.sqlite.reader import Query, Reader, T
from aura_aio.store.sqlite.transaction import Transaction
from aura_aio.store.writer import Writer


class SqliteQueue:
    """Implements `model.ports.QueueStore`."""

    def __init__(self, writer: Writer[Transaction], look_ups: Reader, clock: Clock) -> None:
        self._writer = writer
        self._look_ups = look_ups
        self._clock = clock

    async def claim(self, workers: Sequence[str]) -> tuple[Tasklet, ...]:
        """Take at most one run per entry of `workers` out of the queue, in order."""
        if not workers:
            return ()
        while True:
            claimed = await self._writer.submit(
                lambda tx: claims.claim(tx, workers, self._clock.now())
            )
            if claimed is not None:
                return claimed

    async def next_due(self) -> float | None:
        """When the next delayed run is due, or None."""
        return await self._look_ups.ask(views.next_due)

    async def set_priority(self, cid: str, priority: int) -> Run:
        """Give a queued run another priority; raises RunNotFound, NotQueued."""
        return await self._writer.submit(
            lambda tx: claims.set_priority(tx, cid, priority, self._clock.now())
        )

    async def counts(self) -> QueueCounts:
        """The figures of the overview."""
        return await self._after_joins(lambda reader: views.counts(reader, self._clock.now()))

    async def position(self, run: Run) -> Position:
        """Where the queued `run` stands."""
        return await self._after_joins(lambda reader: views.position(reader, run))

    async def list_queue(
        self, *, delayed: bool, limit: int, cursor: str | None
    ) -> Page[tuple[int, Run]]:
        """Queued runs with their positions, in dispatch order; raises BadCursor."""
        view = views.list_delayed if delayed else views.list_ready
        return await self._after_joins(lambda reader: view(reader, limit, cursor))

    async def holders(self) -> tuple[Holder, ...]:
        """Every run that is under way and holds a limit, the latest start last."""
        return await self._look_ups.ask(lambda reader: tuple(Lanes(reader).holders()))

    async def _after_joins(self, query: Query[T]) -> T:
        """What `query` sees once every delayed run that is due has joined the queue.

        Nobody claims while the system is stopped or all slots are busy; what is due must not be
        shown as delayed then. It writes only if something has become due since the last claim.
        """

        def look(connection: sqlite3.Connection) -> tuple[T] | None:
            if views.is_due(connection, self._clock.now()):
                return None
            return (query(connection),)

        seen = await self._look_ups.ask(look)
        if seen is not None:
            return seen[0]
        while not await self._writer.submit(lambda tx: claims.join_due(tx, self._clock.now())):
            pass
        return await self._look_ups.ask(query)
