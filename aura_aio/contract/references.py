"""Where things stand in a contract document: following `$ref`, walking, naming places.

May import the standard library only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
"""An object of the document."""

REF = "$ref"
_DATA = frozenset({"example", "examples", "default", "enum"})
_NAMED = frozenset({"properties", "schemas", "paths", "responses", "headers", "content", "links"})
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def mapping(value: Any) -> Json:
    """`value` if it is an object, else an empty one: a document may be broken."""
    return value if isinstance(value, Mapping) else {}


def find(document: Json, ref: str) -> Json | None:
    """What `#/components/<kind>/<name>` stands for, or None when there is nothing."""
    steps = ref.split("/")
    if len(steps) != 4 or steps[:2] != ["#", "components"]:
        return None
    found = mapping(mapping(document.get("components")).get(steps[2])).get(steps[3])
    return found if isinstance(found, Mapping) else None


def resolve(document: Json, value: Any) -> Json:
    """`value`, or what it refers to; an empty object when that does not exist."""
    node = mapping(value)
    seen = 0
    while isinstance(ref := node.get(REF), str) and seen < 8:
        node = find(document, ref) or {}
        seen += 1
    return node


def component_name(schema: Any) -> str | None:
    """The bare name of the component that `schema` refers to; None when it refers to none."""
    ref = mapping(schema).get(REF)
    prefix = "#/components/schemas/"
    return ref.removeprefix(prefix) if isinstance(ref, str) and ref.startswith(prefix) else None


def walk(value: Any, place: str = "", *, names: bool = False) -> Iterator[tuple[str, Json]]:
    """Every object at and below `value`, with its place written `paths./api/runs.get`.

    What stands under `example`, `examples`, `default` and `enum` is data, not document, and is left
    out. `names`: the keys of `value` are names that somebody chose (a property may be an `enum`).
    """
    if isinstance(value, Mapping):
        yield place, value
        for key, below in value.items():
            if names or key not in _DATA:
                inner = f"{place}.{key}" if place else str(key)
                yield from walk(below, inner, names=not names and key in _NAMED)
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from walk(below, f"{place}[{index}]")


def operations(document: Json) -> Iterator[tuple[str, str, Json, Json]]:
    """Every operation as (path, method, its path item, itself), in the order of the document."""
    for path, item in mapping(document.get("paths")).items():
        for method in METHODS:
            if method in mapping(item):
                yield path, method, mapping(item), mapping(item[method])


def parameters(document: Json, item: Json, operation: Json) -> list[Json]:
    """The parameters of an operation: those of its path item first, references followed."""
    listed = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
    return [resolve(document, each) for each in listed]
