"""The marshmallow mirror, spelled as JSON Schema, and how it differs from a contract document.

Imports marshmallow, aura_aio.api.schemas and aura_aio.contract only.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, missing
from marshmallow import fields as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from aura_aio.api.schemas import FIELDS, SCHEMAS
from aura_aio.api.schemas import fields as own
from aura_aio.api.schemas.bases import HeadersSchema, PathSchema, QuerySchema
from aura_aio.contract.references import Json, operations, parameters
from aura_aio.contract.schema_checks import CHANGES, PER_ITEM

Node = dict[str, Any]

NOT_MIRRORED = ("description", "default", CHANGES)
KINDS = {"path": PathSchema, "query": QuerySchema, "header": HeadersSchema}
UNKNOWN = {"path": RAISE, "query": RAISE, "header": EXCLUDE}


def drift(document: Mapping[str, Any]) -> list[str]:
    """Every difference between the contract `document` and the schemas, in either direction."""
    expected = {**_components(document), **_parameter_sets(document)}
    actual = _mirrored()
    found = [f"{name}: has no counterpart in marshmallow" for name in expected.keys() - actual]
    found += [f"{name}: has no counterpart in the contract" for name in actual.keys() - expected]
    for name in sorted(expected.keys() & actual):
        found += _differences(name, expected[name], actual[name])
    return found


# ── what the contract says ────────────────────────────────────────────────────────────────────


def _components(document: Mapping[str, Any]) -> dict[str, Node]:
    schemas: Mapping[str, Node] = document["components"]["schemas"]
    return {
        f"{name}Schema" if "properties" in schema else f"{name}Field": _said(schemas, schema)
        for name, schema in schemas.items()
    }


def _said(schemas: Mapping[str, Node], schema: Node) -> Node:
    """`schema` with the meaning of what stands elsewhere or is implied written into it."""
    said = {key: value for key, value in schema.items() if key not in NOT_MIRRORED}
    if "items" in said:
        said["items"] = _said(schemas, said["items"])
    if isinstance(said.get("additionalProperties"), dict):
        said["additionalProperties"] = _said(schemas, said["additionalProperties"])
    if "properties" not in said:
        return said
    required = set(said.get("required", ()))
    said["required"] = sorted(required)
    said["properties"] = {
        name: _said(schemas, below)
        | _default(schemas, below, optional=name not in required, request=_is_request(schema))
        for name, below in said["properties"].items()
    }
    return said


def _default(schemas: Mapping[str, Node], schema: Node, *, optional: bool, request: bool) -> Node:
    """The default: beside the property, in its component, or, for a map in a request, empty."""
    target = schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], {})
    for holder in (schema, target):
        if "default" in holder and optional:
            return {"default": holder["default"]}
    is_map = target.get("type") == "object" and "properties" not in target
    return {"default": {}} if is_map and optional and request else {}


def _is_request(schema: Node) -> bool:
    """Whether what is absent in it has a default: so it is in requests, but for changes."""
    return schema.get("additionalProperties") is False and not schema.get(CHANGES)


def _parameter_sets(document: Mapping[str, Any]) -> dict[str, Node]:
    sets: dict[str, Node] = {}
    for _, _, item, operation in operations(document):
        operation_id = operation["operationId"]
        for parameter in parameters(document, item, operation):
            location = parameter["in"]
            name = f"{operation_id[0].upper()}{operation_id[1:]}{KINDS[location].__name__}"
            found = sets.setdefault(name, {"location": location, "parameters": {}})
            found["parameters"][parameter["name"]] = _parameter(document, parameter)
    return sets


def _parameter(document: Json, parameter: Json) -> Node:
    schemas = document["components"]["schemas"]
    schema = parameter["schema"]
    required = parameter.get("required", False)
    said = _said(schemas, schema) | _default(schemas, schema, optional=not required, request=False)
    said["required"] = required
    if parameter["in"] == "query":
        said["explode"] = parameter.get("explode", True)
        said["text"] = schema.get("type") in ("integer", "number", "boolean")
    return said


# ── what marshmallow says ─────────────────────────────────────────────────────────────────────


@cache
def _mirrored() -> dict[str, Node]:
    found = {name: _of_class(name, schema) for name, schema in SCHEMAS.items()}
    found |= {name: _of_field(field()) for name, field in FIELDS.items()}
    return found


def _of_class(name: str, schema: Schema) -> Node:
    for location, kind in KINDS.items():
        if name.endswith(kind.__name__) and isinstance(schema, kind):
            return _of_parameters(schema, location)
    node: Node = {
        "type": "object",
        "required": sorted(key for key, field in _named(schema) if field.required),
        "properties": {key: _of_property(field) for key, field in _named(schema)},
    }
    if schema.unknown == RAISE:
        node["additionalProperties"] = False
    elif schema.unknown != INCLUDE:
        node["additionalProperties"] = schema.unknown
    if hasattr(schema, "excluded"):
        node["not"] = {"required": list(schema.excluded)}
    return node


def _of_parameters(schema: Schema, location: str) -> Node:
    parameters = {}
    for key, field in _named(schema):
        node = _of_property(field)
        node["required"] = field.required
        if location == "query":
            node["explode"] = not isinstance(field, own.CommaSeparated)
            node["text"] = isinstance(field, own.QueryInt32 | own.QueryDouble | own.QueryFlag)
        parameters[key] = node
    said: Node = {"location": location, "parameters": parameters}
    if schema.unknown != UNKNOWN[location]:
        said["unknown"] = schema.unknown
    return said


def _named(schema: Schema) -> Iterator[tuple[str, "ma.Field[Any]"]]:
    for name, field in schema.fields.items():
        yield field.data_key if field.data_key is not None else name, field


def _of_property(field: "ma.Field[Any]") -> Node:
    node = _of_reference(field)
    if field.load_default is not missing:
        node["default"] = (
            field.load_default() if callable(field.load_default) else field.load_default
        )
    return node


def _of_reference(field: "ma.Field[Any]") -> Node:
    """A reference for what is a component of its own, else the schema in place."""
    name = type(field).__name__
    if isinstance(field, ma.Nested):
        return {"$ref": f"#/components/schemas/{_component(type(field.schema).__name__)}"}
    if FIELDS.get(name) is type(field):
        return {"$ref": f"#/components/schemas/{_component(name)}"}
    return _of_field(field)


def _component(class_name: str) -> str:
    return class_name.removesuffix("Schema").removesuffix("Field")


def _of_field(field: "ma.Field[Any]") -> Node:
    node: Node = _type(field)
    if field.allow_none and not isinstance(field, own.Anything):
        node["nullable"] = True
    for validator in field.validators:
        node |= _bounds(field, validator)
    return node


def _type(field: "ma.Field[Any]") -> Node:
    node: Node
    match field:
        case own.Moment():
            node = {"type": "string", "format": "date-time"}
        case own.Text():
            node = {"type": "string"}
        case own.Int32() | own.Int64():
            node = {"type": "integer", "format": field.metadata["format"]}
        case own.Double():
            node = {"type": "number", "format": field.metadata["format"]}
        case own.Flag():
            node = {"type": "boolean"}
        case own.ItemsJudgedLater():
            node = {"type": "array", "items": _of_reference(field.inner), PER_ITEM: True}
        case own.Items():
            node = {"type": "array", "items": _of_reference(field.inner)}
        case own.Objects():
            node = _map(field)
        case own.Anything():
            node = {}
        case _:
            node = {"type": f"unknown to the mirror: {type(field).__name__}"}
    return node


def _map(field: own.Objects) -> Node:
    node: Node = {"type": "object", "additionalProperties": True}
    if field.key_field is None and field.value_field is None:
        return node
    if field.value_field is not None:
        node["additionalProperties"] = _of_reference(field.value_field)
    if field.key_field is not None:
        names = _of_reference(field.key_field)
        node["propertyNames"] = {key: value for key, value in names.items() if key != "type"}
    return node


def _bounds(field: "ma.Field[Any]", validator: Any) -> Node:
    node: Node
    match validator:
        case Length():
            of = "Items" if isinstance(field, own.Items) else "Length"
            node = {f"min{of}": validator.min, f"max{of}": validator.max}
        case Range(min_inclusive=True, max_inclusive=True):
            node = {"minimum": validator.min, "maximum": validator.max}
        case Regexp():
            node = {"pattern": validator.regex.pattern}
        case OneOf():
            node = {"enum": list(validator.choices)}
        case own.MostProperties():
            node = {"maxProperties": validator.most}
        case _:
            node = {f"unknown to the mirror: {validator!r}": True}
    return {key: value for key, value in node.items() if value is not None}


# ── the difference ────────────────────────────────────────────────────────────────────────────


def _differences(place: str, expected: Any, actual: Any) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys(), key=str):
            below = f"{place}.{key}"
            if key not in actual:
                yield f"{below}: the contract has it ({expected[key]!r}), marshmallow has not"
            elif key not in expected:
                yield f"{below}: marshmallow has it ({actual[key]!r}), the contract has not"
            else:
                yield from _differences(below, expected[key], actual[key])
    elif isinstance(expected, list) and isinstance(actual, list):
        if sorted(map(str, expected)) != sorted(map(str, actual)):
            yield f"{place}: {expected} in the contract, {actual} in marshmallow"
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield f"{place}: {expected!r} in the contract, {actual!r} in marshmallow"
