"""Reads `schedule.yaml`: when the tasks of a plan are run by themselves.

May import model, and of `catalog` what reads its parts.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from aura_aio.catalog.document import DocumentError, read_document
from aura_aio.catalog.due_times import Cron, TimingFault, UnknownZone
from aura_aio.catalog.files import FileRefused, PlanFolder
from aura_aio.catalog.fixed_inputs import read_fixed_inputs
from aura_aio.catalog.place import MAX_SECONDS, Faults, Place
from aura_aio.catalog.references import NAME_RULE, is_name
from aura_aio.model.errors import TaskNotFound
from aura_aio.model.plan import LoadError, Task
from aura_aio.model.schedule import CatchUp, Overlap, Schedule

SCHEDULES: Final = "schedule.yaml"
LEAST_EVERY_SEC: Final = 1.0

_FIELDS: Final = (
    "id", "task", "cron", "every", "timezone", "inputs", "enabled", "overlap", "catch_up",
    "jitter_sec",
)  # fmt: skip
_SPAN: Final = re.compile(
    r"(?:(\d{1,4})d)?\s*(?:(\d{1,6})h)?\s*(?:(\d{1,7})m)?\s*(?:(\d{1,9})s)?\Z", re.ASCII
)
_UNITS: Final = (86_400, 3_600, 60, 1)

FindTask = Callable[[str], Task]
"""The task of a plan by any of its names; raises TaskNotFound."""


class ScheduleFile(msgspec.Struct, frozen=True):
    """What the file holds: its good schedules, and what is wrong with the others."""

    schedules: tuple[Schedule, ...] = ()
    errors: tuple[LoadError, ...] = ()


def read_schedules(folder: PlanFolder, plan_name: str, find_task: FindTask) -> ScheduleFile:
    """The schedules of the plan in `folder`; none if it has no `schedule.yaml`."""
    if not folder.has(SCHEDULES):
        return ScheduleFile()
    faults = Faults(SCHEDULES)
    schedules: dict[str, Schedule] = {}
    try:
        root = Place(read_document(folder.read(SCHEDULES)), faults)
    except FileRefused as error:
        faults.add(str(error))
    except DocumentError as error:
        faults.add(str(error), error.mark)
    else:
        reader = _Reader(plan_name, find_task)
        for id_, place in _entries(root):
            before = len(faults)
            schedule = reader.read(id_, place)
            if schedule.id in schedules:
                place.fault(f"There are two schedules with the id {id_!r}.")
            if len(faults) == before:
                schedules[schedule.id] = schedule
    return ScheduleFile(tuple(schedules.values()), tuple(faults.in_order()))


def _entries(root: Place) -> Iterator[tuple[str, Place]]:
    """Each schedule with its id: a list of mappings that have one, or a mapping by id."""
    if root.node.value is None:
        return
    if root.is_mapping():
        for id_, place in root.entries().items():
            if not is_name(id_):
                root.fault_at_key(id_, f"A schedule cannot be called {id_!r}: {NAME_RULE}.")
            elif place.is_mapping() and "id" in place.node.value:
                place.fault_at_key("id", "Its id is the key that it stands under.")
            else:
                yield id_, place
        return
    for place in root.items("a list of schedules, or schedules by id"):
        own_id = _own_id(place)
        if own_id is not None:
            yield own_id, place


def _own_id(place: Place) -> str | None:
    entries = place.entries("a schedule: {id, task, cron|every, …}")
    if not place.is_mapping():
        return None
    if "id" not in entries:
        place.fault("A schedule needs an 'id'.")
        return None
    id_ = entries["id"].text("the id of the schedule")
    if id_ is not None and not is_name(id_):
        entries["id"].fault(f"A schedule cannot be called {id_!r}: {NAME_RULE}.")
        return None
    return id_


class _Reader:
    """Reads the schedules of one plan."""

    def __init__(self, plan_name: str, find_task: FindTask) -> None:
        self._plan_name = plan_name
        self._find_task = find_task

    def read(self, id_: str, place: Place) -> Schedule:
        """The schedule at `place`; only good if no fault was found."""
        fields = place.fields(_FIELDS, expected="a schedule: {task, cron|every, …}")
        task = self._read_task(place, fields)
        inputs = read_fixed_inputs(place, fields)
        if task is not None:
            inputs.check(task)
        overlap = fields["overlap"].choice(Overlap) if "overlap" in fields else None
        catch_up = fields["catch_up"].choice(CatchUp) if "catch_up" in fields else None
        jitter = fields["jitter_sec"].seconds(zero=True) if "jitter_sec" in fields else None
        cron, every_sec, timezone = _read_timing(place, fields)
        return Schedule(
            id=f"{self._plan_name}/{id_}",
            plan_name=self._plan_name,
            task_name="" if task is None else task.name,
            cron=cron,
            every_sec=every_sec,
            timezone=timezone,
            inputs=inputs.values,
            enabled="enabled" not in fields or fields["enabled"].boolean() is True,
            overlap=Overlap(overlap or Overlap.SKIP),
            catch_up=CatchUp(catch_up or CatchUp.NONE),
            jitter_sec=jitter or 0.0,
        )

    def _read_task(self, place: Place, fields: dict[str, Place]) -> Task | None:
        if "task" not in fields:
            if place.is_mapping():
                place.fault("A schedule needs a 'task'.")
            return None
        name = fields["task"].text("the name of a task of this plan")
        if name is None:
            return None
        try:
            return self._find_task(name)
        except TaskNotFound as error:
            fields["task"].fault(str(error))
            return None


def _read_timing(place: Place, fields: dict[str, Place]) -> tuple[str | None, float | None, str]:
    """(cron, every_sec, timezone)."""
    if ("cron" in fields) == ("every" in fields):
        if place.is_mapping():
            place.fault("A schedule needs exactly one of 'cron' and 'every'.")
        return None, None, "UTC"
    if "every" in fields:
        if "timezone" in fields:
            place.fault_at_key("timezone", "'timezone' has no meaning with 'every'.")
        return None, _read_every(fields["every"]), "UTC"
    cron = fields["cron"].text('a cron expression, as in "30 4 * * 1-5"')
    zone = fields["timezone"].text("a time zone") if "timezone" in fields else "UTC"
    if cron is None or zone is None:
        return None, None, "UTC"
    try:
        Cron(cron, zone)
    except UnknownZone as error:
        fields["timezone"].fault(str(error))
    except TimingFault as error:
        fields["cron"].fault(str(error))
    return cron, None, zone


def _read_every(place: Place) -> float | None:
    value = place.node.value
    seconds = _spelled_out(value) if isinstance(value, str) else value
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and is_number and LEAST_EVERY_SEC <= seconds <= MAX_SECONDS:
        return float(seconds)
    place.expected('a number of seconds, at least 1, or a time such as "5m" or "1h30m"')
    return None


def _spelled_out(text: str) -> int | None:
    """The seconds in `1d 2h 30m 15s`, of which each part may be missing."""
    match = _SPAN.match(text.strip())
    if match is None:
        return None
    parts = zip(match.groups(), _UNITS, strict=True)
    return sum(int(number) * unit for number, unit in parts if number is not None)
