"""Events as tasks and actions wait for them: which run's end is meant, and what is told of it.

May import the standard library, msgspec and other modules of `model` only.
"""

from typing import Any, Final, Protocol

import msgspec

from aura_aio.model.run import RunError
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.model.suggestions import did_you_mean

RUN_FINISHED: Final = "run.finished"
"""The event that a run has ended, however it did."""

EVENTS: Final = (RUN_FINISHED,)

ANY_PLAN: Final = "*"
"""In place of the name of a plan: whichever."""

ENDS: Final = tuple(state.value for state in RunState if state in TERMINAL)
"""How runs end, as it is spelled."""


class EventFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which ends of runs are meant: every condition that is set must hold; `statuses` is any of."""

    event: str = RUN_FINISHED
    plan_name: str | None = None
    task_name: str | None = None
    cid: str | None = None
    statuses: tuple[RunState, ...] = ()

    def matches(self, *, plan_name: str, task_name: str, cid: str, status: RunState) -> bool:
        """Whether the end of this run, as `status`, passes every condition."""
        return (
            self.plan_name in (None, plan_name)
            and self.task_name in (None, task_name)
            and self.cid in (None, cid)
            and (not self.statuses or status in self.statuses)
        )


class EventTrigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry under `on` of a task: it is run, with these inputs, after each such event."""

    where: EventFilter
    inputs: dict[str, Any] = {}


class EventWait(msgspec.Struct, frozen=True):
    """The step of an attempt under way waits for the first event that passes `where`."""

    cid: str
    attempt: int
    step: str
    where: EventFilter


class RunEnded(msgspec.Struct, frozen=True, omit_defaults=True):
    """What who waits is told of the end of a run, at `at` (seconds since the epoch); `result` is
    JSON text.
    """

    cid: str
    plan_name: str
    task_name: str
    status: RunState
    at: float
    result: bytes | None = None
    error: RunError | None = None


class Events(Protocol):
    """Where the Dispatcher waits for events on behalf of steps."""

    async def wait(self, where: EventFilter) -> RunEnded:
        """The first end of a run that passes `where` from now on; if that names one run, which has
        ended already, that end.

        Raises:
            RunNotFound, BadReference: there is no such run, plan or task.
            EventPassed: the one run that is meant has ended, and otherwise.
        """
        ...

    @property
    def alive(self) -> bool:
        """Whether who waits is told."""
        ...

    async def aclose(self) -> None:
        """Tell nobody any more."""
        ...


def ends_of(text: str) -> tuple[RunState, ...]:
    """The ends of runs in `failed|timed_out`.

    Raises:
        ValueError: no run ends so; suggests what was meant.
    """
    words = [word.strip().lower() for word in text.split("|")]
    for word in words:
        if word not in ENDS:
            raise ValueError(f"No run ends as {word!r}.{did_you_mean(word, ENDS)}")
    return tuple(map(RunState, words))
