"""Keeps the jobs of this host, and sees to those of hosts that have died.

May import `dispatch.procrastinate` and model; stores come in as ports.
"""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Final

from aura_aio.dispatch.procrastinate import JobClaims
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.fleet import host_of
from aura_aio.model.job_queue import Job, JobQueue
from aura_aio.model.persistence import persist
from aura_aio.model.ports import RunStore
from aura_aio.model.run import Run, RunChanged
from aura_aio.model.states import HOLDS_A_SLOT, RunState

_log = logging.getLogger("aura.dispatch.leases")

BEATS: Final = 5
"""In the time after which a silent host is given up."""


class Leases:
    """Beats for this host. A job whose host is silent for `silent_sec` is stalled: its attempt is
    lost, and `on_crash` decides. Half of that is judged by the clock of the database, half by what
    was seen here, look after look: a database that was away makes nobody look dead.
    """

    def __init__(
        self,
        jobs: JobQueue,
        claims: JobClaims,
        runs: RunStore,
        clock: Clock,
        *,
        silent_sec: float,
    ) -> None:
        self._jobs = jobs
        self._claims = claims
        self._runs = runs
        self._clock = clock
        self._silent_sec = silent_sec
        self._stalled_since: dict[int, float] = {}
        self._silent_since: dict[int, float] = {}
        self._looked_at = -math.inf
        """When it looked last at what others do."""
        self._tasks = CoroutineTasks()
        self.on_given_up: Callable[[], None] = _nothing
        """Called if the others took this host for dead."""
        self.lives: Callable[[str], bool] = _nobody
        """Answers whether a host, by its id, was heard of lately."""
        self.cancel: Callable[[str, float], None] = _cancel_nothing
        """Ends the attempt of a run; its actions get so many seconds."""

    def start(self) -> None:
        """Begin to beat."""
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Beat no more."""
        await self._tasks.aclose()

    @property
    def alive(self) -> bool:
        """Whether it beats."""
        return not self._tasks.died

    def asked(self, job_id: int) -> None:
        """Somebody has asked for the end of a job: look at its run, if it is here."""
        if (attempt := self._claims.attempt_of(job_id)) is not None:
            self._tasks.spawn(self._look_at(attempt[0]))

    def run_changed(self, fact: RunChanged) -> None:
        """Ask the host that has it for the end of a run that was cancelled here."""
        attempt = (fact.cid, fact.attempt)
        if fact.target is RunState.CANCELLING and not self._claims.has(attempt):
            self._tasks.spawn(self._ask(attempt))

    async def _ask(self, attempt: tuple[str, int]) -> None:
        abort = partial(self._jobs.abort, *attempt)
        complaint = "store unavailable, a cancel waits"
        await persist(abort, self._clock, _log, complaint, action="cancel_waits", cid=attempt[0])

    async def _look_at(self, cid: str) -> None:
        states = partial(self._runs.states, [cid])
        complaint = "store unavailable, a cancel waits"
        found = await persist(states, self._clock, _log, complaint, action="cancel_waits", cid=cid)
        run = found.get(cid)
        if run is not None and run.state is RunState.CANCELLING:
            self.cancel(cid, run.cancel.actions_grace_sec if run.cancel is not None else 0.0)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._silent_sec / BEATS)
            try:
                await self._beat()
                await self._give_back_the_unknown()
                await self._see_to_others()
            except StoreUnavailable as error:
                self._looked_at = -math.inf
                extra = {"action": "beat_of_jobs_failed", "reason": str(error)}
                _log.warning("jobs are not kept", extra=extra)

    async def _beat(self) -> None:
        if not await self._jobs.beat():
            _log.error(
                "the other hosts took this one for dead: its jobs are lost",
                extra={"action": "jobs_were_given_up"},
            )
            self.on_given_up()

    async def _give_back_the_unknown(self) -> None:
        """What was taken while the answer was lost, or was finished and is there again: when it is
        killed the database may forget the latest changes of jobs.
        """
        async with self._claims.fetching:
            before = self._claims.known()
            unknown = set(await self._jobs.mine()) - before - self._claims.known()
        self._claims.give_back(unknown)

    async def _see_to_others(self) -> None:
        """What was not seen in the meantime, if it took so long, says nothing of them."""
        now = self._clock.monotonic()
        if now - self._looked_at > 3 * self._silent_sec / BEATS:
            self._stalled_since.clear()
            self._silent_since.clear()
        self._looked_at = now
        await self._see_to_the_stalled(now)
        await self._forget_the_silent(now)

    async def _see_to_the_stalled(self, now: float) -> None:
        patience = self._silent_sec / 2
        found = {job.id: job for job in await self._jobs.stalled(patience)}
        since = self._stalled_since = {id_: self._stalled_since.get(id_, now) for id_ in found}
        stalled = [job for id_, job in found.items() if now - since[id_] >= patience]
        if stalled:
            await self._rescue(stalled)

    async def _forget_the_silent(self, now: float) -> None:
        """All at once: those of whom this host itself has heard nothing for long enough, too."""
        known, silent = self._silent_since, await self._jobs.silent(self._silent_sec)
        since = self._silent_since = {id_: known.get(id_, now) for id_ in silent}
        if since and now - max(since.values()) >= self._silent_sec:
            await self._jobs.forget_silent(self._silent_sec)

    async def _rescue(self, stalled: list[Job]) -> None:
        """Lose those of their attempts that were begun there: the host is given up before, so that
        it ends them if it comes back. What had not begun is offered anew, and may begin elsewhere
        before this is done.
        """
        cids = [job.cid for job in stalled]
        _log.warning("jobs are stalled", extra={"action": "jobs_stalled", "cids": cids})
        runs = await self._runs.states(cids)
        lost = [
            job
            for job in stalled
            if (run := runs.get(job.cid)) is not None and self._is_lost(run, job)
        ]
        await self._jobs.forget({job.taker for job in lost if job.taker is not None})
        attempts = [(job.cid, job.attempt) for job in lost]
        await self._runs.lose(attempts, reason="Nothing was heard of its host any more.")
        self._claims.give_back([job.id for job in stalled])

    def _is_lost(self, run: Run, job: Job) -> bool:
        is_begun = run.attempt == job.attempt and run.state in HOLDS_A_SLOT
        return is_begun and not (run.worker and self.lives(host_of(run.worker)))


def _nothing() -> None:
    """Nobody is to be told."""


def _nobody(host_id: str) -> bool:
    return False


def _cancel_nothing(cid: str, grace_sec: float) -> None:
    """There is nothing to cancel."""
