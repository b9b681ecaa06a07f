"""Walks one task's graph for one attempt, from the first step to the outcome.

May import model, catalog, and the rest of `engine`.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from typing import Any, Final

from msgspec import UNSET

from aura_aio.engine.attempt import Attempt
from aura_aio.engine.earlier import take_over
from aura_aio.engine.failures import run_error
from aura_aio.engine.graph import Standing, Walk
from aura_aio.engine.parts import RunnerParts
from aura_aio.engine.results import to_json
from aura_aio.engine.step import StepRun
from aura_aio.engine.templates import render
from aura_aio.model.plan import Task
from aura_aio.model.run import Outcome, RunError, StepRecord, Tasklet
from aura_aio.model.states import RunEvent

__all__ = ["Runner", "RunnerParts"]

_log = logging.getLogger("aura.engine")

_LAST_CALL_SEC: Final = 0.1
_NO_RETURNS: Final = b"true"
_no_limit: Final = nullcontext()


class Runner:
    """Executes one attempt of a run.

    Its steps are coroutine tasks of its own rather than of a TaskGroup, which would wait for ever
    for an action that swallows its cancellation. The steps of `finished` are over, as earlier
    attempts have left them.
    """

    def __init__(
        self,
        tasklet: Tasklet,
        task: Task,
        parts: RunnerParts,
        finished: Sequence[StepRecord] = (),
        hidden: bytes | None = None,
    ) -> None:
        """`hidden` says what the Tasklet masks (`model.sealing.Hidden`, as JSON text)."""
        self._parts = parts
        self._run = tasklet
        self._task = parts.definitions.task(tasklet.definition_digest, task)
        self._attempt = Attempt(tasklet, self._task, parts, hidden)
        self._walk = Walk(self._task.graph)
        self._finished = finished
        self._over: dict[str, Standing] = {}
        self._limit_sec = tasklet.timeout_sec or self._task.timeout_sec
        self._out_of_time: float | None = None
        self._steps: dict[asyncio.Task[None], StepRun] = {}
        self._open_steps = 0
        self._has_begun = False
        self._bell = asyncio.Event()
        self._stopped_by: RunEvent | None = None
        self._deadline = math.inf
        self._errors: dict[str, RunError] = {}
        self._fault: RunError | None = None
        self.abandoned = False
        """After `run`: whether something was left running that cannot be stopped."""

    async def run(self, imports: Collection[asyncio.Future[Any]] = ()) -> Outcome:
        """Execute the attempt to its end, whatever that is.

        No step begins before `imports` are done, those of the actions. Their time is the run's, and
        one that does not end when the attempt is to stop is left behind, as a thread is.

        Raises:
            asyncio.CancelledError: the task that awaits this was cancelled; nothing else is raised.
        """
        if self._limit_sec is not None:
            self._out_of_time = asyncio.get_running_loop().time() + self._limit_sec
        try:
            await self._until_imported(imports)
            if self._stopped_by is None:
                self._has_begun = True
                self._take_over()
                self._begin(self._walk.begin())
                await self._until(lambda: not self._steps)
                await self._until_stopped()
            await self._until_let_go()
        except asyncio.CancelledError:
            self._attempt.stopping = True
            await self._last_call()
            raise
        finally:
            self._attempt.end()
        return await self._outcome()

    @property
    def is_stopping(self) -> bool:
        """Whether the attempt is to end before its steps do."""
        return self._stopped_by is not None

    def cancel(self, *, grace_sec: float) -> None:
        """End the attempt: as STOPPED, after `grace_sec` at the latest. Async actions are cancelled
        at once, others see `context.cancelled`; both may clean up for so long. Called again, the
        earlier end counts. An attempt whose last step is over ends as if it had not been called.
        """
        self._stop(RunEvent.STOPPED, grace_sec)

    def _take_over(self) -> None:
        self._over = take_over(self._finished, self._task, self._attempt)
        for record in self._finished:
            self._note_failure(record.step, record.error)

    def _begin(self, names: Iterable[str]) -> None:
        """Begin these steps; those that were over before are followed by what they let begin."""
        ready = deque(names)
        while ready:
            name = ready.popleft()
            standing = self._over.get(name)
            if standing is None:
                self._start(name)
            else:
                ready.extend(self._follow(name, standing))
        if not self._steps:
            self._bell.set()

    def _start(self, name: str) -> None:
        step = StepRun(self._task.steps[name], self._attempt)
        task = asyncio.get_running_loop().create_task(self._carry_out(name, step))
        self._steps[task] = step
        self._open_steps += 1
        task.add_done_callback(self._step_ended)

    async def _carry_out(self, name: str, step: StepRun) -> None:
        standing = await step.run(lambda: self._change(name, Standing.RUNNING))
        self._note_failure(name, step.error)
        self._change(name, standing)
        self._open_steps -= 1

    def _change(self, name: str, standing: Standing) -> None:
        """Tell the walk how a step stands, and begin what may begin now."""
        if not self._attempt.stopping:
            self._begin(self._follow(name, standing))

    def _follow(self, name: str, standing: Standing) -> list[str]:
        """Tell the walk how a step stands, and report what is skipped; answers what may begin."""
        moves = self._walk.change(name, standing)
        for skipped in moves.skipped:
            if skipped not in self._over:
                StepRun(self._task.steps[skipped], self._attempt).skip()
        return moves.ready

    def _note_failure(self, name: str, error: RunError | None) -> None:
        if error is not None and name not in self._task.graph.tolerated:
            self._errors[name] = error

    def _step_ended(self, task: asyncio.Task[None]) -> None:
        del self._steps[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = run_error(error)
            _log.critical(
                "the engine failed in a step",
                extra={"action": "engine_failed", "cid": self._run.cid},
                exc_info=error,
            )
        if not self._steps:
            self._bell.set()

    def _stop(self, event: RunEvent, grace_sec: float) -> None:
        self._deadline = min(self._deadline, asyncio.get_running_loop().time() + grace_sec)
        self._attempt.deadline = self._deadline
        is_done = self._has_begun and not self._open_steps
        if self._stopped_by is None and not is_done:
            self._stopped_by = event
            self._attempt.stop()
            for task in self._steps:
                task.cancel()
        self._bell.set()

    async def _until_imported(self, imports: Collection[asyncio.Future[Any]]) -> None:
        """Return when `imports` are done, or the attempt is to stop."""
        unfinished = [each for each in imports if not each.done()]
        if not unfinished:  # as for almost every run
            return
        for each in unfinished:
            each.add_done_callback(self._ring)
        await self._until(lambda: all(each.done() for each in unfinished))
        for each in unfinished:
            if not each.done():
                self._attempt.leave_behind(each, grace_sec=math.inf)

    async def _until(self, is_over: Callable[[], bool]) -> None:
        """Return when it `is_over`, which rings the bell, or the attempt is to stop."""
        try:
            async with asyncio.timeout_at(self._out_of_time) if self._out_of_time else _no_limit:
                while not is_over() and self._stopped_by is None:
                    await self._bell_rings()
        except TimeoutError:
            self._stop(RunEvent.TIME_OUT, self._parts.grace_sec)

    async def _until_stopped(self) -> None:
        """Return when the steps that were cancelled have ended, or were given up."""
        loop = asyncio.get_running_loop()
        while self._steps and self._deadline > loop.time():
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._deadline):
                    await self._bell_rings()
        await self._last_call()

    async def _bell_rings(self) -> None:
        self._bell.clear()
        await self._bell.wait()

    def _ring(self, _: object) -> None:
        self._bell.set()

    async def _last_call(self) -> None:
        """Cancel again what has not ended, and give up what does not end then either."""
        if not self._steps:
            return
        for task in self._steps:
            task.cancel()
        await asyncio.wait(tuple(self._steps), timeout=_LAST_CALL_SEC)
        for step in self._steps.values():
            step.give_up()
            self.abandoned = True

    async def _until_let_go(self) -> None:
        """Return when what was left behind has ended, or its time is over."""
        loop = asyncio.get_running_loop()
        while waiting := [each for each in self._attempt.left_behind if not each.work.done()]:
            deadline = min(self._deadline, max(each.deadline for each in waiting))
            if deadline <= loop.time():
                self.abandoned = True
                return
            threads = [
                asyncio.wrap_future(each.work) for each in waiting if isinstance(each.work, Future)
            ]
            tasks = [each.work for each in waiting if not isinstance(each.work, Future)]
            for each in (*threads, *tasks):
                each.add_done_callback(self._ring)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._bell_rings()
            for waiter in threads:
                waiter.cancel()

    async def _outcome(self) -> Outcome:
        if self._stopped_by is RunEvent.TIME_OUT:
            return self._ended(
                RunEvent.TIME_OUT,
                RunError("TimeoutError", f"The run took longer than {self._limit_sec:g} s."),
            )
        if self._stopped_by is not None:
            error = RunError("Stopped", "The run was stopped before its end.")
            return self._ended(self._stopped_by, error)
        failures = [self._errors[name] for name in self._attempt.failed if name in self._errors]
        if self._fault is not None or failures:
            return self._ended(RunEvent.FAIL, self._fault or failures[0])
        try:
            return self._ended(RunEvent.SUCCEED, result=self._result())
        except Exception as error:  # a template, the result: whatever it is, the run fails
            return self._ended(RunEvent.FAIL, await asyncio.to_thread(self._told, error))

    def _told(self, error: Exception) -> RunError:
        return run_error(error, hide=self._attempt.mask.text)

    def _result(self) -> bytes:
        if self._task.returns is UNSET:
            return _NO_RETURNS
        given = render(self._task.returns, self._attempt.names)
        result = to_json(given, "What 'returns' gives", self._parts.allowed.max_result_bytes)
        return self._attempt.mask.json(result)

    def _ended(
        self, event: RunEvent, error: RunError | None = None, result: bytes | None = None
    ) -> Outcome:
        return Outcome(
            cid=self._run.cid,
            attempt=self._run.attempt,
            event=event,
            finished_at=self._parts.clock.now(),
            result=result,
            error=self._attempt.mask.error(error),
        )
