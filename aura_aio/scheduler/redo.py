"""Which steps of a finished run are done over, and which are kept; pure.

May import model only.
"""

from collections.abc import Mapping
from enum import StrEnum
from graphlib import TopologicalSorter
from typing import Final

import msgspec

from aura_aio.model.errors import UnknownStep
from aura_aio.model.plan import Step, StepStatus, Task, steps_named

START: Final = "start"
FAILED: Final = "failed"
"""The words that stand for no step of their name: from the beginning, and what did not succeed."""


class Redoing(StrEnum):
    """What becomes of a step when its run is done over."""

    RUN = "run"
    REUSE = "reuse"
    """It had succeeded: its output is kept."""
    SKIP = "skip"
    """It was skipped, and stays so."""


class StepToDo(msgspec.Struct, frozen=True):
    """What a new run does with a step, and why, in a sentence."""

    step: str
    action: Redoing
    why: str


_KEPT: Final[Mapping[str, StepToDo]] = {
    StepStatus.SUCCESS: StepToDo("", Redoing.REUSE, "It has succeeded; its output is kept."),
    StepStatus.SKIPPED: StepToDo("", Redoing.SKIP, "It was skipped; that stays so."),
}
_UNKEPT: Final[Mapping[str, str]] = {
    StepStatus.FAILED: "It has failed.",
    StepStatus.CANCELLED: "It was cancelled.",
    StepStatus.RUNNING: "It was cut off.",
}


def steps_in_order(task: Task) -> tuple[Step, ...]:
    """The steps of `task`, each behind those that its condition names."""
    steps = {step.name: step for step in task.steps}
    graph = {name: _named(step) for name, step in steps.items()}
    return tuple(steps[name] for name in TopologicalSorter(graph).static_order())


def redo(
    task: Task, earlier: Task, statuses: Mapping[str, str], start: str
) -> tuple[StepToDo, ...]:
    """What a run of `task` does with each step, in their order, that does over a run of `earlier`
    whose steps had ended with `statuses`.

    A step is run if it is `start`, if it has not succeeded and was not skipped, if it is not as it
    was in `earlier`, or if its condition names one that is run, directly or not. With `START` all
    are.

    Raises:
        UnknownStep: `start` is none of the task's.
    """
    known = {step.name for step in task.steps}
    if start not in {START, FAILED, *known}:
        raise UnknownStep(task.full_task_id, start, known)
    before = {step.name: step for step in earlier.steps}
    found: dict[str, StepToDo] = {}
    for step in steps_in_order(task):
        why = _why_again(step, before.get(step.name), statuses.get(step.name), start)
        again = [each for each in _named(step) if found[each].action is Redoing.RUN]
        if why is None and again:
            why = f"It depends on {again[0]!r}, which is run."
        if why is None:
            kept = _KEPT[statuses[step.name]]
            found[step.name] = msgspec.structs.replace(kept, step=step.name)
        else:
            found[step.name] = StepToDo(step.name, Redoing.RUN, why)
    return tuple(found.values())


def _why_again(step: Step, before: Step | None, status: str | None, start: str) -> str | None:
    """Why a step is run whatever becomes of the others, or None."""
    if start == START:
        return "The run begins from its start."
    if start == step.name:
        return "The run is to begin with it."
    if before is None:
        return "The earlier run did not have it."
    if before != step:
        return "It is not as it was in the earlier run."
    if status not in _KEPT:
        return _UNKEPT.get(status or "", "It was not reached.")
    return None


def _named(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(steps_named(step.depends_on))) if step.depends_on else ()
