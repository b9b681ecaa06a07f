"""The parts that hand out runs as jobs of Procrastinate, put together.

May import the rest of `dispatch` and model; stores come in as ports.
"""

from collections.abc import Callable
from functools import partial

from aura_aio.dispatch.leases import Leases
from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.dispatch.offering import Offering
from aura_aio.dispatch.procrastinate import JobClaims
from aura_aio.model.clock import Clock
from aura_aio.model.job_queue import JobQueue, OfferStore
from aura_aio.model.ports import RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL, RunState


class JobDispatch:
    """Offers the runs of the queue to all hosts, and claims those that this one is given; a host
    that is silent for `silent_sec` has its jobs taken away.
    """

    def __init__(
        self,
        runs: RunStore,
        queue: QueueStore,
        offers: OfferStore,
        jobs: JobQueue,
        clock: Clock,
        *,
        silent_sec: float,
    ) -> None:
        self._jobs = jobs
        self.claims = JobClaims(runs, queue, jobs, clock)
        self._offering = Offering(offers, queue, clock)
        self._leases = Leases(jobs, self.claims, runs, clock, silent_sec=silent_sec)

    def start(
        self, local: LocalDispatcher, slots: Callable[[], int], lives: Callable[[str], bool]
    ) -> None:
        """Begin, for the host of `local`; `slots` answers how many runs all hosts together could
        have at the same time, `lives` whether a host, by its id, was heard of lately.
        """
        self._leases.lives = lives
        self.claims.look_again = local.look_again
        self.claims.offer_again = self._offering.look_again
        self.claims.room_left = self._offering.room_left
        self._leases.on_given_up = partial(
            local.kill_workers, "the host was given up by the others"
        )
        self._leases.cancel = lambda cid, grace_sec: local.cancel(cid, grace_sec=grace_sec)
        self._jobs.listen(local.look_again, self._leases.asked)
        self._leases.start()
        self._offering.start(slots)

    async def aclose(self) -> None:
        """Offer nothing more, and finish what is left to finish."""
        await self._offering.aclose()
        await self._leases.aclose()
        await self.claims.aclose()

    @property
    def alive(self) -> bool:
        """Whether all parts do their work."""
        parts = (self.claims, self._offering, self._leases, self._jobs)
        return all(part.alive for part in parts)

    def run_changed(self, fact: RunChanged) -> None:
        """Offer what a change of this host lets start; ask for the end of what was cancelled."""
        self._offering.run_changed(fact)
        self._leases.run_changed(fact)

    def heard(self, fact: RunChanged) -> None:
        """Offer what a change of a host lets start that offers nothing."""
        if fact.target is RunState.QUEUED or fact.target in TERMINAL:
            self._offering.look_again()

    def look_again(self) -> None:
        """Look at the queue again."""
        self._offering.look_again()
