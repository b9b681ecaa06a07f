"""asyncapi.yaml: consistent in itself, and of one mind with openapi.yaml.

Imports jsonschema, PyYAML, aura_aio.api.log_messages and pytest.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

import aura_aio
from aura_aio.api.log_messages import Subscribe, understand
from aura_aio.logs.payload import LogEntryView
from aura_aio.model.errors import RequestInvalid
from aura_aio.model.log import LogLevel
from aura_aio.model.states import TERMINAL
from tests.streams.contract import asyncapi, validator

OPENAPI = Path(aura_aio.__file__).parent.parent / "openapi.yaml"
WORDS = ("description", "summary", "title", "example", "examples", "default")


def references(node: Any) -> Iterator[str]:
    """Every $ref in it."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def resolved(document: Any, node: Any) -> Any:
    """`node` with every reference replaced by what it stands for, and without words for people."""
    if isinstance(node, list):
        return [resolved(document, each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return resolved(document, found(document, node["$ref"]))
    # Properties are named as they like, `title` too.
    return {
        key: {name: resolved(document, each) for name, each in value.items()}
        if key == "properties"
        else resolved(document, value)
        for key, value in node.items()
        if key not in WORDS
    }


def found(document: Any, reference: str) -> Any:
    """What a reference names."""
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        document = document[part]
    return document


def schema(document: Any, name: str) -> Any:
    """A schema, comparable."""
    return resolved(document, document["components"]["schemas"][name])


def test_every_reference_leads_somewhere() -> None:
    for reference in references(asyncapi()):
        assert found(asyncapi(), reference)


def test_every_schema_is_one() -> None:
    for each in asyncapi()["components"]["schemas"].values():
        Draft202012Validator.check_schema(each)


@pytest.mark.parametrize("message", asyncapi()["components"]["messages"])
def test_every_message_has_examples_that_fit(message: str) -> None:
    examples = asyncapi()["components"]["messages"][message]["examples"]
    assert examples
    for example in examples:
        validator(message).validate(example["payload"])


def test_the_channel_and_the_operations_name_every_message() -> None:
    document = asyncapi()
    channel = document["channels"]["logs"]["messages"]
    assert channel.keys() == document["components"]["messages"].keys()
    named = [
        reference
        for operation in document["operations"].values()
        for reference in references([operation["messages"], operation.get("reply", {})])
        if "/messages/" in reference
    ]
    assert sorted(named) == sorted(f"#/channels/logs/messages/{name}" for name in channel)


@pytest.mark.parametrize("name", ["LogEntry", "Problem", "LogLevel", "Cid"])
def test_what_both_documents_describe_is_the_same(name: str) -> None:
    openapi = yaml.load(OPENAPI.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert schema(asyncapi(), name) == schema(openapi, name)


def test_the_query_is_the_one_of_openapi() -> None:
    openapi = yaml.load(OPENAPI.read_text("utf-8"), Loader=yaml.CSafeLoader)
    parameters = openapi["paths"]["/ws/logs"]["get"]["parameters"]
    there = {
        parameter["name"]: resolved(openapi, parameter["schema"])
        for parameter in (
            found(openapi, each["$ref"]) if "$ref" in each else each for each in parameters
        )
    }
    here = schema(asyncapi(), "LogStreamQuery")["properties"]
    assert {name: here[name] for name in there} == there


def test_subscribe_takes_what_the_query_takes() -> None:
    query = dict(schema(asyncapi(), "LogStreamQuery")["properties"])
    subscribe = dict(schema(asyncapi(), "Subscribe")["properties"])
    assert subscribe.pop("type") == {"const": "subscribe"}
    assert subscribe == query
    assert set(query) == set(Subscribe.__struct_fields__)


def test_the_entry_has_the_properties_of_the_contract() -> None:
    entry = asyncapi()["components"]["schemas"]["LogEntry"]
    fields = msgspec.structs.fields(LogEntryView)
    assert [field.name for field in fields] == list(entry["properties"])
    assert [field.name for field in fields if field.required] == entry["required"]


def test_the_words() -> None:
    schemas = asyncapi()["components"]["schemas"]
    assert schemas["LogLevel"]["enum"] == [level.value for level in LogLevel]
    assert schemas["LeastLevel"]["enum"] == [level.value for level in LogLevel]
    assert set(schemas["RunEnd"]["properties"]["status"]["examples"]) == TERMINAL


BOUNDS: list[tuple[str, Any, bool]] = [
    ("level", "warning", True),
    ("level", "WARNING", False),
    ("level", "loud", False),
    ("level", None, False),
    ("cid", "x" * 64, True),
    ("cid", "x" * 65, False),
    ("cid", "", False),
    ("plan_name", "x" * 255, True),
    ("plan_name", "x" * 256, False),
    ("task_name", "x" * 512, True),
    ("task_name", "x" * 513, False),
    ("since", 0, True),
    ("since", 2**53 - 1, True),
    ("since", 2**53, False),
    ("since", -1, False),
    ("since", 1.5, False),
    ("since", "1", False),
    ("tail", 0, True),
    ("tail", 10_000, True),
    ("tail", 10_001, False),
    ("batch", True, True),
    ("batch", 1, False),
    ("unknown", 1, False),
]


@pytest.mark.parametrize(("name", "value", "valid"), BOUNDS)
def test_document_and_server_draw_the_same_line(name: str, value: Any, valid: bool) -> None:
    message = {"type": "subscribe", name: value}
    assert validator("subscribe").is_valid(message) is valid
    text = msgspec.json.encode(message).decode()
    if valid:
        understand(text)
    else:
        with pytest.raises(RequestInvalid):
            understand(text)
