"""JSON Schema of a task's inputs, so that a client can build a form.

May import model and `catalog.inputs` only.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import UNSET

from aura_aio.catalog.inputs import base_type
from aura_aio.model.plan import InputSpec


def inputs_schema(specs: Sequence[InputSpec]) -> dict[str, Any]:
    """The schema (draft 2020-12) of the object that holds the inputs `specs`.

    What JSON Schema has no word for is left to annotations: `ui` becomes `x-ui`.
    """
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {spec.name: _schema(spec) for spec in specs},
        "additionalProperties": False,
    }
    required = [spec.name for spec in specs if spec.required and spec.default is UNSET]
    if required:
        schema["required"] = required
    return schema


def _schema(spec: InputSpec) -> dict[str, Any]:
    schema = _TYPES[base_type(spec)](spec)
    annotations = {
        "title": spec.label,
        "description": spec.description,
        "enum": list(spec.enum) if spec.enum is not None else None,
        "x-ui": spec.ui,
        "writeOnly": True if spec.secret else None,
    }
    schema |= {key: value for key, value in annotations.items() if value is not None}
    if spec.default is not UNSET:
        schema["default"] = spec.default
    return schema


def _string(spec: InputSpec) -> dict[str, Any]:
    return {"type": "string"} | _present(
        minLength=spec.min, maxLength=spec.max, pattern=spec.pattern
    )


def _number(spec: InputSpec) -> dict[str, Any]:
    return {"type": "number"} | _present(minimum=spec.min, maximum=spec.max)


def _list(spec: InputSpec) -> dict[str, Any]:
    items = _schema(spec.item) if spec.item is not None else None
    return {"type": "array"} | _present(
        items=items, minItems=spec.min_items, maxItems=spec.max_items
    )


def _dict(spec: InputSpec) -> dict[str, Any]:
    return {"type": "object"} if spec.properties is None else inputs_schema(spec.properties)


_TYPES: Final[dict[str, Callable[[InputSpec], dict[str, Any]]]] = {
    "string": _string,
    "path": _string,
    "datetime": lambda _spec: {"type": "string", "format": "date-time"},
    "number": _number,
    "integer": lambda spec: _number(spec) | {"type": "integer"},
    "boolean": lambda _spec: {"type": "boolean"},
    "list": _list,
    "dict": _dict,
    "any": lambda _spec: {},
}


def _present(**words: Any) -> dict[str, Any]:
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in words.items()
        if value is not None
    }
