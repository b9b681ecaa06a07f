"""What a worker does between the server's welcome and the end of the link.

May import engine, catalog, the rest of `worker` but the server's end, and model.
"""

import asyncio
import logging
import os
from asyncio import Future, StreamReader, StreamWriter, Task
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from aura_aio.catalog.actions import LoadedAction, load_actions
from aura_aio.catalog.references import split_action
from aura_aio.engine.builtin import builtin_actions
from aura_aio.engine.runner import Runner, RunnerParts
from aura_aio.model.clock import Clock
from aura_aio.model.plan import Definition
from aura_aio.model.plan import Task as TaskDefinition
from aura_aio.model.run import Outcome, RunError, StepRecord, Tasklet
from aura_aio.model.states import RunEvent
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.worker.child_calls import ChildCalls
from aura_aio.worker.event_calls import EventCalls
from aura_aio.worker.frames import (
    Cancel,
    ChildEnded,
    ChildRefused,
    ChildStarted,
    Credit,
    Define,
    Earlier,
    EventCame,
    FrameWriter,
    Heartbeat,
    Hello,
    Spent,
    Start,
    Synced,
    ToCalls,
    ToWorker,
    WaitRefused,
    Welcome,
    read_for_worker,
)
from aura_aio.worker.outbox import Outbox
from aura_aio.worker.watchdog import Watchdog

_log = logging.getLogger("aura.worker.session")

HEARTBEAT_SEC: Final = 1.0


class Session:
    """Executes Tasklets for one server, over one link, until that ends."""

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        clock: Clock,
        start_process: StartProcess = SpawnedProcess,
    ) -> None:
        """`start_process` makes the processes of calls that want their own."""
        self._start_process = start_process
        self._reader = reader
        self._frames = FrameWriter(writer)
        self._clock = clock
        self._definitions: dict[str, TaskDefinition] = {}
        self._needs: dict[str, frozenset[str]] = {}
        self._actions: dict[str, Future[dict[str, LoadedAction]]] = {}
        self._earlier: dict[str, list[StepRecord]] = {}
        self._runners: dict[tuple[str, int], Runner] = {}
        self._attempts: set[Task[None]] = set()

    async def serve(self, secret: str) -> None:
        """Introduce the worker, then execute what comes; returns at the end of the link.

        `secret` is what the server gave to the process that it started. What actions print reaches
        their runs while the caller has `captured_output` open.
        """
        self._frames.send(Hello(secret, os.getpid()))
        packet = await read_for_worker(self._reader)
        if not packet or not isinstance(packet[0], Welcome):
            return
        welcome = packet[0]
        self._plans = {plan.plan_name: plan for plan in welcome.plans}
        self._outbox = Outbox(self._frames, log_credit=welcome.log_credit)
        self._child_calls = ChildCalls(self._frames)
        self._event_calls = EventCalls(self._frames)
        threads = ThreadPoolExecutor(
            max_workers=max(32, welcome.slots * 2), thread_name_prefix="action"
        )
        self._importers = ThreadPoolExecutor(
            max_workers=max(1, len(welcome.plans)), thread_name_prefix="import"
        )
        self._parts = RunnerParts(
            journal=self._outbox,
            clock=self._clock,
            worker=welcome.worker,
            data_dir=Path(welcome.data_dir),
            actions=self._action,
            threads=threads,
            events=self._event_calls,
            secrets=welcome.secrets,
            allowed=welcome.allowed,
            builtin=builtin_actions(allow_shell=welcome.allow_shell),
            child_runs=self._child_calls,
            start_process=self._start_process,
        )
        watchdog = Watchdog(stall_sec=welcome.stall_sec)
        heartbeat = asyncio.create_task(self._beat())
        watchdog.start()
        try:
            await self._listen(packet[1:])
        finally:
            watchdog.stop()
            heartbeat.cancel()
            self._outbox.close()
            for attempt in self._attempts:
                attempt.cancel()
            await asyncio.gather(heartbeat, *self._attempts, return_exceptions=True)
            for pool in (threads, self._importers):
                pool.shutdown(wait=False, cancel_futures=True)
            await self._frames.aclose()

    async def _listen(self, packet: tuple[ToWorker, ...]) -> None:
        for frame in packet:
            self._take(frame)
        while packet := await read_for_worker(self._reader):
            for frame in packet:
                self._take(frame)

    def _take(self, frame: ToWorker) -> None:
        match frame:
            case Start():
                self._start(frame.tasklet, frame.hidden)
            case Earlier():
                self._earlier.setdefault(frame.record.cid, []).append(frame.record)
            case Define():
                self._define(frame.definition)
            case Cancel():
                runner = self._runners.get((frame.cid, frame.attempt))
                if runner is not None:
                    runner.cancel(grace_sec=frame.grace_sec)
            case Credit():
                self._outbox.credited(frame)
            case Synced():
                self._outbox.is_synced(frame)
            case ChildStarted() | ChildRefused() | ChildEnded() | EventCame() | WaitRefused():
                self._answered(frame)
            case Welcome():
                raise ConnectionError("the server welcomed this worker twice")

    def _define(self, definition: Definition) -> None:
        task = definition.task()
        self._definitions[definition.digest] = task
        self._needs[definition.digest] = frozenset(
            split_action(step.action)[0] or task.plan_name for step in task.steps
        )

    def _answered(self, frame: ToCalls) -> None:
        if isinstance(frame, EventCame | WaitRefused):
            self._event_calls.take(frame)
        else:
            self._child_calls.take(frame)

    def _start(self, tasklet: Tasklet, hidden: bytes | None) -> None:
        """Begin an attempt; it can be cancelled from now on, also by the next frame."""
        finished = self._earlier.pop(tasklet.cid, ())
        try:
            task = self._definitions[tasklet.definition_digest]
            runner = Runner(tasklet, task, self._parts, finished, hidden)
        except Exception as error:  # whatever is wrong with this run, the others go on
            self._outbox.finished(self._engine_failed(tasklet, error))
            return
        self._runners[tasklet.cid, tasklet.attempt] = runner
        attempt = asyncio.create_task(self._execute(tasklet, runner))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)

    async def _execute(self, tasklet: Tasklet, runner: Runner) -> None:
        try:
            outcome = await self._outcome(tasklet, runner)
        except Exception as error:  # or the run would never end
            outcome = self._engine_failed(tasklet, error)
        finally:
            del self._runners[tasklet.cid, tasklet.attempt]
        self._outbox.finished(outcome)
        if runner.abandoned:
            self._frames.send(Spent(f"run {tasklet.cid} left code that cannot be stopped"))

    async def _outcome(self, tasklet: Tasklet, runner: Runner) -> Outcome:
        if runner.is_stopping:  # it was cancelled before it began: it needs no actions
            return await runner.run()
        if tasklet.plan_name not in self._plans:
            return self._task_gone(tasklet)
        return await runner.run(self._imports(self._needs[tasklet.definition_digest]))

    def _imports(self, needed: Collection[str]) -> list[Future[dict[str, LoadedAction]]]:
        """The imports of the actions of all plans that a task uses; each is made once, and again
        if it has failed as a whole.

        In a thread, since an import may take seconds, or for ever, and must not hold the loop.
        """
        loop = asyncio.get_running_loop()
        for name in needed:
            if name in self._plans and not _is_loaded(self._actions.get(name)):
                plan = self._plans[name]
                self._actions[name] = loop.run_in_executor(
                    self._importers, load_actions, Path(plan.root), plan.actions
                )
        return [self._actions[name] for name in needed if name in self._actions]

    def _task_gone(self, tasklet: Tasklet) -> Outcome:
        message = f"The plan {tasklet.plan_name!r} is not loaded any more."
        return self._failed(tasklet, RunError("TaskGone", message))

    def _engine_failed(self, tasklet: Tasklet, error: Exception) -> Outcome:
        """The end of a run by a mistake of our own. What was wrong may hold secrets, so that only
        the worker's log has it.
        """
        _log.critical(
            "the engine failed",
            extra={"action": "engine_failed", "cid": tasklet.cid},
            exc_info=error,
        )
        message = "The engine could not carry the run out; the log of its worker says why."
        return self._failed(tasklet, RunError(type(error).__name__, message))

    def _failed(self, tasklet: Tasklet, error: RunError) -> Outcome:
        now = self._clock.now()
        return Outcome(tasklet.cid, tasklet.attempt, RunEvent.FAIL, finished_at=now, error=error)

    def _action(self, plan_name: str, name: str) -> LoadedAction:
        """An action of a plan; KeyError if there is no such plan or action."""
        return self._actions[plan_name].result()[name]

    async def _beat(self) -> None:
        while True:
            self._frames.send(Heartbeat())
            await self._clock.sleep(HEARTBEAT_SEC)


def _is_loaded(loading: Future[Any] | None) -> bool:
    """Whether actions are there, or will be."""
    return loading is not None and not (loading.done() and loading.exception())
