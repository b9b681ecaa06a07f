"""What must hold of the schemas in the contract, so that the weakest generator reads them right.

May import the standard library and the rest of `contract` only.
"""

import re
from collections.abc import Iterator

from aura_aio.contract.references import (
    REF,
    Json,
    component_name,
    mapping,
    operations,
    parameters,
    resolve,
)

OPEN_WORDS = "Later versions may add words."
"""What the description of every enum says that an answer can hold."""

PER_ITEM = "x-aura-judged-per-item"
"""Marks an array of a request whose items are checked one by one, each with its own verdict."""

CHANGES = "x-aura-changes"
"""Marks a request that changes what is there: an absent property has no default, but stays."""

_KEYWORDS = frozenset(
    {"type", "format", "description", "enum", "default", "pattern", "minLength", "maxLength"}
    | {"minimum", "maximum", "items", "minItems", "maxItems", "not"}
    | {"properties", "required", "additionalProperties", "propertyNames", "maxProperties"}
)
_COMPOSITION = frozenset({"oneOf", "anyOf", "allOf"})
_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean"})
_PASCAL_CASE = re.compile(r"[A-Z][a-zA-Z0-9]*")
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")
_BOUNDS = {
    "string": ("maxLength",),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "array": ("maxItems",),
}

Fault = tuple[str, str]


def schema_faults(document: Json) -> Iterator[Fault]:
    """Every fault of the components and of the parameters' schemas, as (place, message)."""
    components: Json = document["components"]["schemas"]
    asked = _reachable(document, _request_schemas(document))
    answered = _reachable(document, _answer_schemas(document))
    for name, schema in components.items():
        place = f"components.schemas.{name}"
        if not _PASCAL_CASE.fullmatch(name):
            yield place, "must be in PascalCase"
        if not schema.get("description"):
            yield place, "has no description"
        yield from _component(place, schema, asked=name in asked, answered=name in answered)
        for where, below in _below(place, schema):
            yield from _schema(where, below, named=where == place)
            if name in asked:
                yield from _bounds(where, below)
    for place, schema in _parameter_schemas(document):
        for where, below in _below(place, schema):
            yield from _schema(where, below, named=False)
            yield from _bounds(where, below)


def _below(place: str, schema: Json) -> Iterator[tuple[str, Json]]:
    """`schema` and every schema in it, references not followed."""
    yield place, schema
    for name, below in mapping(schema.get("properties")).items():
        yield from _below(f"{place}.properties.{name}", mapping(below))
    for word in ("items", "additionalProperties"):
        below = schema.get(word)
        if isinstance(below, dict):
            yield from _below(f"{place}.{word}", below)


def _schema(place: str, schema: Json, *, named: bool) -> Iterator[Fault]:
    """The rules that hold of every schema."""
    if REF in schema:
        beside = set(schema) - {REF, "description"}
        if beside:
            yield place, f"beside a reference only a description may stand, not {sorted(beside)}"
        return
    yield from _words(place, schema)
    kind = schema.get("type")
    if not named and (kind == "object" or "properties" in schema):
        yield place, "an object needs a name: make it a component"
    if not named and "enum" in schema:
        yield place, "an enum needs a name: make it a component"
    if kind == "array" and not mapping(schema.get("items")):
        yield place, "has no items"
    pattern = str(schema.get("pattern", "^$"))
    if not (pattern.startswith("^") and pattern.endswith("$")):
        yield place, "the pattern must begin with ^ and end with $"
    yield from _properties(place, schema)
    yield from _excluded(place, schema)


def _words(place: str, schema: Json) -> Iterator[Fault]:
    kind = schema.get("type")
    if isinstance(kind, list) or kind == "null" or "nullable" in schema:
        yield place, "null is no value: leave the property out instead"
    elif kind is not None and kind not in _TYPES:
        yield place, f"{kind!r} is no type"
    for word in _COMPOSITION & set(schema):
        yield place, f"{word} is not understood by every generator"
    unknown = {word for word in schema if not word.startswith("x-")} - _KEYWORDS - _COMPOSITION
    unknown.discard("nullable")
    if unknown:
        yield place, f"the mirror and the downgrade do not know {sorted(unknown)}"


def _properties(place: str, schema: Json) -> Iterator[Fault]:
    properties = mapping(schema.get("properties"))
    for name, below in properties.items():
        where = f"{place}.properties.{name}"
        if not _SNAKE_CASE.fullmatch(name):
            yield where, "must be in snake_case"
        if REF not in mapping(below) and not mapping(below).get("description"):
            yield where, "has no description"
    for name in schema.get("required") or ():
        if name not in properties:
            yield place, f"{name!r} is required, but no property"
        elif "default" in mapping(properties[name]):
            yield f"{place}.properties.{name}", "is required, so a default has no meaning"


def _excluded(place: str, schema: Json) -> Iterator[Fault]:
    forbidden = mapping(schema.get("not"))
    if set(forbidden) - {"required"}:
        yield place, "not may only say which properties exclude each other"
    for name in forbidden.get("required") or ():
        if name not in mapping(schema.get("properties")):
            yield place, f"{name!r} is excluded, but no property"


def _component(place: str, schema: Json, *, asked: bool, answered: bool) -> Iterator[Fault]:
    is_map = "properties" not in schema
    closed = schema.get("additionalProperties") is False
    if schema.get("type") == "object" and not is_map:
        if asked and answered:
            yield place, "is used in requests and in answers, so it can be neither strict nor open"
        elif asked and not closed:
            yield place, "a request must have additionalProperties: false"
        elif answered and closed:
            yield place, "an answer must be open: without additionalProperties: false"
    if answered and "enum" in schema and OPEN_WORDS not in str(schema.get("description")):
        yield place, f"an enum in an answer must say: {OPEN_WORDS}"
    properties = mapping(schema.get("properties"))
    if "next_cursor" in properties and mapping(properties.get("items")).get("type") != "array":
        yield place, "a page must have an array called items"


def _bounds(place: str, schema: Json) -> Iterator[Fault]:
    if "enum" in schema or schema.get("format") == "date-time":
        return
    for word in _BOUNDS.get(str(schema.get("type")), ()):
        if word not in schema and not (word == "maxLength" and _bounded(schema)):
            yield place, f"what a client sends must be bounded: {word} is missing"


def _bounded(schema: Json) -> bool:
    """Whether the pattern itself bounds the length, as that of a cid does."""
    return not re.search(r"(?<!\\)[*+]", str(schema.get("pattern", "*")))


def _request_schemas(document: Json) -> Iterator[Json]:
    for _, _, _, operation in operations(document):
        for content in mapping(mapping(operation.get("requestBody")).get("content")).values():
            yield mapping(mapping(content).get("schema"))
    for _, schema in _parameter_schemas(document):
        yield schema


def _answer_schemas(document: Json) -> Iterator[Json]:
    for _, _, _, operation in operations(document):
        for response in operation["responses"].values():
            for content in mapping(resolve(document, response).get("content")).values():
                yield mapping(mapping(content).get("schema"))


def _parameter_schemas(document: Json) -> Iterator[tuple[str, Json]]:
    for path, method, item, operation in operations(document):
        for parameter in parameters(document, item, operation):
            place = f"paths.{path}.{method}.parameters.{parameter.get('name')}"
            yield place, mapping(parameter.get("schema"))


def _reachable(document: Json, schemas: Iterator[Json]) -> set[str]:
    """The names of the components that `schemas` refer to, at any depth."""
    found: set[str] = set()
    waiting = list(schemas)
    while waiting:
        for _, schema in _below("", waiting.pop()):
            name = component_name(schema)
            if name is not None and name not in found:
                found.add(name)
                waiting.append(resolve(document, schema))
    return found
