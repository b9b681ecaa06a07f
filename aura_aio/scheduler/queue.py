"""The queue: its figures, its list, its order, and why a run waits.

May import the rest of `scheduler` and model; stores and dispatchers come in as ports.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from aura_aio.model import limits
from aura_aio.model.access import EVERYTHING, Grant
from aura_aio.model.clock import Clock
from aura_aio.model.lanes import Places
from aura_aio.model.limits import Limits
from aura_aio.model.ports import Dispatcher, Page
from aura_aio.model.queue_store import Holder, Position, QueueCounts, QueueStore
from aura_aio.model.run import Run

MOST_PAGES: Final = 20


class WaitingCode(StrEnum):
    """Why a queued run does not run yet."""

    STOPPED = "stopped"
    DELAYED = "delayed"
    EXCLUSIVE = "exclusive"
    """Another exclusive run is under way."""
    RESOURCE = "resource"
    MUTEX = "mutex"
    MAX_INSTANCES = "max_instances"
    NO_WORKER = "no_worker"
    """Every worker is busy, or on its way up."""
    BEHIND = "behind"


CODES: Final = {
    limits.EXCLUSIVE: WaitingCode.EXCLUSIVE,
    limits.RESOURCE: WaitingCode.RESOURCE,
    limits.MUTEX: WaitingCode.MUTEX,
    limits.INSTANCES: WaitingCode.MAX_INSTANCES,
}
"""Why a run waits whose limit of this kind has no room."""

MOST_BLOCKING: Final = 20
"""So many of those that hold what a run waits for are named."""


class WaitingReason(msgspec.Struct, frozen=True):
    """One reason; `since` and `until` in seconds since the epoch, where they are known.

    For a limit, `resource` is the name of what is taken (a resource, a mutex group, a task), and
    `blocking_cids` are the runs that hold it, those that started first, at the most
    `MOST_BLOCKING`.
    """

    code: WaitingCode
    since: float | None = None
    until: float | None = None
    resource: str | None = None
    blocking_cids: tuple[str, ...] | None = None


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
        held = await self._held(run for _, run in page.items)
        entries = tuple(
            QueueEntry(
                run, position, self._waiting(run, _place(run, position, delayed=delayed), held)
            )
            for position, run in page.items
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

    async def waiting(self, run: Run) -> Waiting:
        """Where the queued `run` stands, and why it does not run yet."""
        position = await self._store.position(run)
        return self._waiting(run, position, await self._held([run]))

    async def _held(self, runs: Iterable[Run]) -> "_Held":
        """What is held of what `runs` need; at no cost if they need nothing."""
        return _Held(await self._store.holders() if any(run.limits for run in runs) else ())

    def _waiting(self, run: Run, position: Position, held: "_Held") -> Waiting:
        reasons = []
        stopped_since = self._stopped_since()
        if stopped_since is not None:
            reasons.append(WaitingReason(WaitingCode.STOPPED, since=stopped_since))
        until = position.delayed_until
        if until is not None:
            reasons.append(WaitingReason(WaitingCode.DELAYED, since=run.created_at, until=until))
            return Waiting(position=None, ahead=None, reasons=tuple(reasons))
        ready_at = max(run.created_at, run.run_at or 0.0)
        reasons += held.reasons(run.limits, ready_at)
        if not any(
            worker.state == "ready" and worker.busy < worker.slots
            for worker in self._dispatcher.workers()
        ):
            reasons.append(WaitingReason(WaitingCode.NO_WORKER, since=ready_at))
        ahead = position.ahead
        if ahead:
            reasons.append(WaitingReason(WaitingCode.BEHIND, since=ready_at))
        return Waiting(position=ahead + 1, ahead=ahead, reasons=tuple(reasons))


class _Held:
    """What the runs under way hold, and whom that keeps waiting."""

    def __init__(self, holders: Sequence[Holder]) -> None:
        self._places = Places(holder.limits for holder in holders)
        self._holders: defaultdict[str, list[Holder]] = defaultdict(list)
        for holder in holders:
            for limit in holder.limits:
                self._holders[limit.key].append(holder)

    def reasons(self, needed: Limits, ready_at: float) -> Iterator[WaitingReason]:
        """One for each limit without room: since the last place was taken."""
        for limit in filter(self._places.is_full, needed):
            holders = self._holders[limit.key]
            kind, name = limits.kind_and_name(limit.key)
            yield WaitingReason(
                CODES[kind],
                since=max(ready_at, holders[-1].started_at),
                resource=name,
                blocking_cids=tuple(holder.cid for holder in holders[:MOST_BLOCKING]),
            )


def _place(run: Run, position: int, *, delayed: bool) -> Position:
    """Where a run of a page of the list stands."""
    return Position(ahead=position - 1, delayed_until=run.run_at if delayed else None)
