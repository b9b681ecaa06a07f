"""The checker of responses lets through what the contract declares, and nothing else.

Imports pytest, aura_aio.contract, `conformance` and `json_schema`.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from multidict import CIMultiDict

from aura_aio.contract.document import load_contract
from aura_aio.contract.references import mapping, operations, resolve
from tests.contract.conformance import NotInContract, check_response, find_operation

CONTRACT = load_contract()
CID = "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d"
ACCEPTED = {"status": "queued", "message": "It is queued.", "cid": CID}
ACCEPTED_HEADERS = {"Content-Type": "application/json", "Location": f"/api/runs/{CID}"}
PROBLEM = {"type": "urn:aura:problem:x", "title": "X", "status": 404, "detail": "It is not there."}
PROBLEM_HEADERS = {"Content-Type": "application/problem+json"}


def _check(
    method: str, where: str, status: int, headers: Mapping[str, str], body: Any = b""
) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    check_response(CONTRACT, method, where, status, CIMultiDict(headers), text)


def test_every_example_of_an_answer_passes() -> None:
    """The document's own examples, with the headers that they need."""
    headers = {"Retry-After": "5", "Location": "/x", "Upgrade": "websocket", "ETag": "x"}
    headers["WWW-Authenticate"] = "Bearer"
    document, passed = CONTRACT.as_dict(), 0
    for _, method, _, operation in operations(document):
        for status, response in operation["responses"].items():
            content = mapping(resolve(document, response).get("content"))
            for media_type, each in content.items():
                values = [v["value"] for v in each.get("examples", {}).values()]
                for value in values or [each["example"]]:
                    found = {**headers, "Content-Type": media_type}
                    _check(method.upper(), operation["operationId"], int(status), found, value)
                    passed += 1
    assert passed > len(CONTRACT.operations) * 5


@pytest.mark.parametrize(
    ("method", "where", "operation_id"),
    [
        ("GET", "getRun", "getRun"),
        ("GET", "/api/runs/{cid}", "getRun"),
        ("GET", f"/api/runs/{CID}", "getRun"),
        ("HEAD", f"/api/runs/{CID}", "getRun"),
        ("GET", "/api/runs/active", "listActiveRuns"),
        ("GET", "/api/plans/hello/tasks/reports%2Fdaily", "getTask"),
        ("POST", "/api/tasks/status/batch", "getTaskStatusBatch"),
        ("POST", f"/api/tasks/{CID}/cancel", "cancelTask"),
    ],
)
def test_operations_are_found(method: str, where: str, operation_id: str) -> None:
    """By id, template, or raw path; what is written out goes before what is a parameter."""
    operation = find_operation(CONTRACT, method, where)
    assert operation is not None
    assert operation.operation_id == operation_id


@pytest.mark.parametrize(
    ("method", "where"),
    [("GET", "/api/runs/"), ("GET", "/api/runs/a/b"), ("PUT", "/api/runs"), ("GET", "/api")],
)
def test_other_paths_are_no_operations(method: str, where: str) -> None:
    """A parameter is one segment, and never empty."""
    assert find_operation(CONTRACT, method, where) is None


def test_a_good_answer_passes() -> None:
    """With and without what is optional; JSON may say that it is UTF-8."""
    _check("POST", "/api/tasks/run", 202, ACCEPTED_HEADERS, ACCEPTED)
    replayed = {**ACCEPTED_HEADERS, "Idempotent-Replayed": "true"}
    _check("POST", "/api/tasks/run", 202, replayed, ACCEPTED)
    spelled = {**ACCEPTED_HEADERS, "content-type": "application/json; charset=utf-8"}
    _check("POST", "/api/tasks/run", 202, spelled, ACCEPTED)


def test_an_upgrade_passes_without_a_body() -> None:
    """And not with one."""
    _check("GET", "/ws/logs", 101, {})
    with pytest.raises(NotInContract, match="no body"):
        _check("GET", "/ws/logs", 101, {}, b"x")


def test_head_is_answered_without_a_body() -> None:
    """But with the status and the headers of GET."""
    _check("HEAD", "/healthz", 200, {"Content-Type": "application/json"})
    with pytest.raises(NotInContract, match="declared are"):
        _check("HEAD", "/healthz", 201, {})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": 200}, "declared are"),
        ({"headers": {"Content-Type": "application/json"}}, "header Location is missing"),
        (
            {"headers": {**ACCEPTED_HEADERS, "Idempotent-Replayed": "yes"}},
            '"yes" is not of type "boolean"',
        ),
        ({"headers": {**ACCEPTED_HEADERS, "Content-Type": "text/plain"}}, "Content-Type is"),
        (
            {"headers": {**ACCEPTED_HEADERS, "Content-Type": "application/json; charset=latin-1"}},
            "always UTF-8",
        ),
        ({"headers": {"Location": "/x"}}, "Content-Type is 'none'"),
        ({"body": b""}, "not JSON"),
        ({"body": b"{"}, "not JSON"),
        ({"body": b'{"a": NaN}'}, "NaN is no JSON"),
        ({"body": b'{"a": 1, "a": 2}'}, "twice"),
        ({"body": b'{"a": "\xff"}'}, "not JSON"),
        ({"body": []}, 'is not of type "object"'),
        ({"body": {**ACCEPTED, "cid": "1"}}, "does not match"),
        ({"body": {**ACCEPTED, "cid": None}}, 'null is not of type "string"'),
        ({"body": {**ACCEPTED, "status": "done"}}, "is not one of"),
        ({"body": {**ACCEPTED, "more": 1}}, "'more' was unexpected"),
        ({"body": {"status": "queued", "message": "x"}}, '"cid" is a required property'),
    ],
)
def test_a_bad_answer_is_refused(change: dict[str, Any], expected: str) -> None:
    """The message says what is wrong, and in which answer."""
    answer = {"status": 202, "headers": ACCEPTED_HEADERS, "body": ACCEPTED, **change}
    with pytest.raises(NotInContract, match="runTask") as caught:
        _check("POST", "/api/tasks/run", answer["status"], answer["headers"], answer["body"])
    assert expected in str(caught.value)


def test_formats_are_checked() -> None:
    """A time without an offset is none; a count is no fraction."""
    headers = {"Content-Type": "application/json"}
    item = {"cid": CID, "status": "running", "started_at": "2026-03-02T09:15:00"}
    with pytest.raises(NotInContract, match='is not a "date-time"'):
        _check("POST", "getTaskStatusBatch", 200, headers, {"items": [item]})
    with pytest.raises(NotInContract, match="greater than the maximum of 2147483647"):
        _check(
            *("POST", "reloadPlans", 200, headers),
            {"plan_count": 2**31, "task_count": 0, "task_error_count": 0},
        )


def test_problems_are_checked() -> None:
    """Their status is that of the answer, their media type their own, Retry-After a number."""
    _check("GET", "/api/runs/x", 404, PROBLEM_HEADERS, PROBLEM)
    with pytest.raises(NotInContract, match="the problem's status is 422"):
        _check("GET", "/api/runs/x", 404, PROBLEM_HEADERS, {**PROBLEM, "status": 422})
    with pytest.raises(NotInContract, match="Content-Type is 'application/json'"):
        _check("GET", "/api/runs/x", 404, {"Content-Type": "application/json"}, PROBLEM)
    with pytest.raises(NotInContract, match="header Retry-After is missing"):
        _check("GET", "/api/runs/x", 503, PROBLEM_HEADERS, {**PROBLEM, "status": 503})
    soon = {**PROBLEM_HEADERS, "Retry-After": "soon"}
    with pytest.raises(NotInContract, match='"soon" is not of type "integer"'):
        _check("GET", "/api/runs/x", 503, soon, {**PROBLEM, "status": 503})


def test_what_the_router_answers() -> None:
    """404 for a path, 405 with Allow for a method; nothing else, and always a problem."""
    _check("GET", "/nowhere", 404, PROBLEM_HEADERS, PROBLEM)
    allowing = {**PROBLEM_HEADERS, "Allow": "GET,HEAD"}
    _check("PUT", "/api/runs", 405, allowing, {**PROBLEM, "status": 405})
    with pytest.raises(NotInContract, match="it should be 404"):
        _check("GET", "/nowhere", 200, {"Content-Type": "application/json"}, {})
    with pytest.raises(NotInContract, match="it should be 405"):
        _check("PUT", "/api/runs", 404, PROBLEM_HEADERS, PROBLEM)
    with pytest.raises(NotInContract, match=r"Allow is \[''\]"):
        _check("PUT", "/api/runs", 405, PROBLEM_HEADERS, {**PROBLEM, "status": 405})
    with pytest.raises(NotInContract, match="Content-Type is 'text/plain'"):
        _check("GET", "/nowhere", 404, {"Content-Type": "text/plain"}, b"404")
