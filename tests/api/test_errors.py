"""Bad requests: each gets the problem of CONTRACT.md, with a sentence that says what to do."""

import json
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest

from tests.serving import Served

RUN = "/api/tasks/run"
JSON = {"Content-Type": "application/json"}


def _problem(response: Any, status: int, kind: str) -> Any:
    assert response.status == status
    assert response.headers["Content-Type"].startswith("application/problem+json")
    problem = response.json
    assert problem["type"] == f"urn:aura:problem:{kind}"
    assert problem["status"] == status
    return problem


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nothing",
        b'{"plan_name": "probe", "task_name": "echo", "inputs": {"text": NaN}}',
        b'{"plan_name": "\\ud800", "task_name": "echo"}',
        b'{"plan_name": "\xff", "task_name": "echo"}',
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_json_is_a_400(probe: Served, body: bytes) -> None:
    response = await probe.post(RUN, data=body, headers=JSON)
    assert "not JSON" in _problem(response, 400, "invalid-json")["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"priority": "5"}, "/priority"),
        ({"priority": 101}, "/priority"),
        ({"priority": None}, "/priority"),
        ({"priority": True}, "/priority"),
        ({"plan_name": 7}, "/plan_name"),
        ({"inputs": []}, "/inputs"),
        ({"labels": {"team": 1}}, "/labels/team"),
        ({"run_at": "2026-01-01T00:00:00"}, "/run_at"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_body_that_breaks_the_contract_is_a_422_with_the_field(
    probe: Served, change: dict[str, Any], field: str
) -> None:
    body = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}, **change}
    problem = _problem(await probe.post(RUN, body), 422, "invalid-request")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["errors"][0]["location"] == "body"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/tasks/cancel"), ("PATCH", "/api/schedules/x")]
)
async def test_a_body_that_is_needed_may_be_empty_but_not_absent(
    probe: Served, method: str, path: str
) -> None:
    """A client that loses its filters must not cancel everything."""
    problem = _problem(await probe.request(method, path), 422, "invalid-request")
    assert problem["errors"][0]["location"] == "body"
    assert "needs a body" in problem["detail"]
    assert (await probe.request(method, path, json={})).status != 422


async def test_every_fault_of_a_body_is_named(probe: Served) -> None:
    problem = _problem(await probe.post(RUN, {"priority": "x"}), 422, "invalid-request")
    assert {error["field"] for error in problem["errors"]} == {
        "/plan_name",
        "/task_name",
        "/priority",
    }


async def test_delay_and_time_exclude_each_other(probe: Served) -> None:
    body = {
        "plan_name": "probe",
        "task_name": "echo",
        "delay_sec": 1,
        "run_at": "2030-01-01T00:00:00Z",
    }
    _problem(await probe.post(RUN, body), 422, "invalid-request")


async def test_a_mistyped_plan_is_a_400_with_a_suggestion(probe: Served) -> None:
    response = await probe.post(RUN, {"plan_name": "prode", "task_name": "echo"})
    assert "Did you mean 'probe'?" in _problem(response, 400, "bad-reference")["detail"]


async def test_a_mistyped_task_is_a_400_with_a_suggestion(probe: Served) -> None:
    response = await probe.post(RUN, {"plan_name": "probe", "task_name": "ecko"})
    assert "Did you mean 'echo'?" in _problem(response, 400, "bad-reference")["detail"]


async def test_inputs_that_break_the_task_are_a_400_that_names_each(probe: Served) -> None:
    inputs = {"times": 11, "other": 1, "dotted.name": 1, "a/b~c[0]": 1}
    body = {"plan_name": "probe", "task_name": "echo", "inputs": inputs}
    problem = _problem(await probe.post(RUN, body), 400, "inputs-rejected")
    fields = {error["field"] for error in problem["errors"]}
    assert fields == {
        "/inputs/text",
        "/inputs/times",
        "/inputs/other",
        "/inputs/dotted.name",
        "/inputs/a~1b~0c[0]",
    }


async def test_a_body_over_the_limit_is_a_413(probe: Served) -> None:
    body = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x" * 1_100_000}}
    data = BytesIO(json.dumps(body).encode())  # aiohttp's client warns of large bytes
    _problem(await probe.post(RUN, data=data, headers=JSON), 413, "body-too-large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_another_content_type_is_a_415(probe: Served, content_type: str) -> None:
    body = json.dumps({"plan_name": "probe", "task_name": "echo"})
    response = await probe.post(RUN, data=body, headers={"Content-Type": content_type})
    assert "application/json" in _problem(response, 415, "unsupported-media-type")["detail"]


async def test_another_method_is_a_405_that_names_the_right_ones(probe: Served) -> None:
    response = await probe.request("DELETE", RUN)
    _problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "OPTIONS, POST"


async def test_an_unknown_path_is_a_404(probe: Served) -> None:
    problem = _problem(await probe.get("/api/no/such"), 404, "no-such-path")
    assert problem["instance"] == "/api/no/such"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/runs/{cid}"),
        ("GET", "/api/runs/{cid}/logs"),
        ("POST", "/api/tasks/{cid}/cancel"),
    ],
)
async def test_an_unknown_cid_is_a_404(probe: Served, method: str, path: str) -> None:
    path = path.format(cid="019cadd4-0000-7000-8000-000000000000")
    _problem(await probe.request(method, path), 404, "run-not-found")


async def test_the_longest_names_that_the_contract_allows_fit_into_a_path(probe: Served) -> None:
    plan, task = (quote("\U0001f600" * length) for length in (255, 512))
    _problem(await probe.get(f"/api/plans/{plan}/tasks/{task}"), 404, "plan-not-found")


async def test_an_unknown_query_parameter_is_a_422(probe: Served) -> None:
    problem = _problem(await probe.get("/api/runs?plan=probe"), 422, "invalid-request")
    assert problem["errors"][0]["location"] == "query"
    assert problem["errors"][0]["field"] == "/plan"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00"])
async def test_a_strange_cursor_is_a_400(probe: Served, cursor: str) -> None:
    _problem(await probe.get(f"/api/runs?cursor={cursor}"), 400, "bad-cursor")


async def test_a_cursor_of_another_list_is_a_400(waiting: Served) -> None:
    for _ in range(2):
        await waiting.run("probe", "echo", inputs={"text": "x"})
    cursor = (await waiting.get("/api/queue/list?limit=1")).json["next_cursor"]
    _problem(await waiting.get(f"/api/runs?cursor={cursor}"), 400, "bad-cursor")


async def test_another_host_name_is_refused(probe: Served) -> None:
    response = await probe.get("/api/runs", headers={"Host": "evil.example"})
    _problem(response, 403, "forbidden")


async def test_a_page_of_another_origin_is_refused(probe: Served) -> None:
    origin = {"Origin": "http://evil.example"}
    _problem(await probe.post("/api/system/stop", headers=origin), 403, "forbidden")
    own = await probe.get("/api/runs", headers={"Origin": probe.url})
    assert own.status == 200


async def test_a_full_queue_is_a_429_with_retry_after(make_server: Any, probe_root: str) -> None:
    server = await make_server(plans=[probe_root], start=False, queue_limit=2)
    for _ in range(2):
        await server.run("probe", "echo", inputs={"text": "x"})
    body = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}
    response = await server.post(RUN, body)
    _problem(response, 429, "queue-full")
    assert int(response.headers["Retry-After"]) > 0


async def test_the_clients_request_id_comes_back(probe: Served) -> None:
    response = await probe.get("/api/runs", headers={"X-Request-ID": "order-4711"})
    assert response.headers["X-Request-ID"] == "order-4711"
    assert (await probe.get("/api/no/such")).headers["X-Request-ID"]
