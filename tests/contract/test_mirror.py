"""Contract and marshmallow say the same, and the comparison notices whenever they do not.

Imports pytest, aura_aio.contract and `mirror`.
"""

import copy
import random
from collections.abc import Callable, Container, Iterator
from typing import Any

import pytest

from aura_aio.contract.document import Contract, load_contract
from tests.contract.mirror import Node, drift

Change = Callable[[Node], Iterator[str]]
"""Makes one change to the tree that it gets, says where, undoes it, makes the next."""


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The contract of the repository."""
    return load_contract()


def test_marshmallow_mirrors_the_contract(contract: Contract) -> None:
    """No difference, in either direction."""
    assert drift(contract.as_dict()) == []


def _components(document: Node) -> Iterator[tuple[str, Node]]:
    yield from document["components"]["schemas"].items()


def _schemas(document: Node) -> Iterator[tuple[str, Node]]:
    """Every schema of a component or a parameter, at any depth, with its place."""
    for name, schema in _components(document):
        yield from _below(name, schema)
    for place, parameter in _parameters(document):
        yield from _below(place, parameter["schema"])


def _parameters(document: Node) -> Iterator[tuple[str, Node]]:
    yield from document["components"]["parameters"].items()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                for parameter in operation.get("parameters", ()):
                    if "name" in parameter:
                        yield f"{method} {path} {parameter['name']}", parameter


def _below(place: str, schema: Node) -> Iterator[tuple[str, Node]]:
    yield place, schema
    for name, below in schema.get("properties", {}).items():
        yield from _below(f"{place}.{name}", below)
    for word in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(word), dict):
            yield from _below(f"{place}.{word}", schema[word])


def _each(word: str, other: Callable[[Any], Any]) -> Change:
    """Change the value of `word` wherever it stands in a schema."""

    def change(document: Node) -> Iterator[str]:
        for place, schema in _schemas(document):
            if word in schema and not isinstance(schema[word], dict):
                before = schema[word]
                schema[word] = other(before)
                yield place
                schema[word] = before

    return change


def _without(word: str) -> Change:
    """Take `word` out wherever it stands in a schema."""

    def change(document: Node) -> Iterator[str]:
        for place, schema in _schemas(document):
            if word in schema:
                before = schema.pop(word)
                yield place
                schema[word] = before

    return change


def _with(word: str, value: Any, kind: str) -> Change:
    """Add `word` to every schema of this kind that does not have it."""

    def change(document: Node) -> Iterator[str]:
        for place, schema in _schemas(document):
            if schema.get("type") == kind and word not in schema:
                schema[word] = value
                yield place
                del schema[word]

    return change


def _other_type(document: Node) -> Iterator[str]:
    return _each("type", lambda kind: "boolean" if kind != "boolean" else "string")(document)


def _nullable(document: Node) -> Iterator[str]:
    return _each("type", lambda kind: [kind, "null"])(document)


def _other_reference(document: Node) -> Iterator[str]:
    return _each("$ref", lambda _: "#/components/schemas/Health")(document)


def _new_component(document: Node) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    for name, schema in (
        ("NewThing", {"type": "object", "properties": {"name": {"type": "string"}}}),
        ("NewWord", {"type": "string", "enum": ["a"]}),
    ):
        schemas[name] = schema
        yield name
        del schemas[name]


def _lost_component(document: Node) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    for name in list(schemas):
        before = schemas.pop(name)
        yield name
        schemas[name] = before


def _new_property(document: Node) -> Iterator[str]:
    for name, schema in _components(document):
        if "properties" in schema:
            schema["properties"]["brand_new"] = {"type": "string"}
            yield name
            del schema["properties"]["brand_new"]


def _lost_property(document: Node) -> Iterator[str]:
    for place, schema in _components(document):
        properties = schema.get("properties", {})
        for name in list(properties):
            before = properties.pop(name)
            yield f"{place}.{name}"
            properties[name] = before


def _required_or_not(document: Node) -> Iterator[str]:
    for place, schema in _components(document):
        for name in schema.get("properties", {}):
            before = copy.copy(schema)
            schema["required"] = sorted({name} ^ set(before.get("required", ())))
            yield f"{place}.{name}"
            schema.clear()
            schema.update(before)


def _lost_word_of_enum(document: Node) -> Iterator[str]:
    return _each("enum", lambda words: words[:-1])(document)


def _new_word_of_enum(document: Node) -> Iterator[str]:
    return _each("enum", lambda words: [*words, "brand_new"])(document)


def _new_default(document: Node) -> Iterator[str]:
    """A default where none was, on what may be left out of a request."""
    for name, schema in _components(document):
        if schema.get("additionalProperties") is False:
            for key, below in schema["properties"].items():
                if key not in schema.get("required", ()) and "default" not in below:
                    below["default"] = "brand new"
                    yield f"{name}.{key}"
                    del below["default"]


def _closed_or_open(document: Node) -> Iterator[str]:
    for name, schema in _components(document):
        if "properties" in schema:
            before = copy.copy(schema)
            if schema.pop("additionalProperties", None) is None:
                schema["additionalProperties"] = False
            yield name
            schema.clear()
            schema.update(before)


def _new_parameter(document: Node) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for where in ("query", "header"):
                if method != "parameters":
                    before = copy.copy(operation)
                    new = {"name": "brand_new", "in": where, "schema": {"type": "string"}}
                    operation["parameters"] = [*operation.get("parameters", ()), new]
                    yield f"{method} {path} {where}"
                    operation.clear()
                    operation.update(before)


def _lost_parameter(document: Node) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                for index, parameter in enumerate(list(operation.get("parameters", ()))):
                    del operation["parameters"][index]
                    yield f"{method} {path} {index}"
                    operation["parameters"].insert(index, parameter)


def _renamed_parameter(document: Node) -> Iterator[str]:
    for place, parameter in _parameters(document):
        before = parameter["name"]
        if parameter["in"] != "path":
            parameter["name"] = "brand_new"
            yield place
            parameter["name"] = before


def _parameter_required_or_not(document: Node) -> Iterator[str]:
    for place, parameter in _parameters(document):
        before = dict(parameter)
        parameter["required"] = not parameter.get("required", False)
        yield place
        parameter.clear()
        parameter.update(before)


def _exploded_or_not(document: Node) -> Iterator[str]:
    for place, parameter in _parameters(document):
        if parameter["in"] == "query":
            before = dict(parameter)
            parameter["explode"] = not parameter.get("explode", True)
            yield place
            parameter.clear()
            parameter.update(before)


def _more(number: float) -> float:
    return number + 1


FEW = 4
"""Comparing takes some twentieth of a second, and there are thousands of places."""

BOUNDS = (
    *("minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "maxProperties"),
)
CHANGES: dict[str, Change] = {
    "another type": _other_type,
    "null is allowed": _nullable,
    "another reference": _other_reference,
    "another format": _each("format", lambda _: "byte"),
    "no format": _without("format"),
    "another default": _each("default", lambda _: "brand new"),
    "no default": _without("default"),
    "a new default": _new_default,
    "another pattern": _each("pattern", lambda pattern: f"{pattern[:-1]}x$"),
    "no pattern": _without("pattern"),
    "a new pattern": _with("pattern", "^x$", "string"),
    "a new format": _with("format", "uuid", "string"),
    "enum lost a word": _lost_word_of_enum,
    "enum got a word": _new_word_of_enum,
    "no enum": _without("enum"),
    "a new component": _new_component,
    "a lost component": _lost_component,
    "a new property": _new_property,
    "a lost property": _lost_property,
    "required or not": _required_or_not,
    "closed or open": _closed_or_open,
    "no exclusion": _without("not"),
    "no names of properties": _without("propertyNames"),
    "judged per item or not": _without("x-aura-judged-per-item"),
    "a new parameter": _new_parameter,
    "a lost parameter": _lost_parameter,
    "a renamed parameter": _renamed_parameter,
    "parameter required or not": _parameter_required_or_not,
    "exploded or not": _exploded_or_not,
    **{f"another {word}": _each(word, _more) for word in BOUNDS},
    **{f"no {word}": _without(word) for word in BOUNDS},
    **{
        f"a new {word}": _with(word, 3, kind)
        for kind, words in {
            "string": ("minLength", "maxLength"),
            "integer": ("minimum", "maximum"),
            "number": ("minimum", "maximum"),
            "array": ("minItems", "maxItems"),
        }.items()
        for word in words
    },
}


@pytest.mark.parametrize("kind", CHANGES)
def test_the_comparison_notices(kind: str, contract: Contract) -> None:
    """A change of this kind is found, in a few places of the document, each time others."""
    document = contract.as_dict()
    made = sum(1 for _ in CHANGES[kind](document))
    assert made > 0, "the document has nothing that can be changed so"
    _check_that_it_is_noticed(kind, document, random.sample(range(made), min(made, FEW)))
    assert document == contract.as_dict(), "a change was not undone"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", CHANGES)
def test_the_comparison_notices_everywhere(kind: str, contract: Contract) -> None:
    """Every change of this kind, wherever the document allows it, is found."""
    document = contract.as_dict()
    made = sum(1 for _ in CHANGES[kind](document))
    _check_that_it_is_noticed(kind, document, range(made))


def _check_that_it_is_noticed(kind: str, document: Node, wanted: Container[int]) -> None:
    """Of all changes of this kind to `document`, the `wanted` ones; none of them is left in it."""
    changes = enumerate(CHANGES[kind](document))
    unnoticed = [place for at, place in changes if at in wanted and not drift(document)]
    assert unnoticed == []
