"""Reads `on` of a task: the events that start it.

May import model, and of `catalog` `fixed_inputs`, `place` and `references`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from aura_aio.catalog.fixed_inputs import FixedInputs, read_fixed_inputs
from aura_aio.catalog.place import Faults, Place
from aura_aio.model.errors import PlanNotFound, TaskNotFound
from aura_aio.model.event import (
    ANY_PLAN,
    EVENTS,
    RUN_FINISHED,
    EventFilter,
    EventTrigger,
    ends_of,
)
from aura_aio.model.plan import LoadError, Task
from aura_aio.model.states import RunState
from aura_aio.model.suggestions import did_you_mean
from aura_aio.model.task_names import task_name

EVENT_FIELDS: Final = ("event", "plan", "task", "status", "inputs")

LookUp = Callable[[str, str | None], None]
"""Raises PlanNotFound or TaskNotFound if there is no such plan, or task in it."""


class FoundTrigger(NamedTuple):
    """An entry of `on`, with the places of its parts."""

    trigger: EventTrigger
    inputs: FixedInputs
    fields: dict[str, Place]


class Awaited(NamedTuple):
    """A plan, and perhaps a task, that an `on` in `file` names: whether they exist is known only
    once all plans are read.
    """

    file: str
    where: EventFilter
    fields: dict[str, Place]


def read_triggers(place: Place, plan_name: str) -> list[FoundTrigger]:
    """What stands under `on`: one event, or a list of them."""
    items = [place] if place.is_mapping() else place.items("a list of events: [{event: …}]")
    return [_read(item, plan_name) for item in items]


def check_triggers(task: Task, found: Iterable[FoundTrigger], aliases: Mapping[str, str]) -> None:
    """Note what is wrong with the triggers of `task` in view of the task itself; `aliases` are
    short names of tasks.
    """
    for trigger, inputs, fields in found:
        inputs.check(task)
        plan, name = trigger.where.plan_name, trigger.where.task_name or ""
        if plan == task.plan_name and aliases.get(name, name) == task.name:
            fields["task"].fault("A task is not started by its own end.")


def unknown(awaited: Iterable[Awaited], look_up: LookUp) -> Iterator[LoadError]:
    """What is wrong with the plans and tasks that triggers name, now that all are read."""
    for file, where, fields in awaited:
        if where.plan_name is None:
            continue
        faults = Faults(file)
        try:
            look_up(where.plan_name, where.task_name)
        except PlanNotFound as error:
            fields["plan"].moved_to(faults).fault(str(error))
        except TaskNotFound as error:
            fields["task"].moved_to(faults).fault(str(error))
        yield from faults.in_order()


def _read(place: Place, plan_name: str) -> FoundTrigger:
    fields = place.fields(EVENT_FIELDS, expected="an event: {event, plan, task, status}")
    if "event" in fields:
        _check_event(fields["event"])
    elif place.is_mapping():
        place.fault(f"An entry of 'on' needs an 'event', such as {RUN_FINISHED}.")
    plan = fields["plan"].text("the name of a plan, or '*'") if "plan" in fields else plan_name
    task = fields["task"].text("the name of a task") if "task" in fields else None
    where = EventFilter(
        plan_name=None if plan == ANY_PLAN else plan,
        task_name=None if task is None else task_name(task),
        statuses=tuple(_read_statuses(fields["status"])) if "status" in fields else (),
    )
    inputs = read_fixed_inputs(place, fields)
    return FoundTrigger(EventTrigger(where, inputs.values), inputs, fields)


def _check_event(place: Place) -> None:
    name = place.text("the name of an event")
    if name is not None and name not in EVENTS:
        place.fault(f"There is no event {name!r}.{did_you_mean(name, EVENTS)}")


def _read_statuses(place: Place) -> Iterator[RunState]:
    """The ends that are meant, from `failed|timed_out` or a list."""
    for text in place.texts("how a run ends, such as failed|timed_out"):
        try:
            yield from ends_of(text)
        except ValueError as error:
            place.fault(str(error))
