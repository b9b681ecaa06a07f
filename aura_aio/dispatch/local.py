"""The Dispatcher of one machine: runs go to worker processes that it supervises.

May import the rest of `dispatch`, worker (frames, link) and model; stores come in as ports.
"""

import asyncio
import logging
from asyncio import TimerHandle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec.structs import replace

from aura_aio.dispatch.attempts import Attempt
from aura_aio.dispatch.briefings import Briefings, refused, task_gone
from aura_aio.dispatch.calls import Calls
from aura_aio.dispatch.claims import Claims
from aura_aio.dispatch.looks import Looks
from aura_aio.dispatch.reports import LogReports, RunReports
from aura_aio.dispatch.slots import free_slots
from aura_aio.dispatch.supervisor import Supervisor, Worker, WorkerPlan
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import SealBroken, StoreUnavailable
from aura_aio.model.persistence import RETRY_SEC, persist
from aura_aio.model.ports import ActiveAttempt, LogSink, RunStore, WorkerStatus
from aura_aio.model.run import Outcome, RunChanged, RunError, StepRecord, Tasklet
from aura_aio.model.sealing import Vault
from aura_aio.model.spans import RunSpans
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.worker.frames import (
    DropChild,
    DropWait,
    Finished,
    Heartbeat,
    Hello,
    Logs,
    Progress,
    RunChild,
    Spent,
    Steps,
    Sync,
    ToServer,
    WaitForEvent,
)

_log = logging.getLogger("aura.dispatch.local")

CANCEL_MARGIN_SEC: Final = 5.0


class LocalDispatcher:
    """Implements `model.ports.Dispatcher` and `supervisor.WorkerOwner`."""

    def __init__(
        self,
        runs: RunStore,
        claims: Claims,
        logs: LogSink,
        vault: Vault,
        calls: Calls,
        plan: WorkerPlan,
        clock: Clock,
    ) -> None:
        self._vault = vault
        self._runs = runs
        self._claims = claims
        self._logs = logs
        self._clock = clock
        self._plan = plan
        self._supervisor = Supervisor(plan, self, clock)
        self._briefings = Briefings(runs, clock)
        self._reports = RunReports(runs, clock, self._attempts_ended)
        self._calls = calls
        self._log_reports: dict[str, LogReports] = {}
        self._attempts: dict[str, Attempt] = {}
        self._spans: RunSpans | None = None
        self._tasks = CoroutineTasks()
        self._started = self._claiming = False
        self._handing_over = asyncio.Lock()
        self._early_cancels: dict[str, float] | None = None
        self._looks = Looks()
        self._none_left = asyncio.Event()
        self._none_left.set()

    def trace_with(self, spans: RunSpans) -> None:
        """Let `spans` know of every attempt from now on, and of its steps."""
        self._spans = self._reports.spans = spans

    async def start(self) -> None:
        """Begin to dispatch."""
        if not self._started:
            self._started = True
            self._tasks.spawn(self._reports.run())
            self._tasks.spawn(self._dispatch())
            await self._supervisor.start()
        self._claiming = True
        self._looks.again()

    async def pause(self) -> None:
        """Claim nothing more but what attempts under way wait for; return at once."""
        self._claiming = False

    async def drain(self) -> None:
        """Claim nothing more but what attempts under way wait for; return when none is left."""
        self._claiming = False
        async with self._handing_over:  # what is being claimed now is under way then
            pass
        await self._none_left.wait()

    async def aclose(self, *, grace_sec: float) -> None:
        """Drain for `grace_sec`, then end the workers, and with them what still runs."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_sec):
                await self.drain()
        self.kill_workers("the server was shut down")
        await self._supervisor.aclose()
        await self.drain()
        await self._reports.drained()
        await self._calls.aclose()
        await self._tasks.aclose()

    def cancel(self, cid: str, *, grace_sec: float) -> None:
        """End the attempt of this run; its worker with it, if it does not end in time. Called
        again, the earlier end counts.
        """
        cancel_by = asyncio.get_running_loop().time() + grace_sec
        attempt = self._attempts.get(cid)
        if attempt is None:
            if self._early_cancels is not None:  # it may be claimed, and not known here yet
                self._early_cancels[cid] = cancel_by
        elif not attempt.reported and attempt.ends_by(cancel_by) and attempt.handed_over:
            self._send_cancel(attempt)

    def run_changed(self, fact: RunChanged, *, is_own: bool = True) -> None:
        """Look at the queue again, if it has changed: who leaves it may have let others wait. End
        the attempt of a run that is being cancelled, and let the parent of one that ended go on.
        """
        if self._follows_queue:
            self._looks.run_changed(fact, is_own=is_own)
        if fact.target in TERMINAL:
            self._calls.run_ended(fact.cid)
        elif fact.target is RunState.CANCELLING:
            self.cancel(fact.cid, grace_sec=fact.grace_sec or 0.0)

    def look_again(self) -> None:
        """Look at the queue again."""
        self._looks.again()

    def run_comes(self) -> None:
        """A run is about to be queued: if there is room for it, claim in the same transaction."""
        if self._follows_queue:
            self._looks.run_comes()

    @property
    def _follows_queue(self) -> bool:
        """Whether a change of the queue is a reason to look."""
        return self._claims.from_queue or not self._claiming

    async def reload(self, switch: Callable[[], None]) -> None:
        """Call `switch` while no attempt is on its way to a worker, and replace the workers: those
        that are up end what they have begun, and get nothing more.
        """
        async with self._handing_over:
            switch()
            for worker in self._supervisor.workers():
                worker.retire()

    def kill_workers(self, why: str) -> None:
        """End every worker, and what runs there; others take their place."""
        for worker in self._supervisor.workers():
            worker.kill(why)

    @property
    def alive(self) -> bool:
        """Whether claims are made, reports stored and workers looked after."""
        return self._supervisor.alive and self._calls.alive and not self._tasks.died

    def concerned(self) -> frozenset[str]:
        """The runs that are carried out here, and those that they wait for."""
        return self._calls.awaited() | self._attempts.keys()

    def active(self) -> Mapping[str, ActiveAttempt]:
        """The attempts under way, by cid."""
        return {cid: attempt.shown() for cid, attempt in self._attempts.items()}

    def workers(self) -> tuple[WorkerStatus, ...]:
        """The workers that are up."""
        return tuple(worker.shown() for worker in self._supervisor.workers())

    def worker_up(self, worker: Worker) -> None:
        """It can take attempts."""
        reports = LogReports(self._logs, worker.link, self._reports.outcome)
        self._log_reports[worker.name] = reports
        self._tasks.spawn(reports.run())
        _log.info("worker up", extra={"action": "worker_up", "worker": worker.name})
        self._looks.again()

    def worker_said(self, worker: Worker, packet: tuple[ToServer, ...]) -> None:
        """Take a packet apart; nothing here waits."""
        for frame in packet:
            match frame:
                case Steps():
                    self._steps(frame.records)
                case Sync():
                    self._reports.when_stored(partial(worker.link.synced, frame.number))
                case Logs():
                    self._log_reports[worker.name].log(frame.lines)
                case Finished():
                    self._finished(worker, frame.outcome)
                case Progress():
                    self._progressed(frame)
                case RunChild() | DropChild() | WaitForEvent() | DropWait():
                    self._calls.take(worker, frame, self._attempt)
                case Spent():
                    told = {"worker": worker.name, "reason": frame.reason}
                    _log.warning("worker is replaced", extra={"action": "worker_spent", **told})
                    worker.retire()
                case Heartbeat() | Hello():
                    pass

    def worker_back(self, worker: Worker) -> None:
        """It is heard of again after a silence, and can take attempts."""
        self._looks.again()

    async def worker_gone(self, worker: Worker, how: str) -> None:
        """Its attempts are lost, but for those whose end it had reported; its log and what its
        steps had finished are stored first.
        """
        reports = self._log_reports.pop(worker.name)
        await reports.aclose()
        await self._reports.stored()
        lost = [
            attempt.tasklet
            for attempt in self._attempts.values()
            if attempt.worker is worker and not attempt.reported
        ]
        if lost:
            await self._lose(lost, how)

    async def _dispatch(self) -> None:
        """Claim whenever a run may be ready and a slot is free: woken, never polled."""
        timer: TimerHandle | None = None
        loop = asyncio.get_running_loop()
        while True:
            await self._looks.due()
            if timer is not None:
                timer.cancel()
            try:
                due = await self._claim_all()
            except StoreUnavailable as error:
                _log.error(
                    "store unavailable, claims wait",
                    extra={"action": "claims_wait", "reason": str(error)},
                )
                due = self._clock.now() + RETRY_SEC
            if due is not None:
                timer = loop.call_later(max(0.0, due - self._clock.now()), self._looks.again)

    async def _claim_all(self) -> float | None:
        """Fill the free slots; answers when to look again, if a delayed run will be due."""
        while self._claiming or self._calls.awaited():
            async with self._handing_over:
                places = free_slots(self._supervisor.workers(), self._clock.monotonic())
                count = await self._fill(places) if places else 0
            if not places:
                return None
            if count < len(places):
                self._looks.has_room = True
                return await self._claims.next_due()
        return None

    async def _fill(self, places: Sequence[Worker]) -> int:
        """Claim runs for these slots, and hand them over; answers how many there were."""
        attempts = await self._claim(places)
        # A worker may have ended meanwhile: its attempts were counted then, and these were not yet.
        lost = [each.tasklet for each in attempts if each.worker.name not in self._log_reports]
        if lost:
            await self._lose(lost, "the worker ended before the run began")
        for attempt in attempts:
            await self._hand_over(attempt)
        for worker in {attempt.worker for attempt in attempts}:
            worker.link.flush()
        return len(attempts)

    async def _claim(self, places: Sequence[Worker]) -> list[Attempt]:
        """Attempts for these slots; while the system stops, those that others wait for only."""
        among = None if self._claiming else self._calls.awaited()
        self._early_cancels = {}
        kept = dict.fromkeys(places)
        for worker in kept:
            worker.keep()
        try:
            names = [worker.name for worker in places]
            tasklets = await self._claims.claim(names, among, self._plan.served())
            return [
                self._register(tasklet, worker)
                for tasklet, worker in zip(tasklets, places, strict=False)
            ]
        finally:
            self._early_cancels = None
            for worker in kept:
                worker.let_go()

    def _register(self, tasklet: Tasklet, worker: Worker) -> Attempt:
        if (lost := self._attempts.get(tasklet.cid)) is not None:
            self._release(tasklet.cid, lost.tasklet.attempt)
        attempt = self._attempts[tasklet.cid] = Attempt(tasklet, worker, self._looks)
        self._none_left.clear()
        if (cancel_by := (self._early_cancels or {}).get(tasklet.cid)) is not None:
            attempt.ends_by(cancel_by)
        return attempt

    async def _hand_over(self, attempt: Attempt) -> None:
        tasklet, worker = attempt.tasklet, attempt.worker
        definition, finished = await self._briefings.of(tasklet)
        if not await self._claims.may_begin(attempt):
            self._release(tasklet.cid, tasklet.attempt)
        if self._attempts.get(tasklet.cid) is not attempt:
            return  # the worker went away meanwhile, and the attempt with it
        if definition is None:
            self._finished(worker, task_gone(tasklet, self._clock.now()))
            return
        try:
            hidden = self._vault.unseal(tasklet.sealed) if tasklet.sealed else None
        except SealBroken as error:
            told = RunError(type="SealBroken", message=str(error))
            self._finished(worker, refused(tasklet, told, self._clock.now()))
            return
        if self._spans is not None:
            trace = self._spans.attempt(tasklet, worker.name)
            tasklet = replace(tasklet, trace=trace, has_spans=True)
        worker.link.start(tasklet, definition, finished, hidden)
        attempt.handed_over = True
        if attempt.cancel_by is not None:
            self._send_cancel(attempt)

    def _steps(self, records: Sequence[StepRecord]) -> None:
        for record in records:
            self._reports.step(record)
            if (attempt := self._attempts.get(record.cid)) is not None:
                attempt.step(record)

    def _progressed(self, progress: Progress) -> None:
        if (attempt := self._attempts.get(progress.cid)) is not None:
            attempt.progress = progress

    def _finished(self, worker: Worker, outcome: Outcome) -> None:
        attempt = self._attempt(outcome.cid, outcome.attempt)
        reports = self._log_reports.get(worker.name)
        if reports is not None:
            reports.finished(outcome)
        else:  # the worker went away while the attempt was on its way to it: it has no log
            self._reports.outcome(outcome)
        if attempt is not None:  # now: the next claim shares the transaction of this end
            attempt.report()

    def _attempt(self, cid: str, number: int) -> Attempt | None:
        attempt = self._attempts.get(cid)
        return attempt if attempt is not None and attempt.tasklet.attempt == number else None

    def _send_cancel(self, attempt: Attempt) -> None:
        loop, tasklet = asyncio.get_running_loop(), attempt.tasklet
        grace_sec = max(0.0, (attempt.cancel_by or 0.0) - loop.time())
        attempt.worker.link.cancel(tasklet.cid, tasklet.attempt, grace_sec)
        attempt.enforce(
            loop.call_later(grace_sec + CANCEL_MARGIN_SEC, self._enforce_cancel, attempt)
        )

    def _enforce_cancel(self, attempt: Attempt) -> None:
        cid = attempt.tasklet.cid
        if self._attempts.get(cid) is attempt and not attempt.reported:
            attempt.worker.kill(f"the worker was killed, because run {cid} did not end when asked")

    def _attempts_ended(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._release(outcome.cid, outcome.attempt)

    def _release(self, cid: str, number: int) -> None:
        attempt = self._attempt(cid, number)
        if attempt is None:
            return
        del self._attempts[cid]
        self._claims.is_over(attempt.tasklet)
        self._calls.forget(attempt)
        attempt.end()
        if not self._attempts:
            self._none_left.set()

    async def _lose(self, tasklets: Sequence[Tasklet], how: str) -> None:
        lost = [(tasklet.cid, tasklet.attempt) for tasklet in tasklets]
        extra = {"action": "attempts_lost", "cids": [cid for cid, _ in lost], "how": how}
        _log.warning("attempts lost", extra=extra)
        lose = partial(self._runs.lose, lost, reason=how)
        complaint = "store unavailable, attempts that were lost wait"
        await persist(lose, self._clock, _log, complaint, action="losses_wait")
        for cid, number in lost:
            self._release(cid, number)
