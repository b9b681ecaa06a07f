"""The fleet: the servers and hosts of workers that share a database.

May import the standard library, msgspec and model only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from aura_aio.model.event import EventFilter
from aura_aio.model.ports import ActiveAttempt, WorkerStatus

PlanDigests = Mapping[str, str]
"""Plans as a host has loaded them: their digests by their names."""


class HostStatus(msgspec.Struct, frozen=True):
    """What a host tells the others of itself: a digest of its key for secrets, its workers, the
    attempts under way there by cid, the plans of which it takes runs, the ends of runs that its
    tasks wait for, and whether it offers runs as jobs.
    """

    key: str = ""
    workers: tuple[WorkerStatus, ...] = ()
    active: Mapping[str, ActiveAttempt] = msgspec.field(default_factory=dict)
    plans: PlanDigests = msgspec.field(default_factory=dict)
    listens: tuple[EventFilter, ...] = ()
    offers: bool = False

    @property
    def has_room(self) -> bool:
        """Whether it could begin with a run."""
        return any(each.state == "ready" and each.busy < each.slots for each in self.workers)


class Host(msgspec.Struct, frozen=True):
    """A process that starts runs: a server, or one that has workers only. `beat` grows as long as
    it is there; `may_lead`: it does what one of all servers has to do (schedules, callbacks, what
    is forgotten).
    """

    id: str
    may_lead: bool
    beat: int
    status: HostStatus


class Stop(msgspec.Struct, frozen=True):
    """That no run is dispatched. What is under way ends by itself, and is cancelled at `ends_at`
    (seconds since the epoch; None: never); with `cancels` it is cancelled at once, and killed then.
    """

    cancels: bool = False
    ends_at: float | None = None


class FleetStore(Protocol):
    """Who shares the database. A run that is under way belongs to the host of its worker."""

    async def join(self, host_id: str, status: HostStatus, *, may_lead: bool) -> None:
        """Be one of the hosts from now on."""
        ...

    async def beat(self, host_id: str, status: HostStatus) -> bool:
        """Say that it is still there; False if the others have given it up."""
        ...

    async def leave(self, host_id: str) -> None:
        """Be none of the hosts any more. Idempotent."""
        ...

    async def members(self) -> tuple[Host, ...]:
        """Every host, who joined first comes first."""
        ...

    async def give_up(
        self, beats: Mapping[str, int], *, reason: str
    ) -> Mapping[str, Sequence[str]]:
        """Take these hosts for dead if this is still their latest beat, and decide by `on_crash`
        over every run under way that belongs to no host (any more); answers as `RunStore.recover`.
        """
        ...

    async def orphans(self) -> bool:
        """Whether a run is under way that belongs to no host."""
        ...

    async def set_stopped(self, stop: Stop | None) -> None:
        """Keep for every host that no run is dispatched, or, with None, that runs are."""
        ...

    async def stopped(self) -> Stop | None:
        """The stop that holds, if there is one."""
        ...


def left_to_others(here: PlanDigests, others: Iterable[PlanDigests]) -> set[tuple[str, str]]:
    """The plans, as they were when runs were accepted (name, digest), of which a host that has
    `here` takes no run: others have them so, and it has not. What nobody has so (any more), whoever
    has the plan takes.
    """
    found: set[tuple[str, str]] = set()
    for plans in others:
        found |= plans.items() - here.items()
    return found


def takers(hosts: Mapping[str, PlanDigests], plan_name: str, digest: str) -> set[str]:
    """Those of `hosts` (by id, with the plans of which each takes runs) that take runs of a plan
    with this digest: `left_to_others` from the other side.
    """
    having = {id_ for id_, plans in hosts.items() if plan_name in plans}
    return {id_ for id_ in having if hosts[id_][plan_name] == digest} or having


def host_of(worker: str) -> str:
    """The id of the host that a worker belongs to; empty where there is one server only."""
    return worker.rpartition("/")[0]


def worker_name(host_id: str, number: int) -> str:
    """The name of the worker with this number on a host."""
    return f"{host_id}/worker-{number}" if host_id else f"worker-{number}"


class Leadership:
    """Whether this server does what one of all servers on a database has to do: schedules, events,
    callbacks, what is forgotten. Where there is one server only, it leads.
    """

    def __init__(self, *, leads: bool) -> None:
        self._leads = leads
        self._is_sure: Callable[[], bool] = _always
        self._listeners: list[Callable[[], None]] = []

    @property
    def leads(self) -> bool:
        """Whether it does so now."""
        return self._leads and self._is_sure()

    def on_gain(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever it begins to lead from now on."""
        self._listeners.append(listener)

    def set(self, *, leads: bool, is_sure: Callable[[], bool] | None = None) -> None:
        """Lead, for as long as `is_sure` says (None: until the next call), or do so no more."""
        led = self.leads
        self._leads, self._is_sure = leads, is_sure or _always
        for listener in self._listeners if self.leads and not led else ():
            listener()


def _always() -> bool:
    return True
