"""The Dispatcher of a host that shares its database: its own runs and workers, and those of others.

May import `dispatch.local`, `dispatch.supervisor` and model.
"""

from collections.abc import Callable, Iterable, Mapping

from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.dispatch.supervisor import WorkerPlan
from aura_aio.model.fleet import Host, HostStatus, PlanDigests
from aura_aio.model.ports import ActiveAttempt, WorkerStatus


class EverywhereDispatcher:
    """Implements `model.ports.Dispatcher`: dispatches to the workers of this host as `local` does,
    and knows of those that others have as of their latest beat.
    """

    def __init__(
        self, local: LocalDispatcher, workers: WorkerPlan, others: Callable[[], Iterable[Host]]
    ) -> None:
        self.local = local
        self._workers = workers
        self._others = others
        self.start = local.start
        self.drain = local.drain
        self.pause = local.pause
        self.cancel = local.cancel
        self.look_again = local.look_again
        self.run_comes = local.run_comes
        self.reload = local.reload
        self.run_changed = local.run_changed
        self.aclose = local.aclose

    @property
    def alive(self) -> bool:
        """Whether this host's does its work."""
        return self.local.alive

    def active(self) -> Mapping[str, ActiveAttempt]:
        """The attempts under way anywhere, by cid."""
        active = {cid: each for host in self._others() for cid, each in host.status.active.items()}
        return active | dict(self.local.active())

    def workers(self) -> tuple[WorkerStatus, ...]:
        """The workers of this host, then those of the others."""
        others = (worker for host in self._others() for worker in host.status.workers)
        return (*self.local.workers(), *others)

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
        return HostStatus(workers=self.local.workers(), active=dict(self.local.active()))
