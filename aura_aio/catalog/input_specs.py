"""Reads `meta.inputs`: what a task asks of the inputs of its runs.

May import model, and of `catalog` `inputs`, `patterns`, `place` and `references`.
"""

import re
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from aura_aio.catalog.inputs import TYPES, convert
from aura_aio.catalog.patterns import pattern_fault
from aura_aio.catalog.place import Place
from aura_aio.catalog.references import NAME_RULE, is_name
from aura_aio.model.plan import InputSpec
from aura_aio.model.suggestions import did_you_mean

INPUT_FIELDS: Final = (
    "name", "type", "required", "default", "enum", "options", "min", "max", "min_items",
    "max_items", "count", "item", "properties", "pattern", "label", "description", "ui", "secret",
)  # fmt: skip
_COUNT: Final = re.compile(r"\s*(?:(<=|>=)\s*(\d{1,9})|(\d{1,9})\s*-\s*(\d{1,9})|(\d{1,9}))\s*\Z")
_LIST_OF: Final = re.compile(r"list\s*<(.+)>\Z")
MAX_NESTED_LISTS: Final = 16
_BOUNDED: Final = frozenset({"string", "path", "number", "integer", "list"})


def read_inputs(place: Place) -> tuple[InputSpec, ...]:
    """The inputs of a task, from the list under `meta.inputs`."""
    specs: dict[str, InputSpec] = {}
    for item in place.items("a list of inputs: - {name: …, type: …}"):
        spec = None if place.is_hopeless else _read_spec(item, name=None)
        if spec is None:
            continue
        if spec.name in specs:
            item.fault(f"There are two inputs with the name {spec.name!r}.")
        specs[spec.name] = spec
    return tuple(specs.values())


def _read_spec(place: Place, *, name: str | None, implied: str | None = None) -> InputSpec | None:
    """An input; `name` is given where it does not stand among the fields, `implied` is the type of
    one that does not say it.
    """
    known = INPUT_FIELDS if name is None else INPUT_FIELDS[1:]
    fields = place.fields(known, expected="an input: {name, type, …}")
    if name is None:
        name = fields["name"].text("a name") if "name" in fields else ""
        if "name" not in fields:
            place.lacks("name", "An input needs a name.")
    if not name or not place.is_mapping():
        return None
    if not is_name(name):
        place.fault(f"The name {name!r} is not allowed: {NAME_RULE}.")
    kind = implied if implied and "type" not in fields else _read_type(fields)
    low, high, least, most = _read_bounds(fields, kind)
    spec = InputSpec(
        name=name,
        type=kind,
        required=_flag(fields, "required"),
        default=UNSET,
        enum=_read_enum(fields),
        min=low,
        max=high,
        min_items=least,
        max_items=most,
        item=_read_item(fields, kind),
        properties=_read_properties(fields, kind),
        pattern=_read_pattern(fields, kind),
        label=fields["label"].text() if "label" in fields else None,
        description=fields["description"].text() if "description" in fields else None,
        ui=fields["ui"].value if "ui" in fields and fields["ui"].entries() else None,
        secret=_flag(fields, "secret"),
    )
    return _with_default(spec, fields)


def _read_type(fields: dict[str, Place]) -> str:
    if "type" not in fields:
        return _type_of_enum(fields)
    place = fields["type"]
    text = (place.text("the name of a type") or "any").lower().replace(" ", "")
    if text.count("<") > MAX_NESTED_LISTS:
        place.fault(f"Lists may be nested {MAX_NESTED_LISTS} deep.")
        return "any"
    return _known_type(place, text)


def _known_type(place: Place, text: str) -> str:
    element = _LIST_OF.match(text)
    if element:
        return f"list<{_known_type(place, element[1])}>"
    if text in TYPES:
        return text
    place.fault(
        f"There is no type {text!r}.{did_you_mean(text, (*TYPES, 'list<string>'), most=20)}"
    )
    return "any"


def _type_of_enum(fields: dict[str, Place]) -> str:
    choices = fields.get("enum") or fields.get("options")
    values = [item.node.value for item in choices.items()] if choices else []
    if values and all(isinstance(value, bool) for value in values):
        return "boolean"
    if values and all(isinstance(value, (int, float)) for value in values):
        return "number"
    return "string"


def _read_bounds(
    fields: dict[str, Place], kind: str
) -> tuple[float | None, float | None, int | None, int | None]:
    """(min, max, min_items, max_items); for a list, `min` and `max` are those of its length."""
    base = kind.partition("<")[0]
    for key in ("min", "max", "min_items", "max_items", "count"):
        allowed = base == "list" or (key in {"min", "max"} and base in _BOUNDED)
        if key in fields and not allowed:
            fields[key].fault(f"{key!r} has no meaning for the type {kind}.")
            return None, None, None, None
    if base != "list":
        low = fields["min"].number() if "min" in fields else None
        high = fields["max"].number() if "max" in fields else None
        _check_order(fields, low, high)
        return low, high, None, None
    least, most = _read_count(fields["count"]) if "count" in fields else (None, None)
    for key in ("min", "min_items"):
        least = fields[key].integer(minimum=0) if key in fields else least
    for key in ("max", "max_items"):
        most = fields[key].integer(minimum=0) if key in fields else most
    _check_order(fields, least, most)
    return None, None, least, most


def _check_order(fields: dict[str, Place], low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        key = next(key for key in ("count", "min", "min_items") if key in fields)
        fields[key].fault(f"The lower bound {low:g} is above the upper bound {high:g}.")


def _read_count(place: Place) -> tuple[int | None, int | None]:
    value = place.value
    if isinstance(value, list) and len(value) == 2:
        least, most = (item.integer(minimum=0) for item in place.items())
        return least, most
    match = _COUNT.match(str(value)) if isinstance(value, (int, str)) else None
    if match is None or isinstance(value, bool):
        place.expected('a count: 3, "<=5", ">=2", "1-3" or [1, 3]')
        return None, None
    sign, bound, low, high, exact = match.groups()
    if sign:
        return (int(bound), None) if sign == ">=" else (None, int(bound))
    return (int(exact), int(exact)) if exact else (int(low), int(high))


def _read_enum(fields: dict[str, Place]) -> tuple[Any, ...] | None:
    for key in ("enum", "options"):
        if key in fields:
            choices = fields[key].items("a list of values")
            if fields[key].is_list() and not choices:
                fields[key].fault("A list of values without any allows nothing.")
            return tuple(item.value for item in choices)
    return None


def _read_item(fields: dict[str, Place], kind: str) -> InputSpec | None:
    element = _LIST_OF.match(kind)
    implied = element[1] if element else None
    if "item" not in fields:
        return _implied_item(implied) if implied else None
    place = fields["item"]
    if not kind.startswith("list"):
        place.fault(f"'item' has no meaning for the type {kind}.")
        return None
    spec = _read_spec(place, name="item", implied=implied)
    if spec is None or implied is None:
        return spec
    if spec.type != implied:
        place.fault(f"The elements of {kind} cannot be of the type {spec.type}.")
    return spec


def _implied_item(kind: str) -> InputSpec:
    element = _LIST_OF.match(kind)
    return InputSpec(name="item", type=kind, item=_implied_item(element[1]) if element else None)


def _read_properties(fields: dict[str, Place], kind: str) -> tuple[InputSpec, ...] | None:
    if "properties" not in fields:
        return None
    place = fields["properties"]
    if kind != "dict":
        place.fault(f"'properties' has no meaning for the type {kind}.")
        return None
    entries = place.entries("properties by name: {port: {type: integer}}")
    return tuple(filter(None, (_read_spec(entry, name=key) for key, entry in entries.items())))


def _read_pattern(fields: dict[str, Place], kind: str) -> str | None:
    if "pattern" not in fields:
        return None
    place = fields["pattern"]
    text = place.text("a regular expression")
    if kind not in {"string", "path"}:
        place.fault(f"'pattern' has no meaning for the type {kind}.")
        return None
    fault = pattern_fault(text or "")
    if fault is not None:
        place.fault(fault)
        return None
    return text


def _flag(fields: dict[str, Place], key: str) -> bool:
    return key in fields and fields[key].boolean() is True


def _with_default(spec: InputSpec, fields: dict[str, Place]) -> InputSpec:
    """`spec` with its default; what it allows and gives must agree with what else it says."""
    free = replace(spec, enum=None)
    for value in spec.enum or ():
        converted, fault = convert(free, value)
        if fault or converted != value:
            place = fields.get("enum") or fields["options"]
            place.fault(f"The value {value!r} {fault or f'is no {spec.type}'}.")
            return spec
    if "default" not in fields:
        return spec
    if spec.secret:
        fields["default"].fault("A secret has no default: it would stand here for all to read.")
        return spec
    default, fault = convert(spec, fields["default"].value)
    if fault:
        fields["default"].fault(f"The default {fault}.")
    return replace(spec, default=default)
