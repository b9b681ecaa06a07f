"""The inputs of a run against the `meta.inputs` of its task (TASKS.md, "Inputs").

May import model, and of `catalog` `patterns` and `secret_inputs`. On the way of every submitted
run: keep it fast.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from msgspec import UNSET

from aura_aio.catalog.patterns import PatternTooSlow, matches
from aura_aio.catalog.secret_inputs import MASK
from aura_aio.model import json
from aura_aio.model.errors import InputsRejected
from aura_aio.model.plan import InputSpec, Task
from aura_aio.model.pointers import below, spelled
from aura_aio.model.suggestions import did_you_mean

Place = tuple[Any, ...]
"""Where a value is: empty, or (the place above it, name or index). It is spelled out only if
something is wrong there.
"""
Faults = list[tuple[Place, str]]
"""Pairs (place, what is wrong)."""

_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,400}(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?\Z")
_BUT: Final = ", not "
"""Stands between what a value must be and what it is."""
_UNKNOWN: Final = "is not known."
_MOST_SUGGESTED: Final = 5
"""How many unknown names are compared with those that there are: that is done on the way of a
request, which may hold thousands, and takes up to 40 µs for each two.
"""

_WORDS: Final = {
    "true": True, "yes": True, "y": True, "1": True,
    "false": False, "no": False, "n": False, "0": False,
}  # fmt: skip


def check_inputs(task: Task, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a run, converted to their types and complete with their defaults.

    Text is taken for a number or a boolean that it spells, a number for text. A null counts as not
    given. An input that is neither given nor has a default stays absent.

    Raises:
        InputsRejected: with everything that is wrong, not only the first.
    """
    if not inputs and not task.meta.inputs:
        return {}
    faults: Faults = []
    checked: dict[str, Any] = {}
    with suppress(PatternTooSlow):  # it is a fault, and no time is left for others
        checked = _check_fields(task.meta.inputs, inputs, (), faults)
    if faults:
        told = [(_pointer(place), fault) for place, fault in faults]
        raise InputsRejected(task.plan_name, task.name, told)
    return checked


def convert(spec: InputSpec, value: Any) -> tuple[Any, str | None]:
    """`value` converted for `spec`, and what is wrong with it (None if nothing is)."""
    faults: Faults = []
    converted = value
    with suppress(PatternTooSlow):
        converted = _check(spec, value, (), faults)
    told = (f"{spelled(_pointer(place))} {fault}".strip() for place, fault in faults)
    return converted, "; ".join(told) or None


def with_absent(specs: Sequence[InputSpec], inputs: dict[str, Any]) -> dict[str, Any]:
    """`inputs` with a None for every input, also within dicts, that was not given: what was
    declared can be named in a template.
    """
    complete = dict(inputs)
    for spec in specs:
        value = complete.setdefault(spec.name, None)
        if spec.properties is not None and isinstance(value, dict):
            complete[spec.name] = with_absent(spec.properties, value)
    return complete


def base_type(spec: InputSpec) -> str:
    """The type without its element type: `list` for `list<string>`."""
    return spec.type.partition("<")[0]


def _pointer(place: Place) -> str:
    """The JSON Pointer into the inputs."""
    return below(_pointer(place[0]), str(place[1])) if place else ""


def _check_fields(
    specs: Sequence[InputSpec], values: Mapping[str, Any], place: Place, faults: Faults
) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    known = 0
    for spec in specs:
        value = values.get(spec.name)
        known += spec.name in values
        if value is not None:
            checked[spec.name] = _check(spec, value, (place, spec.name), faults)
        elif spec.default is not UNSET:
            checked[spec.name] = spec.default
        elif spec.required:
            faults.append(((place, spec.name), "is required"))
    if known != len(values):
        names = {spec.name for spec in specs}
        for name in [each for each in values if each not in names]:
            meant = did_you_mean(name, names) if len(faults) < _MOST_SUGGESTED else ""
            faults.append(((place, name), _UNKNOWN + meant))
    return checked


def _check(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    if spec.secret:
        return _check_secret(spec, value, place, faults)
    return _check_value(spec, value, place, faults)


def _check_secret(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    """Check a secret; what is wrong is told without any part of it."""
    if value == MASK:
        faults.append((place, f"must be the secret itself, not {MASK}"))
        return value
    found: Faults = []
    checked = _check_value(spec, value, place, found)
    for where, fault in found:
        if fault.startswith(_UNKNOWN):
            faults.append((place, "has a key that is not known"))
        else:
            faults.append((where, fault.partition(_BUT)[0]))
    return checked


def _check_value(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    before = len(faults)
    checked = _CHECKS[base_type(spec)](spec, value, place, faults)
    if spec.enum is not None and len(faults) == before and checked not in spec.enum:
        choices = ", ".join(map(repr, spec.enum))
        faults.append((place, f"must be one of {choices}{_BUT}{_shown(value)}"))
    return checked


def _string(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        faults.append((place, f"must be text{_BUT}{_shown(value)}"))
        return value
    _check_range(spec.min, spec.max, len(value), "have {} characters", place, faults)
    if spec.pattern is not None:
        _check_pattern(spec.pattern, value, place, faults)
    return value


def _check_pattern(pattern: str, value: str, place: Place, faults: Faults) -> None:
    try:
        if not matches(pattern, value):
            faults.append((place, f"must match the pattern {pattern}"))
    except PatternTooSlow:
        faults.append((place, f"takes too long to compare with the pattern {pattern}"))
        raise


def _path(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    if not isinstance(value, str) or not value or "\0" in value:
        faults.append((place, f"must be a path{_BUT}{_shown(value)}"))
        return value
    return _string(spec, value, place, faults)


def _number(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    number = _spelled_out(value)
    if not isinstance(number, (int, float)) or isinstance(number, bool) or not _finite(number):
        faults.append((place, f"must be a number{_BUT}{_shown(value)}"))
        return value
    _check_range(spec.min, spec.max, number, "be {}", place, faults)
    return number


def _integer(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    number = _spelled_out(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool):
        faults.append((place, f"must be a whole number{_BUT}{_shown(value)}"))
        return value
    _check_range(spec.min, spec.max, number, "be {}", place, faults)
    return number


def _spelled_out(value: Any) -> Any:
    """The number that a text spells; anything else as it is."""
    if isinstance(value, str) and _NUMBER.match(value):
        return float(value) if set(value) & set(".eE") else int(value)
    return value


def _boolean(_spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if not isinstance(value, bool):
        faults.append((place, f"must be true or false{_BUT}{_shown(value)}"))
    return value


def _datetime(_spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    try:
        return datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        faults.append((place, f"must be a time in ISO 8601{_BUT}{_shown(value)}"))
        return value


def _list(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    if not isinstance(value, list):
        faults.append((place, f"must be a list{_BUT}{_shown(value)}"))
        return value
    _check_range(spec.min_items, spec.max_items, len(value), "have {} elements", place, faults)
    item = spec.item
    if item is None:
        return value
    return [_check(item, each, (place, index), faults) for index, each in enumerate(value)]


def _dict(spec: InputSpec, value: Any, place: Place, faults: Faults) -> Any:
    if not isinstance(value, dict):
        faults.append((place, f"must be an object{_BUT}{_shown(value)}"))
        return value
    if spec.properties is None:
        return value
    return _check_fields(spec.properties, value, place, faults)


def _any(_spec: InputSpec, value: Any, _place: Place, _faults: Faults) -> Any:
    return value


_CHECKS: Final[dict[str, Callable[[InputSpec, Any, Place, Faults], Any]]] = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "list": _list,
    "dict": _dict,
    "any": _any,
    "path": _path,
    "datetime": _datetime,
}
TYPES: Final = tuple(_CHECKS)
"""The types that an input may have, `list` with or without the type of its elements."""


def _check_range(
    least: float | None, most: float | None, found: float, must: str, place: Place, faults: Faults
) -> None:
    if least is not None and found < least:
        faults.append((place, f"must {must.format(f'at least {least:g}')}{_BUT}{_shown(found)}"))
    if most is not None and found > most:
        faults.append((place, f"must {must.format(f'at most {most:g}')}{_BUT}{_shown(found)}"))


def _finite(value: int | float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _shown(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value) if isinstance(value, str) else json.dumps(value).decode()
    return text if len(text) <= 80 else text[:80] + "…"
