"""The queue: its figures, its list, its order.

May import catalog, model and the rest of `scheduler`; stores and dispatchers come in as ports.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from aura_aio.catalog.inputs import check_inputs
from aura_aio.model.access import EVERYTHING, Grant
from aura_aio.model.audit import who
from aura_aio.model.clock import Clock
from aura_aio.model.errors import NotQueued, RunNotFound
from aura_aio.model.ports import Accepted, Dispatcher, IdempotencyKey, Page, RunFilter, RunStore
from aura_aio.model.queue_store import Position, QueueCounts, QueueStore
from aura_aio.model.run import CancelRequest, Run
from aura_aio.model.states import RunState
from aura_aio.scheduler.admission import Admission, RunRequest
from aura_aio.scheduler.rehearsal import Foresee, Rehearsal, as_queued, rehearsal
from aura_aio.scheduler.waiting import Obstacles, Pauses, Waiting

CLEARED_AT_ONCE: Final = 500
"""So many are cancelled in one transaction: some 10 ms, then others have their turn."""
MOST_PAGES: Final = 20


class QueueEntry(msgspec.Struct, frozen=True):
    """A queued run in its place."""

    run: Run
    position: int
    waiting: Waiting


class QueueOverview(msgspec.Struct, frozen=True):
    """The counts, and how long the oldest ready run has been ready (seconds)."""

    counts: QueueCounts
    oldest_age_sec: float | None
    pauses: Pauses


class Queue:
    """What can be asked of the queue, and how it is put in order."""

    def __init__(
        self,
        store: QueueStore,
        runs: RunStore,
        dispatcher: Dispatcher,
        admission: Admission,
        stopped_since: Callable[[], float | None],
        clock: Clock,
        foresee: Foresee,
    ) -> None:
        self._store = store
        self._runs = runs
        self._dispatcher = dispatcher
        self._admission = admission
        self._stopped_since = stopped_since
        self._clock = clock
        self._foresee = foresee

    async def insert_into_queue(
        self, request: RunRequest, *, index: int, idempotency: IdempotencyKey | None = None
    ) -> Accepted:
        """Queue one run, durably, so that `index` runs of its priority go before it.

        Raises:
            As `Runs.submit`.
        """
        self._admission.check_space()
        admitted = self._admission.admit(request)
        return await self._store.insert(
            admitted.tasklet, admitted.definition, position=index + 1, idempotency=idempotency
        )

    async def set_priority(self, cid: str, priority: int) -> Run:
        """Give a queued run another priority; see `QueueStore.set_priority`."""
        return await self._store.set_priority(cid, priority)

    async def set_run_at(self, cid: str, run_at: float | None, delay_sec: float | None) -> Run:
        """Let a queued run wait until `run_at`, or for `delay_sec` from now; without both it is
        ready at once. See `QueueStore.set_run_at`.
        """
        return await self._store.set_run_at(cid, run_at or self._clock.now() + (delay_sec or 0.0))

    async def move_to_front(self, cid: str) -> Run:
        """See `QueueStore.move_to_front`."""
        return await self._store.move_to_front(cid)

    async def move_to_position(self, cid: str, position: int) -> Run:
        """See `QueueStore.move_to_position`."""
        return await self._store.move_to_position(cid, position)

    async def reorder_queue(self, cid_order: Sequence[str]) -> None:
        """See `QueueStore.reorder`."""
        await self._store.reorder(cid_order)

    async def remove_from_queue(self, cid: str) -> None:
        """Cancel a run that is queued.

        Raises:
            RunNotFound: no such run.
            NotQueued: it is not queued any more.
        """
        (state,) = await self._runs.request_cancel_each(
            [cid], self._removal("It was removed from the queue."), only_queued=True
        )
        if state is None:
            run = (await self._runs.states([cid])).get(cid)
            if run is None:
                raise RunNotFound(cid)
            raise NotQueued(cid, run.state)

    async def clear_queue(self, where: RunFilter) -> int:
        """Cancel every queued run that `where` lets pass; answers how many those were."""
        where = msgspec.structs.replace(where, statuses=(RunState.QUEUED,))
        removal, removed, cursor = self._removal("The queue was cleared."), 0, None
        while True:
            page = await self._runs.list_runs(
                where, limit=CLEARED_AT_ONCE, cursor=cursor, include=frozenset()
            )
            states = await self._runs.request_cancel_each(
                [run.cid for run in page.items], removal, only_queued=True
            )
            removed += sum(state is not None for state in states)
            cursor = page.next_cursor
            if cursor is None:
                return removed

    async def pause_queue(self, plan_name: str | None) -> Pauses:
        """Let nothing start, of one plan or at all, until `resume_queue`; restarts included."""
        await self._store.pause(plan_name or "")
        return await self.pauses()

    async def resume_queue(self, plan_name: str | None) -> Pauses:
        """Undo `pause_queue` of the same plan, or of the queue as a whole."""
        await self._store.resume(plan_name or "")
        self._dispatcher.look_again()
        return await self.pauses()

    async def pauses(self) -> Pauses:
        """What is paused."""
        plans = dict(await self._store.pauses())
        return Pauses(since=plans.pop("", None), plans=plans)

    def _removal(self, reason: str) -> CancelRequest:
        return CancelRequest(requested_at=self._clock.now(), reason=reason, requested_by=who())

    async def overview(self) -> QueueOverview:
        """The figures of the queue, at the same cost for any length of it."""
        counts = await self._store.counts()
        oldest = counts.oldest_ready_at
        age = None if oldest is None else max(0.0, self._clock.now() - oldest)
        return QueueOverview(counts, age, await self.pauses())

    async def list(
        self, *, delayed: bool, limit: int, cursor: str | None, grant: Grant = EVERYTHING
    ) -> Page[QueueEntry]:
        """Queued runs in dispatch order; see `QueueStore.list_queue`.

        A page may hold fewer than `limit`, or none, though others follow: those that `grant` does
        not see are left out, after MOST_PAGES pages without one that it does see.
        """
        page = await self._store.list_queue(delayed=delayed, limit=limit, cursor=cursor)
        if grant.plans is not None:
            page = await self._seen(page, grant, delayed=delayed, limit=limit)
        obstacles = await self._obstacles((run for _, run in page.items), grant)
        entries = tuple(
            QueueEntry(run, number, obstacles.waiting(run, _place(run, number, delayed=delayed)))
            for number, run in page.items
        )
        return Page(entries, page.next_cursor)

    async def _seen(
        self, page: Page[tuple[int, Run]], grant: Grant, *, delayed: bool, limit: int
    ) -> Page[tuple[int, Run]]:
        looked_at = 1
        while not (seen := tuple(item for item in page.items if grant.sees(item[1].plan_name))):
            if page.next_cursor is None or looked_at == MOST_PAGES:
                break
            page = await self._store.list_queue(
                delayed=delayed, limit=limit, cursor=page.next_cursor
            )
            looked_at += 1
        return Page(seen, page.next_cursor)

    async def waiting(self, run: Run, grant: Grant = EVERYTHING) -> Waiting:
        """Where the queued `run` stands, and why it does not run yet, as `grant` may see it."""
        position = await self._store.position(run)
        return (await self._obstacles([run], grant)).waiting(run, position)

    async def rehearse(self, request: RunRequest, grant: Grant = EVERYTHING) -> Rehearsal:
        """What a run of `request` would be now, as `grant` may see it; nothing is stored.

        Raises:
            BadReference, InputsRejected, InputsTooLarge: see `Admission.admit`.
        """
        admitted = self._admission.admit(request)
        run = as_queued(admitted.tasklet)
        if run.run_at is not None and run.run_at > self._clock.now():
            position = Position(ahead=0, delayed_until=run.run_at)
        else:
            position = await self._store.position(run)
        waiting = (await self._obstacles([run], grant)).waiting(run, position)
        task = admitted.definition.task()
        foreseen = await self._foresee(task, check_inputs(task, request.inputs))
        return rehearsal(admitted.tasklet, task, waiting, foreseen)

    async def _obstacles(self, runs: Iterable[Run], grant: Grant) -> Obstacles:
        """What may keep `runs` from starting; who holds what they need is asked only if they need
        something. Of the holders only those are named that `grant` sees.
        """
        holders = await self._store.holders() if any(run.limits for run in runs) else ()
        seen = None
        if grant.plans is not None:
            found = await self._runs.states([holder.cid for holder in holders])
            seen = {cid for cid, run in found.items() if grant.sees(run.plan_name)}
        return Obstacles(
            stopped_since=self._stopped_since(),
            pauses=await self.pauses(),
            holders=holders,
            workers=self._dispatcher.workers(),
            plans=self._dispatcher.plans(),
            seen=seen,
        )


def _place(run: Run, position: int, *, delayed: bool) -> Position:
    """Where a run of a page of the list stands."""
    return Position(ahead=position - 1, delayed_until=run.run_at if delayed else None)
