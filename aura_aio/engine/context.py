"""What an action can ask of the run that calls it, and how its output finds that run.

May import model, run_settings, and of `engine` `children`, `events`, `journal` and `state` only: it
stands behind `import aura_aio`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import msgspec

from aura_aio.engine.children import ChildRuns
from aura_aio.engine.events import Events
from aura_aio.engine.journal import Reports
from aura_aio.engine.state import State
from aura_aio.model.clock import Clock
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.trace import TraceContext, span_id
from aura_aio.run_settings import RunSettings

current_call: ContextVar["ActionContext | None"] = ContextVar("current_call", default=None)
"""The call of an action that the running code belongs to, if any."""

_LEVELS: Final = {level.value: level for level in LogLevel} | {"warn": LogLevel.WARNING}


class RunIdentity(msgspec.Struct, frozen=True):
    """Which attempt of which run speaks, where, and what it may use; with `has_spans`, `trace` is
    its span.
    """

    cid: str
    plan_name: str
    task_name: str
    attempt: int
    worker: str
    trace: TraceContext | None = None
    has_spans: bool = False
    allowed: RunSettings = RunSettings()


class ActionContext:
    """One call of an action; given to a parameter that has it as its annotation.

    Its methods may be called from any thread. Once the run has ended, nothing comes of them.
    """

    __slots__ = (
        "_data_root", "_journal", "action", "cancelled", "child_runs", "clock", "events", "hide",
        "partial_lines", "run", "state", "step", "tries", "turn",
    )  # fmt: skip

    def __init__(
        self,
        run: RunIdentity,
        *,
        step: str,
        action: str,
        journal: Reports,
        clock: Clock,
        data_root: Path,
    ) -> None:
        self.run = run
        self.step = step
        """The step that calls the action."""
        self.action = action
        """The name of the action."""
        self.turn: int | None = None
        """Which turn of the step's loop it is, from 0; None without a loop."""
        self.tries = 1
        """Which try of the step (or of its turn) it is, from 1: more after a failure or a result
        that was refused.
        """
        self.child_runs: ChildRuns | None = None
        """How `aura.run_task` starts child runs; not for actions of plans."""
        self.state = State()
        """What the plan keeps between its runs: a mapping of JSON values. Changes are kept with the
        step's result when the step succeeds, and dropped when it does not. What is read is a copy:
        set it again after changing it.
        """
        self.hide: Callable[[str], str] = str
        """Gives a text back with `***` in place of the run's secrets. All that is logged and kept
        goes through it by itself; a file that the action writes does not.
        """
        self.events: Events | None = None
        """How `wait.for_event` waits; not for actions of plans."""
        self.clock = clock
        """Where the action gets the time from."""
        self.cancelled = False
        """Whether the action should end: its run is cancelled, or its time is over. A `def` action
        that takes long looks here now and then; an `async def` one is interrupted anyway.
        """
        self.partial_lines: dict[tuple[str, int], str] = {}
        """What was printed without the end of the line, by stream and thread (`engine.capture`)."""
        self._journal = journal
        self._data_root = data_root

    @property
    def cid(self) -> str:
        """The id of the run."""
        return self.run.cid

    @property
    def plan_name(self) -> str:
        """The plan of the run's task."""
        return self.run.plan_name

    @property
    def task_name(self) -> str:
        """The task that runs."""
        return self.run.task_name

    @property
    def attempt(self) -> int:
        """The attempt of the run: 1, and more after a worker was lost."""
        return self.run.attempt

    @property
    def trace(self) -> TraceContext | None:
        """Where in which trace this call belongs: at the span of its step if the server makes
        spans, else where the run does; None for a run that was started without a trace then.
        """
        run = self.run
        if run.trace is None or not run.has_spans:
            return run.trace
        return run.trace.within(span_id(run.cid, run.attempt, self.step))

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context that the call belongs to, to be sent on as the header of that name;
        None if there is none.
        """
        trace = self.trace
        return None if trace is None else trace.parent

    @property
    def tracestate(self) -> str | None:
        """What is to be sent on as the header of that name beside `traceparent`; None if nothing
        is.
        """
        trace = self.trace
        return None if trace is None else trace.state

    @property
    def data_dir(self) -> Path:
        """The folder for the files of this plan, which exists."""
        folder = self._data_root / "plans" / self.run.plan_name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, message: object, level: str = "info", **data: Any) -> None:
        """Write a line to the run's log.

        `level` is debug, info, warning, error or critical; `data` are values that belong to the
        line: what is no JSON is written as its `repr`.

        Raises:
            ValueError: there is no such level.
        """
        self.write_line(log_level(level), str(message), logger=self.action, data=data)

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell how far the run has come, from 0 to 1.

        Raises:
            ValueError: `fraction` is no number from 0 to 1.
        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"Progress goes from 0 to 1: {fraction} does not fit.")
        self._journal.progress(self.run.cid, float(fraction), message)

    def write_line(
        self, level: LogLevel, message: str, *, logger: str, data: dict[str, Any] | None = None
    ) -> None:
        """Write a line in the name of `logger`: what `print` and `logging` say, for example."""
        run = self.run
        self._journal.log(
            LogLine(
                timestamp=self.clock.now(),
                level=level,
                logger=logger,
                message=portable_text(self.hide(message), run.allowed.max_line_chars),
                cid=run.cid,
                plan_name=run.plan_name,
                task_name=run.task_name,
                step=self.step,
                attempt=run.attempt,
                worker=run.worker,
                data=self._portable(data) if data else None,
            )
        )

    def _portable(self, data: dict[str, Any]) -> dict[str, Any]:
        most = self.run.allowed.max_line_chars
        return {key: _portable(value, self.hide, most) for key, value in data.items()}


def log_level(name: str) -> LogLevel:
    """The level of this name, whose letters may be large, as the earlier Aura had them.

    Raises:
        ValueError: there is none.
    """
    level = _LEVELS.get(name.lower())
    if level is None:
        raise ValueError(f"There is no log level {name!r}; there is {', '.join(LogLevel)}.")
    return level


def portable_text(text: str, most: int) -> str:
    """`text` as it can be stored and sent: at the most `most` characters, and no half surrogate
    pairs (Python has them in file names that are no UTF-8).
    """
    if len(text) > most:
        text = f"{text[:most]}… (cut: there were {len(text):,} characters)"
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _portable(value: Any, hide: Callable[[str], str], most: int) -> Any:
    if value is None or type(value) in {bool, float}:
        return value
    try:
        plain = msgspec.to_builtins(value, str_keys=True)
        if len(msgspec.msgpack.encode(plain)) <= most:
            return plain
    except Exception:  # noqa: S110 - whatever an action logs, it must not fail for that
        pass
    return _repr(value, hide, most // 4)


def _repr(value: Any, hide: Callable[[str], str], most: int) -> str:
    try:
        return portable_text(hide(repr(value)), most)
    except Exception:  # a `__repr__` is the plan's own code
        return f"<{type(value).__name__} without a repr>"
