"""The Dispatcher of a host that shares its database: its own runs and workers, and those of others.

May import `dispatch.job_dispatch`, `dispatch.local`, `dispatch.supervisor` and model.
"""

from collections.abc import Callable, Iterable, Mapping

from aura_aio.dispatch.job_dispatch import JobDispatch
from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.dispatch.supervisor import WorkerPlan
from aura_aio.model.fleet import Host, HostStatus, PlanDigests
from aura_aio.model.ports import ActiveAttempt, WorkerStatus
from aura_aio.model.run import RunChanged


class EverywhereDispatcher:
    """Implements `model.ports.Dispatcher`: dispatches to the workers of this host as `local` does,
    and knows of those that others have as of their latest beat.
    """

    def __init__(
        self,
        local: LocalDispatcher,
        workers: WorkerPlan,
        others: Callable[[], Iterable[Host]],
        jobs: JobDispatch | None = None,
    ) -> None:
        self.local = local
        self._workers = workers
        self._others = others
        self.start = local.start
        self.drain = local.drain
        self.pause = local.pause
        self.cancel = local.cancel
        self.reload = local.reload
        self.run_changed = local.run_changed
        self.aclose = local.aclose
        self._jobs = jobs

    @property
    def alive(self) -> bool:
        """Whether this host's does its work."""
        return self.local.alive and (self._jobs is None or self._jobs.alive)

    def look_again(self) -> None:
        """Look at the queue again."""
        self.local.look_again()
        if self._jobs is not None:
            self._jobs.look_again()

    def run_comes(self) -> None:
        """A run is about to be queued: claim or offer it in the same transaction."""
        self.local.run_comes()
        if self._jobs is not None:
            self._jobs.look_again()

    def slots(self) -> int:
        """How many runs all hosts together could have at the same time."""
        return sum(worker.slots for worker in self.workers())

    def active(self) -> Mapping[str, ActiveAttempt]:
        """The attempts under way anywhere, by cid."""
        active = {cid: each for host in self._others() for cid, each in host.status.active.items()}
        return active | dict(self.local.active())

    def workers(self) -> tuple[WorkerStatus, ...]:
        """The workers of this host, then those of the others."""
        others = (worker for host in self._others() for worker in host.status.workers)
        return (*self.local.workers(), *others)

    def heard(self, fact: RunChanged) -> None:
        """Another host has brought this about: offer what it lets start, if hosts are there that do
        not.
        """
        if self._jobs is not None and not all(host.status.offers for host in self._others()):
            self._jobs.heard(fact)

    def plans(self) -> Mapping[str, PlanDigests]:
        """The plans of which each host takes runs, this one's and those of others; none where there
        can be no others.
        """
        served = self._workers.served()
        if served is None:
            return {}
        plans = {host.id: host.status.plans for host in self._others()}
        return plans | {self._workers.host_id: served}

    def status(self) -> HostStatus:
        """What this host tells the others of itself."""
        return HostStatus(
            workers=self.local.workers(),
            active=dict(self.local.active()),
            offers=self._jobs is not None,
        )
