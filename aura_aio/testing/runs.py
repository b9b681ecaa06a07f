"""What a run in a test came to: its end, its steps, its log.

May import msgspec and the model.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from aura_aio.model import json
from aura_aio.model.children import ChildEnd
from aura_aio.model.log import LogLine
from aura_aio.model.origin import Origin
from aura_aio.model.plan import StepStatus, Task
from aura_aio.model.run import RunError, StepRecord


class StepOfRun(msgspec.Struct, frozen=True):
    """A step after the run: its status (a value of `StepStatus`), what later steps see as its
    output, and how often its action was called.
    """

    status: str = StepStatus.PENDING.value
    output: Any = None
    tries: int = 0
    error: RunError | None = None


class FinishedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended: `status` is a value of `RunState`, `took_sec` are seconds of the test's
    clock.

    `steps` has all steps of the task. `progress` are the fractions and messages that actions told.
    `inputs` are those of the run, complete with defaults, and with `***` for what is secret.
    `children` are the runs that its steps have started with `aura.run_task`, in that order.
    """

    task: str
    status: str
    result: Any
    error: RunError | None
    steps: Mapping[str, StepOfRun]
    log: tuple[LogLine, ...]
    progress: tuple[tuple[float, str], ...]
    began_at: float
    took_sec: float
    inputs: Mapping[str, Any]
    children: "tuple[FinishedRun, ...]" = ()

    def messages(self, step: str | None = None) -> list[str]:
        """The messages of the log, or of the lines of one step, in order."""
        return [line.message for line in self.log if step is None or line.step == step]

    def __repr__(self) -> str:
        why = f": {_told(self.error)}" if self.error is not None else ""
        return f"<run of {self.task}: {self.status}{why}>"

    def report(self) -> str:
        """The log, each line with its time since the beginning, and how the run ended."""
        lines = [
            f"{line.timestamp - self.began_at:9.3f} s  {line.level.value:<8} "
            f"{line.step or '-'}  {line.message}"
            for line in self.log
        ]
        lines.append(f"{self.took_sec:9.3f} s  {self.status}")
        if self.error is not None:
            lines += [_told(self.error), self.error.traceback or ""]
        told = "\n".join(lines).rstrip() + "\n"
        for child in self.children:
            told += f"\nchild run of {child.task}\n{child.report()}"
        return told


class RunTask(Protocol):
    """The fixture `run_task`."""

    def __call__(
        self,
        task: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        timeout_sec: float | None = None,
        origin: Origin | None = None,
    ) -> FinishedRun:
        """Run a task of the plan to its end, whatever that is; paths in `inputs` become text.
        `origin` is what starts it (`initial` in templates), if that is no client.

        Raises:
            InputsRejected: the inputs do not fit the task.
            TaskNotFound: the plan has no such task.
            AssertionError: the plan has faults; or a step has sent a request that the test has no
                answer for.
        """
        ...


class RunAction(Protocol):
    """The fixture `run_action`."""

    def __call__(self, action: str, /, **params: Any) -> FinishedRun:
        """Call an action, as a step with `params` does; the run's result is the action's.

        Raises as `RunTask`; an unknown action fails the run.
        """
        ...


def finished_run(
    task: Task,
    *,
    end: ChildEnd,
    notebook: "Notebook",
    inputs: Mapping[str, Any],
    times: tuple[float, float],
    children: Iterable[FinishedRun],
) -> FinishedRun:
    """What a run came to; `times` are when it began, and how long it took."""
    steps = {step.name: StepOfRun() for step in task.steps}
    for name, record in notebook.records.items():
        output = None if record.output is None else json.loads(record.output)
        steps[name] = StepOfRun(record.status, output, record.tries, record.error)
    began_at, took_sec = times
    return FinishedRun(
        task=task.full_task_id,
        status=end.state.value,
        result=None if end.result is None else json.loads(end.result),
        error=end.error,
        steps=steps,
        log=tuple(notebook.lines),
        progress=tuple(notebook.told),
        began_at=began_at,
        took_sec=took_sec,
        inputs=inputs,
        children=tuple(children),
    )


def _told(error: RunError) -> str:
    place = f" in step {error.step}" if error.step is not None else ""
    return f"{error.type}{place}: {error.message}"


class Notebook:
    """The Journal of a run in a test: it keeps all it is told."""

    def __init__(self, state: dict[str, Any]) -> None:
        """`state` is what the plan keeps, which the steps change."""
        self._state = state
        self.lines: list[LogLine] = []
        self.records: dict[str, StepRecord] = {}
        """The last record of each step."""
        self.told: list[tuple[float, str]] = []
        """How far the run had come, and the message."""

    def log(self, line: LogLine) -> None:
        """Keep a line."""
        self.lines.append(line)

    def step(self, record: StepRecord) -> None:
        """Keep what a step did."""
        self.records[record.step] = record
        for key, text in record.state.items():
            if text is None:
                self._state.pop(key, None)
            else:
                self._state[key] = json.loads(text)

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Keep how far the run has come."""
        self.told.append((fraction, message))

    async def room(self) -> None:
        """There always is."""

    async def synced(self) -> None:
        """What it is told is kept at once."""
