"""The queue: its figures, its list, its order, and why a run waits.

May import the rest of `scheduler` and model; stores and dispatchers come in as ports.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from aura_aio.model.clock import Clock
from aura_aio.model.ports import Dispatcher, Page, QueueCounts, QueueStore
from aura_aio.model.run import Run


class WaitingCode(StrEnum):
    """Why a queued run does not run yet."""

    STOPPED = "stopped"
    DELAYED = "delayed"
    NO_WORKER = "no_worker"
    """Every worker is busy, or on its way up."""
    BEHIND = "behind"


class WaitingReason(msgspec.Struct, frozen=True):
    """One reason; `since` and `until` in seconds since the epoch, where they are known."""

    code: WaitingCode
    since: float | None = None
    until: float | None = None


class Waiting(msgspec.Struct, frozen=True):
    """Where a queued run stands: `position` from 1; a delayed run has none yet.

    `reasons` is empty for a run that is about to start.
    """

    position: int | None
    ahead: int | None
    reasons: tuple[WaitingReason, ...]


class QueueEntry(msgspec.Struct, frozen=True):
    """A queued run in its place."""

    run: Run
    position: int
    waiting: Waiting


class QueueOverview(msgspec.Struct, frozen=True):
    """The counts, and how long the oldest ready run has been ready (seconds)."""

    counts: QueueCounts
    oldest_age_sec: float | None


class Queue:
    """What can be asked of the queue."""

    def __init__(
        self,
        store: QueueStore,
        dispatcher: Dispatcher,
        stopped_since: Callable[[], float | None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._stopped_since = stopped_since
        self._clock = clock

    async def set_priority(self, cid: str, priority: int) -> Run:
        """Give a queued run another priority; see `QueueStore.set_priority`."""
        return await self._store.set_priority(cid, priority)

    async def overview(self) -> QueueOverview:
        """The figures of the queue, at the same cost for any length of it."""
        counts = await self._store.counts()
        oldest = counts.oldest_ready_at
        age = None if oldest is None else max(0.0, self._clock.now() - oldest)
        return QueueOverview(counts, age)

    async def list(self, *, delayed: bool, limit: int, cursor: str | None) -> Page[QueueEntry]:
        """Queued runs in dispatch order; see `QueueStore.list_queue`."""
        page = await self._store.list_queue(delayed=delayed, limit=limit, cursor=cursor)
        entries = tuple(
            QueueEntry(run, position, self._waiting(run, position - 1, run.run_at, delayed=delayed))
            for position, run in page.items
        )
        return Page(entries, page.next_cursor)

    async def waiting(self, run: Run) -> Waiting:
        """Where the queued `run` stands, and why it does not run yet."""
        position = await self._store.position(run)
        delayed = position.delayed_until is not None
        return self._waiting(run, position.ahead, position.delayed_until, delayed=delayed)

    def _waiting(self, run: Run, ahead: int, until: float | None, *, delayed: bool) -> Waiting:
        reasons = []
        stopped_since = self._stopped_since()
        if stopped_since is not None:
            reasons.append(WaitingReason(WaitingCode.STOPPED, since=stopped_since))
        if delayed:
            reasons.append(WaitingReason(WaitingCode.DELAYED, since=run.created_at, until=until))
            return Waiting(position=None, ahead=None, reasons=tuple(reasons))
        ready_at = max(run.created_at, run.run_at or 0.0)
        if not any(
            worker.state == "ready" and worker.busy < worker.slots
            for worker in self._dispatcher.workers()
        ):
            reasons.append(WaitingReason(WaitingCode.NO_WORKER, since=ready_at))
        if ahead:
            reasons.append(WaitingReason(WaitingCode.BEHIND, since=ready_at))
        return Waiting(position=ahead + 1, ahead=ahead, reasons=tuple(reasons))
