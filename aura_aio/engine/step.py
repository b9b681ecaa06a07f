"""One step of one attempt: when → params → action, with retries → outputs.

May import model, catalog, and of `engine` all but `runner`.
"""

import asyncio
import random
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from aura_aio.catalog.actions import LoadedAction
from aura_aio.engine.attempt import Attempt
from aura_aio.engine.call_log import CallLog
from aura_aio.engine.definitions import ReadyStep
from aura_aio.engine.executors import Call, execute
from aura_aio.engine.failures import (
    ActionNotImported,
    Escaped,
    ResultRefused,
    RunFailure,
    kind,
    run_error,
    sentence,
)
from aura_aio.engine.graph import Standing
from aura_aio.engine.isolation.calls import IsolatedCall, call_in_process
from aura_aio.engine.loops import Turn, run_loop
from aura_aio.engine.results import as_stored, to_json
from aura_aio.engine.retry import wait_after_exception, wait_after_result
from aura_aio.engine.state import State
from aura_aio.engine.templates import own_copy, render, truth
from aura_aio.model import json
from aura_aio.model.log import LogLevel
from aura_aio.model.plan import Isolation, StepStatus
from aura_aio.model.run import RunError, StepRecord


class _Try(NamedTuple):
    """One call of the action: what it sees of the plan's state, and where in the step it is."""

    state: State
    turn: int | None
    number: int


class StepRun:
    """Carries out a step, once."""

    def __init__(self, step: ReadyStep, attempt: Attempt) -> None:
        self._step = step
        self._attempt = attempt
        self._clock = attempt.parts.clock
        self._started_at: float | None = None
        self._tries = 0
        self._state = State(attempt.state)
        self._calls = CallLog(attempt.parts.clock)
        self.error: RunError | None = None
        """Why it failed, once it has."""

    async def run(self, on_start: Callable[[], None]) -> Standing:
        """Carry the step out, and report its start and its end; `on_start` is called when it is
        clear that it is not skipped.

        Raises:
            asyncio.CancelledError: the attempt is stopping; that is reported too.
        """
        try:
            try:
                return await self._carry_out(on_start)
            except Exception as error:  # an action may raise what it likes
                await self._fail(error)
                return Standing.FAILED
        except asyncio.CancelledError:
            self._report(StepStatus.CANCELLED)
            raise

    def skip(self) -> None:
        """Report that the step never starts: what it waits for does not come about."""
        self._report(StepStatus.SKIPPED)

    def give_up(self) -> None:
        """Report the end of a step that does not end when it is cancelled."""
        self._report(StepStatus.CANCELLED)

    async def _carry_out(self, on_start: Callable[[], None]) -> Standing:
        await self._attempt.ready_for_step()
        if self._step.when is not None and not truth(self._step.when, self._attempt.names):
            self._report(StepStatus.SKIPPED)
            return Standing.SKIPPED
        self._started_at = self._clock.now()
        self._report(StepStatus.RUNNING, is_over=False)
        on_start()
        self._finish(await self._work())
        return Standing.SUCCESS

    async def _work(self) -> Any:
        """What the step keeps: the result, the outputs, or a list of them for a loop."""
        action = self._attempt.action(self._step)

        async def take_turn(names: dict[str, Any]) -> Turn:
            return await self._turn(action, names)

        if self._step.step.loop is not None:
            kept: Any = await run_loop(self._step, self._attempt, take_turn)
        else:
            kept = (await take_turn(self._attempt.names)).kept
        if self._attempt.stopping:  # an action that was interrupted, and ended as if it was not
            raise asyncio.CancelledError
        return kept

    async def _turn(self, action: LoadedAction, names: dict[str, Any]) -> Turn:
        step = self._step
        params = render(step.params, names)
        if step.note is not None:
            note = str(render(step.note, {**names, "params": params}))
            self._attempt.log(step.name, LogLevel.INFO, note)
        result = await self._call_until_accepted(action, params, names)
        if step.outputs is None:
            return Turn(result, result)
        return Turn(result, render(step.outputs, {**names, "result": result}))

    async def _call_until_accepted(
        self, action: LoadedAction, params: dict[str, Any], names: dict[str, Any]
    ) -> Any:
        """The first result that neither an exception nor `retry_when` spoils."""
        step = self._step.step
        turn = names["loop"]["index"] if step.loop is not None else None
        failures = refusals = 0
        while True:
            self._tries += 1
            state = State(self._state)
            try:
                one = _Try(state, turn, failures + refusals + 1)
                with self._calls.call(names, one.number):
                    result = await self._call(action, params, one)
            except (RunFailure, ActionNotImported):
                raise
            except Exception as error:  # an action may raise what it likes
                if self._attempt.stopping:
                    raise
                failures += 1
                reason = error.error if isinstance(error, Escaped) else error
                chance = random.random()  # noqa: S311 - spreads retries, guards no secret
                wait = wait_after_exception(step.on_exception, failures, reason, chance=chance)
                if wait is None:
                    raise
                await self._pause(wait, f"{kind(reason)}: {sentence(reason)}")
                continue
            scope = {**names, "result": result, "attempt": failures + refusals + 1}
            if step.on_result is None or not truth(self._step.retry_when, scope):
                self._state.take(state.changes)
                return result
            refusals += 1
            wait = wait_after_result(step.on_result, refusals)
            if wait is None:
                raise ResultRefused(
                    f"The result was refused by retry_when, and still after {refusals - 1} retries."
                )
            await self._pause(wait, "the result was refused by retry_when")

    async def _call(self, action: LoadedAction, params: dict[str, Any], one: _Try) -> Any:
        attempt, step = self._attempt, self._step.step
        limit_sec = step.timeout_sec or action.timeout_sec
        context = attempt.begin_call(self._step, action, one.state)
        context.turn, context.tries = one.turn, one.number
        try:
            if Isolation.PROCESS in {step.isolation, action.isolation}:
                return await call_in_process(
                    IsolatedCall(action, params, context), attempt, limit_sec
                )
            binder = attempt.parts.definitions.binder(action)
            arguments = binder.bind(own_copy(params), context)
            call = Call(action.function, binder.is_async, arguments, context)
            return await execute(call, attempt, limit_sec)
        finally:
            attempt.end_call(context)

    async def _pause(self, seconds: float, reason: str) -> None:
        message = f"Try {self._tries} failed ({reason}). The next one is in {seconds:.3g} s."
        self._attempt.log(self._step.name, LogLevel.WARNING, message)
        await self._clock.sleep(seconds)

    def _finish(self, kept: Any) -> None:
        name = self._step.name
        most = self._attempt.run.allowed.max_result_bytes
        given = to_json(kept, f"The result of step {name!r}", most)
        text = self._attempt.mask.json(given)
        stored = as_stored(kept, text) if text is given else json.loads(text)
        self._attempt.keep(self._state.changes)
        self._report(StepStatus.SUCCESS, output=text)
        self._attempt.keep_output(self._step, stored)

    async def _fail(self, error: Exception) -> None:
        name = self._step.name
        self._attempt.failed.append(name)
        self._started_at = self._started_at or self._clock.now()
        if isinstance(error, MemoryError):  # let go of what took it all, to have some for telling
            traceback.clear_frames(error.__traceback__)
        if isinstance(error, RunFailure):
            self.error = self._told(error)
        else:  # the traceback is read from source files
            self.error = await asyncio.to_thread(self._told, error)
        if self._attempt.stopping:
            self._report(StepStatus.CANCELLED)
            return
        message = f"Step {name!r} failed: {self.error.type}: {self.error.message}"
        self._attempt.log(name, LogLevel.ERROR, message)
        self._report(StepStatus.FAILED)

    def _told(self, error: Exception) -> RunError:
        return run_error(error, self._step.name, hide=self._attempt.mask.text)

    def _report(
        self, status: StepStatus, *, is_over: bool = True, output: bytes | None = None
    ) -> None:
        run = self._attempt.run
        self._attempt.record(
            StepRecord(
                cid=run.cid,
                attempt=run.attempt,
                step=self._step.name,
                status=status.value,
                started_at=self._started_at,
                finished_at=self._clock.now() if is_over else None,
                tries=self._tries,
                output=output,
                error=self.error,
                state=self._state.changes if status is StepStatus.SUCCESS else {},
                worker=run.worker,
                calls=self._calls.worth_telling() if is_over else (),
            )
        )
