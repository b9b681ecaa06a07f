"""Why a queued run does not run yet.

May import the rest of `scheduler` and model only.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from aura_aio.model import limits
from aura_aio.model.fleet import PlanDigests, host_of, takers
from aura_aio.model.lanes import Places
from aura_aio.model.limits import Limits
from aura_aio.model.ports import WorkerStatus
from aura_aio.model.queue_store import Holder, Position
from aura_aio.model.run import Run


class WaitingCode(StrEnum):
    """Why a queued run does not run yet."""

    PAUSED = "paused"
    """The queue or the plan is paused."""
    STOPPED = "stopped"
    DELAYED = "delayed"
    EXCLUSIVE = "exclusive"
    """Another exclusive run is under way."""
    RESOURCE = "resource"
    MUTEX = "mutex"
    MAX_INSTANCES = "max_instances"
    NO_WORKER = "no_worker"
    """Every worker is busy, or on its way up."""
    NO_HOST = "no_host"
    """Workers are free, but on no host that has the plan as it was when the run was accepted, or
    at all.
    """
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


class Pauses(msgspec.Struct, frozen=True):
    """Since when (seconds since the epoch) the queue as a whole is paused, if it is, and plans."""

    since: float | None
    plans: Mapping[str, float]

    def since_for(self, plan_name: str) -> float | None:
        """Since when runs of a plan are held back, if they are."""
        begun = [each for each in (self.since, self.plans.get(plan_name)) if each is not None]
        return min(begun, default=None)


class Obstacles:
    """All that keeps runs from starting, as of now; of `holders`, those are named that are `seen`
    (None: all). `plans` are those of which each host takes runs, where there are several.
    """

    def __init__(
        self,
        *,
        stopped_since: float | None,
        pauses: Pauses,
        holders: Sequence[Holder],
        workers: Sequence[WorkerStatus],
        plans: Mapping[str, PlanDigests],
        seen: Container[str] | None = None,
    ) -> None:
        self._stopped_since = stopped_since
        self._pauses = pauses
        self._held = _Held(holders, seen)
        self._plans = plans
        self._free = {
            host_of(worker.name)
            for worker in workers
            if worker.state == "ready" and worker.busy < worker.slots
        }
        """The hosts with room."""

    def waiting(self, run: Run, position: Position) -> Waiting:
        """Where a queued run stands, and why it does not run yet."""
        until = position.delayed_until
        reasons = list(self._held_back(run.plan_name))
        if until is not None:
            reasons.append(WaitingReason(WaitingCode.DELAYED, since=run.created_at, until=until))
            return Waiting(position=None, ahead=None, reasons=tuple(reasons))
        ready_at = max(run.created_at, run.run_at or 0.0)
        reasons += self._held.reasons(run.limits, ready_at)
        if not self._free:
            reasons.append(WaitingReason(WaitingCode.NO_WORKER, since=ready_at))
        elif self._plans and not self._free & takers(self._plans, run.plan_name, run.plan_digest):
            reasons.append(WaitingReason(WaitingCode.NO_HOST, since=ready_at))
        ahead = position.ahead
        if ahead:
            reasons.append(WaitingReason(WaitingCode.BEHIND, since=ready_at))
        return Waiting(position=ahead + 1, ahead=ahead, reasons=tuple(reasons))

    def _held_back(self, plan_name: str) -> Iterator[WaitingReason]:
        if self._stopped_since is not None:
            yield WaitingReason(WaitingCode.STOPPED, since=self._stopped_since)
        paused_since = self._pauses.since_for(plan_name)
        if paused_since is not None:
            yield WaitingReason(WaitingCode.PAUSED, since=paused_since)


class _Held:
    """What the runs under way hold, and whom that keeps waiting."""

    def __init__(self, holders: Sequence[Holder], seen: Container[str] | None) -> None:
        self._seen = seen
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
            named = [each.cid for each in holders if self._seen is None or each.cid in self._seen]
            yield WaitingReason(
                CODES[kind],
                since=max(ready_at, holders[-1].started_at),
                resource=name,
                blocking_cids=tuple(named[:MOST_BLOCKING]),
            )
