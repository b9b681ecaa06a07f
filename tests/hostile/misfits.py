"""From the contract: for every operation each property of its body, and each parameter, once wrong.

Imports aura_aio.contract, tests.contract.example_requests and `case`.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from aura_aio.contract.document import Contract, load_contract
from aura_aio.contract.references import mapping, parameters
from tests.contract.example_requests import example_requests
from tests.hostile.case import Case, named
from tests.hostile.wire import request

OF_TYPES: dict[str, Any] = {
    "string": "?",
    "number": 1.5,
    "boolean": True,
    "array": [[]],
    "object": {"?": 1},
    "null": None,
}
AS_TEXT = {
    "integer": ("?", "1.5", "", "true"),
    "number": ("?", "nan", "", "[]"),
    "boolean": ("?", "2", ""),
}


def cases() -> Iterator[Case]:
    """All of them."""
    contract = load_contract()
    yield from named("misfit", dict(_bodies(contract)), 400, 404, 422)
    yield from named("parameter", dict(_parameters(contract)), 400, 404, 422, 426)


def _bodies(contract: Contract) -> Iterator[tuple[str, bytes]]:
    document = contract.as_dict()
    for example in example_requests(contract):
        operation = example.operation
        node = document["paths"][operation.path][operation.method.lower()]
        content = mapping(mapping(node.get("requestBody")).get("content"))
        if "application/json" not in content:
            continue
        schema = content["application/json"]["schema"]
        body = example.body
        if operation.operation_id == "runTaskBatch":
            body = {**body, "atomic": True}  # without it one bad task is refused by itself
        for place, wrong in _wrong(document, schema, body, 0):
            sent = request(operation.method, example.path, body=json.dumps(wrong).encode())
            yield f"{operation.operation_id}{place}", sent


def _wrong(document: Any, schema: Any, good: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Values that break `schema` in one place; `good` is one that does not."""
    schema = _resolved(document, schema)
    kind = schema.get("type")
    if kind is None or depth > 3:
        return
    for name, value in OF_TYPES.items():
        if name != kind:
            yield f" is {name}", value
    match kind:
        case "object" if isinstance(good, dict):
            yield from _wrong_object(document, schema, good, depth)
        case "array":
            item = good[0] if isinstance(good, list) and good else None
            for place, value in _wrong(document, schema["items"], item, depth + 1):
                yield f"/0{place}", [value]
        case "integer" | "number":
            yield from ((f" is {value}", value) for value in _out_of_bounds(schema))
        case "string" if "maxLength" in schema:
            yield " is too long", "x" * (schema["maxLength"] + 1)


def _wrong_object(document: Any, schema: Any, good: Any, depth: int) -> Iterator[tuple[str, Any]]:
    for name in schema.get("required", ()):
        yield f" without {name}", {each: good[each] for each in good if each != name}
    if schema.get("additionalProperties") is False:
        yield " with another property", {**good, "zzz": 1}
    for name, below in schema.get("properties", {}).items():
        for place, value in _wrong(document, below, good.get(name), depth + 1):
            yield f"/{name}{place}", {**good, name: value}


def _out_of_bounds(schema: Any) -> Iterator[int]:
    if "minimum" in schema:
        yield int(schema["minimum"]) - 1
    if "maximum" in schema:
        yield int(schema["maximum"]) + 1
    yield 10**400


def _parameters(contract: Contract) -> Iterator[tuple[str, bytes]]:
    document = contract.as_dict()
    for example in example_requests(contract):
        operation = example.operation
        item = document["paths"][operation.path]
        path = example.path.partition("?")[0]
        body = b"" if example.body is None else json.dumps(example.body).encode()
        unknown = request(operation.method, f"{path}?zzz=1", body=body)
        if operation.operation_id not in {"getHealth", "getReadiness", "getMetrics"}:
            yield f"{operation.operation_id}?zzz", unknown
        for parameter in parameters(document, item, item[operation.method.lower()]):
            kind = _resolved(document, parameter["schema"]).get("type")
            if parameter["in"] != "query" or kind not in AS_TEXT:
                continue
            for text in AS_TEXT[kind]:
                query = f"{parameter['name']}={quote(text)}"
                sent = request(operation.method, f"{path}?{query}", body=body)
                yield f"{operation.operation_id}?{query}", sent


def _resolved(document: Any, schema: Any) -> Any:
    while "$ref" in schema:
        found = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema
