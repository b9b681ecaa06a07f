"""The queue: `model.ports.QueueStore` in tables, rows under an index.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Collection, Mapping, Sequence

from aura_aio.model.clock import Clock
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.plan import Definition
from aura_aio.model.ports import Accepted, IdempotencyKey, Page
from aura_aio.model.queue_store import Holder, Position, QueueCounts
from aura_aio.model.run import Run, Tasklet
from aura_aio.store.relational import claims, moves, views
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.lanes import Lanes
from aura_aio.store.relational.reader import Query, Reader, T
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer


class SqlQueue:
    """Implements `model.ports.QueueStore`."""

    def __init__(
        self,
        writer: Writer[Transaction],
        look_ups: Reader,
        acceptance: Acceptance,
        clock: Clock,
        session: SqlSession,
    ) -> None:
        self._writer = writer
        self._session = session
        self._look_ups = look_ups
        self._acceptance = acceptance
        self._clock = clock

    async def claim(
        self,
        workers: Sequence[str],
        among: Collection[str] | None = None,
        served: PlanDigests | None = None,
    ) -> tuple[Tasklet, ...]:
        """Take at most one run per entry of `workers` out of the queue, in order."""
        if not workers:
            return ()
        while True:
            claimed = await self._writer.submit(
                lambda tx: claims.claim(tx, workers, among, self._clock.now(), served),
                goes_first=True,
            )
            if claimed is not None:
                return claimed

    async def next_due(self) -> float | None:
        """When the next delayed run is due, or None."""
        if not self._session.delayed:
            return None
        return await self._look_ups.ask(views.next_due)

    async def set_priority(self, cid: str, priority: int) -> Run:
        """Give a queued run another priority; raises RunNotFound, NotQueued."""
        return await self._writer.submit(
            lambda tx: claims.set_priority(tx, cid, priority, self._clock.now())
        )

    async def insert(
        self,
        tasklet: Tasklet,
        definition: Definition,
        *,
        position: int,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """Accept one run, and put it in its place; raises as `RunStore.enqueue`."""
        now = self._clock.now()

        def operation(tx: Transaction) -> Accepted:
            accepted = self._acceptance.accept(tx, (tasklet,), (definition,), idempotency, now)
            if not accepted.replayed:
                moves.move_to_position(tx, tasklet.cid, position, now)
            return accepted

        return await self._writer.submit(operation)

    async def move_to_front(self, cid: str) -> Run:
        """Let a queued run go before all others of its priority."""
        return await self._writer.submit(lambda tx: moves.move_to_front(tx, cid, self._clock.now()))

    async def move_to_position(self, cid: str, position: int) -> Run:
        """Let a queued run be number `position` of the ready ones of its priority."""
        return await self._writer.submit(
            lambda tx: moves.move_to_position(tx, cid, position, self._clock.now())
        )

    async def reorder(self, cids: Sequence[str]) -> None:
        """Let these go first within their priorities, in this order; raises ReorderRejected."""
        await self._writer.submit(lambda tx: moves.reorder(tx, cids, self._clock.now()))

    async def set_run_at(self, cid: str, run_at: float) -> Run:
        """Let a queued run wait until `run_at`."""
        return await self._writer.submit(
            lambda tx: moves.set_run_at(tx, cid, run_at, self._clock.now())
        )

    async def pause(self, plan_name: str) -> None:
        """Claim no run of this plan, or of any, until `resume`."""
        await self._writer.submit(lambda tx: tx.pause(plan_name, self._clock.now()))

    async def resume(self, plan_name: str) -> None:
        """Undo `pause`."""
        await self._writer.submit(lambda tx: tx.resume(plan_name))

    async def pauses(self) -> Mapping[str, float]:
        """Since when which plans are paused."""
        return await self._look_ups.ask(views.pauses)

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

        def look(connection: Connection) -> tuple[T] | None:
            if views.is_due(connection, self._clock.now()):
                return None
            return (query(connection),)

        seen = await self._look_ups.ask(look)
        if seen is not None:
            return seen[0]
        while not await self._writer.submit(lambda tx: claims.join_due(tx, self._clock.now())):
            pass
        return await self._look_ups.ask(query)
