"""Reads `depends_on`, and finds cycles.

May import model, the standard library and `catalog.place`.
"""

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

from aura_aio.catalog.place import Place
from aura_aio.model.plan import (
    AllOf,
    AnyOf,
    Dependency,
    DependsOn,
    NoneOf,
    Step,
    StepStatus,
    steps_named,
)
from aura_aio.model.suggestions import did_you_mean

OPERATORS: Final[Mapping[str, type[AllOf | AnyOf | NoneOf]]] = {
    "all": AllOf,
    "any": AnyOf,
    "none": NoneOf,
}
STATUSES: Final = ("success", "failed", "skipped", "running")


def read_dependency(place: Place, steps: Collection[str]) -> Dependency | None:
    """What stands under `depends_on`: a step, a list, an operator, or a step with statuses.

    An empty list is no dependency.
    """
    if place.is_text():
        return _plain(place, steps)
    if place.is_list():
        return _joined(AllOf, place.items(), steps) if place.items() else None
    entries = place.entries(
        "the name of a step, a list of them, {all|any|none: […]} or {step: status}"
    )
    if any(key in OPERATORS for key in entries):
        return _operator(place, entries, steps)
    found = [_with_statuses(key, entry, place, steps) for key, entry in entries.items()]
    conditions = tuple(each for each in found if each is not None)
    return AllOf(conditions) if len(conditions) > 1 else next(iter(conditions), None)


def find_cycle(steps: Collection[Step]) -> list[str] | None:
    """The names of steps that wait for each other in a ring, the first one again at the end."""
    graph = {
        step.name: set(steps_named(step.depends_on)) if step.depends_on else set() for step in steps
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring[::-1]  # graphlib lists who is waited for first
    return None


def _plain(place: Place, steps: Collection[str]) -> DependsOn | None:
    name = place.text("the name of a step")
    if name is None:
        return None
    if name not in steps:
        place.fault(f"There is no step {name!r}.{did_you_mean(name, steps)}")
        return None
    return DependsOn(name)


def _joined(
    operator: type[AllOf | AnyOf | NoneOf], places: list[Place], steps: Collection[str]
) -> Dependency:
    found = (read_dependency(place, steps) for place in places)
    return operator(tuple(each for each in found if each is not None))


def _operator(place: Place, entries: dict[str, Place], steps: Collection[str]) -> Dependency | None:
    if len(entries) > 1:
        place.fault("'all', 'any' and 'none' stand alone in their mapping: nest them instead.")
        return None
    key, inner = next(iter(entries.items()))
    places = inner.items() if inner.is_list() else [inner]
    if not places:
        inner.fault(f"{key!r} needs at least one condition.")
        return None
    return _joined(OPERATORS[key], places, steps)


def _with_statuses(
    name: str, place: Place, parent: Place, steps: Collection[str]
) -> DependsOn | None:
    if name not in steps:
        known = (*steps, *OPERATORS)
        parent.fault_at_key(name, f"There is no step {name!r}.{did_you_mean(name, known)}")
        return None
    text = place.text("statuses such as success|failed") or ""
    words = [word.strip().lower() for word in text.split("|")] if text else []
    for word in words:
        if word not in STATUSES:
            place.fault(f"There is no status {word!r}.{did_you_mean(word, STATUSES)}")
            return None
    return DependsOn(name, tuple(StepStatus(word) for word in words)) if words else None
