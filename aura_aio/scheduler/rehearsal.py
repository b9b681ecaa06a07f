"""What a task would do if it was run now: nothing is stored, no action is called.

May import the rest of `scheduler` and model only.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from aura_aio.model import limits
from aura_aio.model.plan import AllOf, Dependency, DependsOn, Step, Task
from aura_aio.model.run import Run, Tasklet
from aura_aio.model.states import RunState
from aura_aio.scheduler.redo import steps_in_order
from aura_aio.scheduler.waiting import CODES, Waiting, WaitingCode

Foresee = Callable[[Task, Mapping[str, Any]], Awaitable[Mapping[str, bool]]]
"""What `when` is of those steps of a task for which checked inputs decide it, by step."""


class Outlook(StrEnum):
    """What is known beforehand of whether a step will run."""

    RUN = "run"
    """It runs, unless a step fails that it waits for, or its `when` cannot be rendered."""
    SKIP = "skip"
    """Its `when` is false."""
    OPEN = "open"
    """That depends on what is known only during the run."""


class StepOutlook(msgspec.Struct, frozen=True):
    """What is known beforehand of a step, and why, in a sentence."""

    step: str
    action: str
    outlook: Outlook
    why: str


class LimitNeeded(msgspec.Struct, frozen=True):
    """A limit that the run would need: for which reason it may wait, on what, of which there are
    `most`; `is_full`: it would wait for it now.
    """

    code: WaitingCode
    resource: str | None
    most: int
    is_full: bool


class Rehearsal(msgspec.Struct, frozen=True):
    """What a run would be: of which task, with which inputs (JSON text, secrets masked), its steps
    behind those that they depend on, where it would stand in the queue, what it would need.
    """

    plan_name: str
    task_name: str
    definition_digest: str
    inputs: bytes
    steps: tuple[StepOutlook, ...]
    waiting: Waiting
    limits: tuple[LimitNeeded, ...]


def rehearsal(
    tasklet: Tasklet, task: Task, waiting: Waiting, foreseen: Mapping[str, bool]
) -> Rehearsal:
    """What the run of `tasklet` would be, if it waited so; `foreseen` is what `when` of some steps
    will be.
    """
    return Rehearsal(
        plan_name=tasklet.plan_name,
        task_name=tasklet.task_name,
        definition_digest=tasklet.definition_digest,
        inputs=tasklet.inputs,
        steps=tuple(_outlook(step, foreseen.get(step.name)) for step in steps_in_order(task)),
        waiting=waiting,
        limits=tuple(_limits(tasklet, waiting)),
    )


def as_queued(tasklet: Tasklet) -> Run:
    """The run that would be in the queue, last among its equals."""
    return Run(
        cid=tasklet.cid,
        plan_name=tasklet.plan_name,
        task_name=tasklet.task_name,
        state=RunState.QUEUED,
        attempt=1,
        priority=tasklet.priority,
        rank=0,
        arrival=tasklet.cid,
        definition_digest=tasklet.definition_digest,
        created_at=tasklet.accepted_at,
        run_at=tasklet.run_at,
        limits=tasklet.limits,
        plan_digest=tasklet.plan_digest,
    )


def _limits(tasklet: Tasklet, waiting: Waiting) -> Iterator[LimitNeeded]:
    full = {(reason.code, reason.resource) for reason in waiting.reasons}
    for limit in tasklet.limits:
        kind, name = limits.kind_and_name(limit.key)
        code = CODES[kind]
        yield LimitNeeded(code, name, limit.most, (code, name) in full)


def _outlook(step: Step, foreseen: bool | None) -> StepOutlook:
    when = step.when if isinstance(step.when, bool) else foreseen
    outlook, why = Outlook.RUN, "It waits for nothing."
    if when is False:
        outlook, why = Outlook.SKIP, _about_when(step, "is false")
    elif step.depends_on is not None and not _is_plain(step.depends_on):
        outlook, why = Outlook.OPEN, "It depends on how other steps end."
    elif step.when is not None and when is None:
        outlook, why = Outlook.OPEN, _about_when(step, "is decided when it comes to it")
    elif step.depends_on is not None:
        why = "It runs when what it depends on has not failed."
    elif step.when is not None:
        why = _about_when(step, "is true")
    return StepOutlook(step.name, step.action, outlook, why)


def _about_when(step: Step, what: str) -> str:
    shown = f": {step.when}" if isinstance(step.when, str) else "."
    return f"Its 'when' {what}{shown}"


def _is_plain(condition: Dependency) -> bool:
    """Whether it holds whenever no step fails."""
    if isinstance(condition, DependsOn):
        return condition.statuses is None
    return isinstance(condition, AllOf) and all(map(_is_plain, condition.of))
