"""Takes runs out of the queue as Procrastinate hands them to this host, job by job.

May import `dispatch.claims` and model; stores come in as ports.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

from aura_aio.dispatch.claims import Claims
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.job_queue import Job, JobQueue, queues_of
from aura_aio.model.persistence import persist
from aura_aio.model.ports import RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.run import Tasklet

_log = logging.getLogger("aura.dispatch.procrastinate")


class JobClaims(Claims):
    """Claims the runs of the jobs that this host has fetched. A job is an offer, the run's row is
    the truth: what cannot start (any more) is not claimed, and its job is given back.
    """

    from_queue = False

    def __init__(self, runs: RunStore, queue: QueueStore, jobs: JobQueue, clock: Clock) -> None:
        super().__init__(runs, queue, clock)
        self._jobs = jobs
        self._held: dict[tuple[str, int], Job] = {}
        """Those of attempts under way, by cid and attempt."""
        self._over: list[int] = []
        self._tasks = CoroutineTasks()
        self._is_finishing = self._are_given_back = False
        self.fetching = asyncio.Lock()
        """Held while jobs are on their way to this host: nobody knows then which it has."""
        self.look_again: Callable[[], None] = _nothing
        """Called if there may be more jobs than were claimed."""
        self.offer_again: Callable[[], None] = _nothing
        """Called once what was given back is nobody's."""
        self.room_left: Callable[[], None] = _nothing
        """Called if this host could have had more jobs than there were."""

    async def claim(
        self, workers: Sequence[str], among: Collection[str] | None, served: PlanDigests | None
    ) -> Sequence[Tasklet]:
        """As `QueueStore.claim`, of the runs whose jobs come first; with `among` of these."""
        if among is not None:
            return await super().claim(workers, among, served)
        async with self.fetching:
            jobs = await self._jobs.fetch(queues_of(served or {}), len(workers))
            tasklets: Sequence[Tasklet] = ()
            try:
                if jobs:
                    tasklets = await super().claim(workers, {job.cid for job in jobs}, served)
            finally:
                left = self._hold(jobs, tasklets)
                self.give_back(left)
        if left:
            self.look_again()
        if len(jobs) < len(workers):  # now that this host knows what others have queued
            self.room_left()
        return tasklets

    def _hold(self, jobs: Sequence[Job], tasklets: Sequence[Tasklet]) -> Sequence[int]:
        """Keep the jobs of the attempts that begin; answers the others."""
        begun = {tasklet.cid: tasklet.attempt for tasklet in tasklets}
        left = []
        for job in jobs:
            if (attempt := begun.pop(job.cid, None)) is None:
                left.append(job.id)
            else:
                self._held[job.cid, attempt] = job
        return left

    async def next_due(self) -> float | None:
        """None: who offers looks after what is delayed."""
        return None

    def is_over(self, tasklet: Tasklet) -> None:
        """An attempt has ended: so has its job."""
        job = self._held.pop((tasklet.cid, tasklet.attempt), None)
        if job is not None:
            self._finish([job.id])

    def known(self) -> frozenset[int]:
        """The jobs that this host has, as far as it knows."""
        return frozenset(job.id for job in self._held.values()).union(self._over)

    def has(self, attempt: tuple[str, int]) -> bool:
        """Whether this attempt (cid, attempt) is under way here."""
        return attempt in self._held

    def attempt_of(self, job_id: int) -> tuple[str, int] | None:
        """The attempt that was begun with this job."""
        return next((key for key, job in self._held.items() if job.id == job_id), None)

    def give_back(self, job_ids: Collection[int]) -> None:
        """Finish jobs whose attempts are not under way here: their runs may have to be offered
        again.
        """
        if job_ids:
            self._are_given_back = True
            self._finish(job_ids)

    @property
    def alive(self) -> bool:
        """Whether jobs are finished."""
        return not self._tasks.died

    async def aclose(self) -> None:
        """Finish what is left to finish, if the database is there."""
        await self._tasks.aclose()
        try:
            await self._jobs.finish(self.known())
        except StoreUnavailable as error:  # the others will notice
            extra = {"action": "jobs_not_finished", "reason": str(error)}
            _log.warning("jobs are left as they are", extra=extra)

    def _finish(self, job_ids: Collection[int]) -> None:
        self._over += job_ids
        if not self._is_finishing:
            self._is_finishing = True
            self._tasks.spawn(self._finish_all())

    async def _finish_all(self) -> None:
        """Finish whatever is over; several at the same time, if they come faster than that goes."""
        while self._over:
            over = tuple(self._over)
            finish = partial(self._jobs.finish, over)
            complaint = "store unavailable, jobs are finished later"
            await persist(finish, self._clock, _log, complaint, action="jobs_wait")
            del self._over[: len(over)]
        if self._are_given_back:
            self._are_given_back = False
            self.offer_again()
        self._is_finishing = False


def _nothing() -> None:
    """Nobody is to be told."""
