"""What the steps of one attempt share: what they know, what they call, and how they report.

May import model, catalog, and of `engine` what stands below the steps.
"""

import asyncio
from concurrent.futures import Future
from typing import Any, NamedTuple

from aura_aio.catalog.actions import LoadedAction
from aura_aio.catalog.inputs import with_absent
from aura_aio.catalog.secret_inputs import secret_values
from aura_aio.engine.children import AttemptChildRuns
from aura_aio.engine.context import ActionContext, RunIdentity, portable_text
from aura_aio.engine.definitions import ReadyStep, ReadyTask
from aura_aio.engine.failures import ActionMissing, ActionNotImported
from aura_aio.engine.initial import initial
from aura_aio.engine.journal import AttemptJournal
from aura_aio.engine.log_rate import LogRate
from aura_aio.engine.masking import Mask
from aura_aio.engine.nodes import Node, Nodes
from aura_aio.engine.parts import RunnerParts
from aura_aio.engine.sandbox import Named, SecretNames
from aura_aio.engine.state import Changes, State
from aura_aio.model import json
from aura_aio.model.clock import rfc3339
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.run import OnCrash, StepRecord, Tasklet
from aura_aio.model.sealing import hidden_from


class LeftBehind(NamedTuple):
    """A call that did not end with its time; it may until `deadline` (of the loop's clock)."""

    work: "Future[Any] | asyncio.Future[Any]"
    deadline: float


class Attempt:
    """One attempt of a run, as its steps see it."""

    def __init__(
        self, tasklet: Tasklet, task: ReadyTask, parts: RunnerParts, hidden: bytes | None
    ) -> None:
        self.parts = parts
        self.mask = Mask()
        """The secrets of the run: those in `hidden`, and those that templates have asked for."""
        rate = LogRate(parts.allowed.log_lines_per_sec, parts.clock)
        self.journal = AttemptJournal(parts.journal, self.mask, rate)
        self.run = _identity(tasklet, parts)
        inputs = with_absent(task.inputs, self._inputs(tasklet, task, hidden))
        self.nodes = Nodes(task.steps.keys())
        self.state = State.of(tasklet.state, self.mask.text)
        """What the plan keeps, with what the steps of this attempt that succeeded have changed."""
        self.names: dict[str, Any] = {
            "inputs": Named("inputs", inputs),
            "nodes": self.nodes,
            "initial": initial(tasklet.origin),
            "state": Named("state", self.state),
            "secrets": SecretNames(parts.secrets, self.mask.add),
            "run": Named(
                "run",
                {
                    "cid": tasklet.cid,
                    "attempt": tasklet.attempt,
                    "started_at": rfc3339(parts.clock.now()),
                },
            ),
        }
        """What every template sees."""
        self.child_runs = parts.child_runs and AttemptChildRuns(parts.child_runs, self.mask)
        self.calls: set[ActionContext] = set()
        """The calls of actions under way."""
        self.failed: list[str] = []
        """The steps that failed, in that order."""
        self.left_behind: list[LeftBehind] = []
        self.stopping = False
        """Whether the attempt is to end before its steps do."""
        self.deadline = 0.0
        """When it must have ended then, by the clock of the loop."""
        self._resumes = tasklet.on_crash is OnCrash.RESUME
        self._finished = 0
        self._finished_for_good = 0

    def _inputs(self, tasklet: Tasklet, task: ReadyTask, hidden: bytes | None) -> dict[str, Any]:
        inputs: dict[str, Any] = json.loads(tasklet.inputs)
        if hidden is None:
            return inputs
        secret = hidden_from(hidden)
        self.mask.add(secret.passed_on.values)
        self.mask.add(secret_values(task.inputs, secret.inputs, secret.passed_on.inputs))
        return inputs | secret.inputs

    def action(self, step: ReadyStep) -> LoadedAction:
        """The action that a step names.

        Raises:
            ActionMissing: it is not there any more.
            ActionNotImported: its module could not be imported; or it is off.
        """
        plan, name = step.action
        try:
            action = self.parts.actions(plan or self.run.plan_name, name)
        except KeyError:
            builtin = self.parts.builtin.get(name)
            if plan is not None or builtin is None:
                raise ActionMissing(
                    f"The plan {plan or self.run.plan_name!r} has no action {name!r} any more."
                ) from None
            action = builtin
        if action.failure is not None:
            raise ActionNotImported(action.failure)
        return action

    def begin_call(self, step: ReadyStep, action: LoadedAction, state: State) -> ActionContext:
        """The context of a new call that sees `state`; end it with `end_call`."""
        parts = self.parts
        call = ActionContext(
            self.run,
            step=step.name,
            action=action.name,
            journal=self.journal,
            clock=parts.clock,
            data_root=parts.data_dir,
        )
        call.state = state
        call.events = parts.events
        call.hide = self.mask.text
        call.child_runs = self.child_runs
        self.calls.add(call)
        return call

    def end_call(self, call: ActionContext) -> None:
        """Forget a call that has ended."""
        self.calls.discard(call)

    def keep(self, changes: Changes) -> None:
        """Let the steps to come see what one that succeeded has changed in the plan's state."""
        if changes:
            self.state.take(changes)
            self.names["state"] = Named("state", self.state)

    def stop(self) -> None:
        """Ask the calls under way to end."""
        self.stopping = True
        for call in self.calls:
            call.cancelled = True

    def end(self) -> None:
        """What steps and calls say from now on comes too late."""
        self.journal.end()

    def leave_behind(
        self, work: "Future[Any] | asyncio.Future[Any]", *, grace_sec: float = 0.0
    ) -> None:
        """Note a call that did not end with its time, and may still do so for `grace_sec`."""
        deadline = asyncio.get_running_loop().time() + grace_sec
        self.left_behind.append(LeftBehind(work, deadline))

    def log(self, step: str | None, level: LogLevel, message: str) -> None:
        """Write a line of the engine itself to the run's log; an error is never left out."""
        run = self.run
        write = self.journal.always_log if level is LogLevel.ERROR else self.journal.log
        write(
            LogLine(
                timestamp=self.parts.clock.now(),
                level=level,
                logger="aura.engine",
                message=portable_text(self.mask.text(message), run.allowed.max_line_chars),
                cid=run.cid,
                plan_name=run.plan_name,
                task_name=run.task_name,
                step=step,
                attempt=run.attempt,
                worker=run.worker,
            )
        )

    async def ready_for_step(self) -> None:
        """Return when the next step may begin: when the log has room, and, if the run goes on from
        its finished steps after a crash, what is finished is on disk: no step runs a second time
        after another has built on it.
        """
        await self.journal.room()
        finished = self._finished
        if self._resumes and finished > self._finished_for_good:
            await self.journal.synced()
            self._finished_for_good = max(finished, self._finished_for_good)

    def record(self, record: StepRecord) -> None:
        """Report what a step did, and let the templates of other steps see its state."""
        self.show(record)
        self._finished += record.finished_at is not None
        self.journal.step(record)

    def show(self, record: StepRecord) -> None:
        """Let templates see the state of a step."""
        start, end, error = record.started_at, record.finished_at, record.error
        node = self.nodes.get(record.step)
        if node is None:
            node = self.nodes[record.step] = Node(record.step)
        node["run_state"] = {
            "status": record.status.upper(),
            "start_time": start,
            "end_time": end,
            "duration": None if start is None or end is None else end - start,
            "error": None if error is None else {"type": error.type, "message": error.message},
        }

    def keep_output(self, step: ReadyStep, output: Any) -> None:
        """Let templates see what a step gave, which is plain data."""
        node = self.nodes[step.name]
        node["output"] = output
        for key in step.step.outputs or ():
            looped = step.step.loop is not None
            node[key] = [each[key] for each in output] if looped else output[key]


def _identity(tasklet: Tasklet, parts: RunnerParts) -> RunIdentity:
    return RunIdentity(
        tasklet.cid,
        tasklet.plan_name,
        tasklet.task_name,
        tasklet.attempt,
        parts.worker,
        tasklet.trace,
        tasklet.has_spans,
        parts.allowed,
    )
