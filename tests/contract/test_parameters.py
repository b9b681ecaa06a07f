"""Parameters are read from text strictly, in a real application, and shown in the Swagger view.

Imports pytest, aiohttp, webargs, apispec, aura_aio.api.schemas and aura_aio.contract.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import ValidationError
from multidict import CIMultiDict
from webargs.aiohttpparser import AIOHTTPParser

from aura_aio.api.schemas import (
    SCHEMAS,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.contract.document import load_contract

CONTRACT = load_contract()
PARSER = AIOHTTPParser()


async def _query(operation_id: str, query: str) -> Any:
    """What the operation's schema makes of a query, by way of a real request."""
    request = make_mocked_request("GET", f"/?{query}")
    schema = query_schema_of(CONTRACT.operation(operation_id))
    return await PARSER.async_parse(schema, request, location="query", unknown=None)


async def _faults(operation_id: str, query: str) -> Any:
    request = make_mocked_request("GET", f"/?{query}")
    schema = query_schema_of(CONTRACT.operation(operation_id))
    with pytest.raises(ValidationError) as caught:
        schema.load(PARSER.load_querystring(request, schema))
    return caught.value.messages


async def test_all_filters_of_list_runs() -> None:
    """Each with its type; repeated ones and comma-separated ones as lists."""
    query = (
        "plan_name=hello&task_name=greet&status=queued&status=running&label=team%3Da%3Db&label=x%3D"
        "&created_after=2026-03-02T09:15:00%2B08:00&q=a&include=inputs,result&limit=7&cursor=abc"
    )
    assert await _query("listRuns", query) == {
        "plan_name": "hello",
        "task_name": "greet",
        "status": ["queued", "running"],
        "label": ["team=a=b", "x="],
        "created_after": datetime(2026, 3, 2, 1, 15, tzinfo=UTC),
        "q": "a",
        "include": ["inputs", "result"],
        "limit": 7,
        "cursor": "abc",
    }


@pytest.mark.parametrize(
    ("operation_id", "expected"),
    [
        ("listRuns", {"limit": 50}),
        ("getRun", {"wait_sec": 0}),
        ("listRunLogs", {"level": "debug", "wait_sec": 0, "limit": 50}),
        ("listQueue", {"state": "ready", "limit": 50}),
        ("connectLogStream", {"level": "debug", "batch": False}),
        ("getHealth", {}),
    ],
)
async def test_defaults(operation_id: str, expected: dict[str, Any]) -> None:
    """An absent query means the defaults."""
    assert await _query(operation_id, "") == expected


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)]
)
async def test_flags(text: str, value: bool) -> None:
    """As JSON spells them, or as numbers."""
    assert (await _query("connectLogStream", f"batch={text}"))["batch"] is value


@pytest.mark.parametrize(
    ("operation_id", "name", "texts"),
    [
        (
            "listRuns",
            "limit",
            ["0", "1001", "5.0", "1e1", "", "%20 5", "5_0", "+5", "\u0665", "x" * 99],
        ),
        ("getRun", "wait_sec", ["-1", "55.1", "nan", "inf", "1_0", ".5", "", "1e400", "\u0665"]),
        ("connectLogStream", "since", ["-1", "9007199254740992", "1" * 5000]),
        ("connectLogStream", "batch", ["yes", "True", "", "2"]),
        ("listRuns", "created_after", ["2026-03-02", "2026-03-02T09:15:00+08:00", "1772442900"]),
        ("listRuns", "label", ["team", "=x", "a" * 64 + "=x", "a=" + "x" * 256]),
        ("listRuns", "status", ["done", "", "queued,running"]),
        ("listRuns", "include", ["everything", "inputs,", "inputs,result,inputs"]),
        ("listRuns", "q", ["", "x" * 201]),
        ("listRunLogs", "level", ["INFO", "20", ""]),
    ],
)
async def test_bad_values_are_refused(operation_id: str, name: str, texts: Sequence[str]) -> None:
    """What Python's own conversions would let through, too."""
    for text in texts:
        assert list(await _faults(operation_id, f"{name}={text}")) == [name], text


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda each: each.operation_id)
async def test_unknown_parameters_are_refused(operation: Any) -> None:
    """A mistyped filter must not look like one that matched everything."""
    (name, (told,)), *others = (await _faults(operation.operation_id, "stauts=queued")).items()
    assert (name, others) == ("stauts", [])
    assert told.startswith("There is no such query parameter.")
    if operation.operation_id == "listRuns":
        assert told.endswith("Did you mean 'status'?")


async def test_a_single_value_is_given_once() -> None:
    """Which of two would be meant?"""
    assert await _faults("listRuns", "limit=5&limit=6&status=queued&status=failed") == {
        "limit": ["Must be given only once."]
    }
    assert await _faults("listRuns", "include=inputs&include=result") == {
        "include": ["Must be given only once."]
    }


async def test_headers_are_found_in_any_case_among_others() -> None:
    """The key under the name of a Python argument; what else a client sends is left alone."""
    schema = headers_schema_of(CONTRACT.operation("runTask"))
    assert schema is not None
    request = make_mocked_request(
        "POST", "/", headers=CIMultiDict({"idempotency-key": "order-4711", "Accept": "*/*"})
    )
    found = await PARSER.async_parse(schema, request, location="headers", unknown=None)
    assert found == {"idempotency_key": "order-4711"}
    assert schema.load({}) == {}


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\tb"])
def test_bad_idempotency_keys_are_refused(key: str) -> None:
    """Visible ASCII, 1 to 255 of it."""
    schema = headers_schema_of(CONTRACT.operation("runTaskBatch"))
    assert schema is not None
    assert list(schema.validate({"Idempotency-Key": key})) == ["Idempotency-Key"]


def test_a_cid_in_a_path_may_be_any_text() -> None:
    """One that belongs to no run is a 404, not a 422; up to 64 characters."""
    schema = path_schema_of(CONTRACT.operation("getRun"))
    assert schema is not None
    assert schema.load({"cid": "no uuid"}) == {"cid": "no uuid"}
    assert schema.validate({"cid": "x" * 65}) != {}


def test_the_swagger_view_can_be_made() -> None:
    """apispec understands every schema, with its bounds, and warns of nothing."""
    spec = APISpec("Aura", "1", openapi_version="2.0", plugins=[MarshmallowPlugin()])
    for name, schema in SCHEMAS.items():
        if name.removesuffix("Schema") in CONTRACT.components:
            spec.components.schema(name.removesuffix("Schema"), schema=schema)
    seen = spec.to_dict()["definitions"]
    task = seen["AdHocTaskRequest"]
    assert task["required"] == ["plan_name", "task_name"]
    assert task["properties"]["plan_name"] == {"type": "string", "minLength": 1, "maxLength": 255}
    bounds = {"minimum": -100, "maximum": 100, "default": 0}
    assert task["properties"]["priority"] == {"type": "integer", "format": "int32"} | bounds
    assert task["properties"]["run_at"] == {"type": "string", "format": "date-time"}
    assert seen["RunList"]["properties"]["items"]["items"] == {"$ref": "#/definitions/RunSummary"}
