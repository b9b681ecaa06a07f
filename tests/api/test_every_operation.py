"""What every operation answers to what is wrong with the request, or with the server.

Nothing here lists operations: a new one is covered as soon as it stands in the contract. Each
answer is held against the contract, so each status must be declared there.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_aio.api import routes
from aura_aio.contract.document import load_contract
from aura_aio.model.errors import StoreUnavailable
from tests.conftest import MakeServer
from tests.contract.example_requests import ExampleRequest, example_requests
from tests.raw import Told, check_told, connection
from tests.serving import Response, Served, write_plan

CONTRACT = load_contract()
REQUESTS = list(example_requests(CONTRACT))
WITH_BODY = [each for each in REQUESTS if each.body is not None]
TASK = "meta: {inputs: [{name: name}]}\nsteps: {a: {action: log, params: {message: hi}}}\n"
JSON = {"Content-Type": "application/json"}
MOST_BYTES = 1024
PARTS = ("runs", "queue", "plans", "logs", "schedules", "system", "hot_reload")
ON_THEIR_OWN = {
    *("createTicket", "getGrant", "createToken", "listTokens", "revokeToken"),
    *("streamLogs", "connectLogStream"),
}
"""Operations that ask no part of the Scheduler for anything."""
HAVE_ANOTHER_400 = {"runScheduleNow", "connectLogStream"}
"""See test_schedules.py, and test_whole_server.py of the log stream."""
HAVE_ANOTHER_404 = {"resumeQueue"}
"""See test_narrowed.py."""
HAVE_ANOTHER_409 = {"reloadPlans"}
"""See test_system.py."""
ASK_THEMSELVES = {"getHealth", "getReadiness", "getRecovery", "getCapabilities"}
"""Operations that say how the server is, or was at its start."""


@pytest.fixture
async def strict(make_server: MakeServer) -> Served:
    """A server that takes small bodies only, starts nothing, and is open whoever makes a token."""
    return await make_server(max_body_bytes=MOST_BYTES, start=False, require_token="never")


async def _ask(server: Served, request: ExampleRequest, **options: Any) -> Response:
    return await server.request(request.operation.method, request.path, **options)


def _declaring(status: int) -> list[ExampleRequest]:
    return [each for each in REQUESTS if status in each.operation.statuses]


def _faults(response: Response, status: int) -> list[tuple[str, str]]:
    assert response.status == status, response.body
    return [(each["location"], each["field"]) for each in response.json.get("errors", ())]


def test_each_status_that_is_declared_has_its_walk() -> None:
    """One that comes to the contract needs one, too; 304 and 426 have theirs in
    test_http_habits.py and in tests/streams, 401 and 403 in test_access.py.
    """
    statuses = {status for each in REQUESTS for status in each.operation.statuses if status >= 300}
    walked = {400, 404, 408, 409, 413, 415, 422, 429, 500, 503}
    assert statuses == walked | {304, 401, 403, 426}


def test_there_is_something_to_walk() -> None:
    assert len(REQUESTS) > 50
    assert {each.operation.operation_id for each in WITH_BODY} >= {"runTask", "createSchedule"}


async def test_a_query_that_it_does_not_know(strict: Served) -> None:
    assert _declaring(422) == REQUESTS
    for each in REQUESTS:
        path = each.path + ("&" if "?" in each.path else "?") + "surprise=1"
        got = await strict.request(each.operation.method, path, **each.options)
        assert _faults(got, 422) == [("query", "/surprise")], each.operation.operation_id


async def test_a_body_that_is_none_of_its(strict: Served) -> None:
    assert _declaring(415) == _declaring(413) == WITH_BODY
    for each in WITH_BODY:
        name = each.operation.operation_id
        got = await _ask(strict, each, data=b"{", headers=JSON)
        assert (got.status, got.json["type"]) == (400, "urn:aura:problem:invalid-json"), name
        got = await _ask(strict, each, json={**each.body, "surprise/~": 1})
        assert ("body", "/surprise~1~0") in _faults(got, 422), name
        got = await _ask(strict, each, json=[])
        assert {place for place, _ in _faults(got, 422)} == {"body"}, name
        text = json.dumps(each.body)
        got = await _ask(strict, each, data=text, headers={"Content-Type": "text/plain"})
        assert got.status == 415, name
        got = await _ask(strict, each, data=text + " " * MOST_BYTES, headers=JSON)
        assert got.status == 413, name


async def test_a_body_that_does_not_come(make_server: MakeServer) -> None:
    server = await make_server(body_timeout_sec=0.3, start=False, workers=0)
    assert _declaring(408) == WITH_BODY
    answers = await asyncio.gather(*(_told_of_a_part(server, each) for each in WITH_BODY))
    for each, told in zip(WITH_BODY, answers, strict=True):
        check_told(CONTRACT, each, told)
        name = each.operation.operation_id
        assert (told.status, told.problem["type"]) == (408, "urn:aura:problem:too-slow"), name
    assert (await server.get("/api/runs")).json["items"] == []


async def _told_of_a_part(server: Served, request: ExampleRequest) -> Told:
    """The answer to a request whose last byte does not come; the connection ends with it."""
    async with connection(server.url) as made, asyncio.timeout(20):
        made.send(request.raw[:-1])
        return await made.last_answer()


async def test_a_cursor_that_is_none_of_its(strict: Served) -> None:
    cid = await strict.run("hello", "greet")
    listing = [
        each
        for each in REQUESTS
        if "cursor" in {parameter.name for parameter in each.operation.query_parameters}
    ]
    assert len(listing) > 5
    others = [each for each in _declaring(400) if each not in WITH_BODY + listing]
    assert {each.operation.operation_id for each in others} == HAVE_ANOTHER_400
    for each in listing:
        path = each.operation.path.replace("{cid}", cid) + "?cursor=nonsense"
        got = await strict.get(path)
        name = each.operation.operation_id
        assert (got.status, got.json["type"]) == (400, "urn:aura:problem:bad-cursor"), name


async def test_a_queue_that_is_full(make_server: MakeServer) -> None:
    server = await make_server(queue_limit=1, start=False)
    schedule = {"id": "s", "plan_name": "hello", "task_name": "greet", "every_sec": 86_400}
    assert (await server.post("/api/schedules", schedule)).status == 201
    finished = await server.run("hello", "greet")
    assert (await server.post(f"/api/tasks/{finished}/cancel")).status == 202
    await server.run("hello", "greet")
    for each in _declaring(429):
        name = each.operation.operation_id
        path = each.operation.path.replace("{cid}", finished).replace("{schedule_id}", "s")
        body = {"from": "start"} if name == "retryTask" else each.body
        got = await server.post(path, body)
        assert (got.status, got.json["type"]) == (429, "urn:aura:problem:queue-full"), name
        assert int(got.headers["Retry-After"]) > 0


async def test_a_run_or_a_plan_that_is_not_there(strict: Served) -> None:
    cid = "019cadd4-0000-7000-8000-000000000000"
    for each in _declaring(404):
        if each.operation.operation_id in HAVE_ANOTHER_404:
            continue
        path, body = each.path, each.body
        if "{" in each.operation.path:
            path = each.operation.path.replace("{cid}", cid)
            for parameter in each.operation.path_parameters:
                path = path.replace("{" + parameter.name + "}", "no")
        elif body is not None:
            body = {**body, "plan_name": "no"}
        got = await strict.request(each.operation.method, path, json=body)
        assert got.status == 404, (each.operation.operation_id, got.body)
        assert got.json["instance"] == path.partition("?")[0]


async def test_what_its_state_forbids(make_server: MakeServer, tmp_path: Path) -> None:
    root = write_plan(tmp_path / "plans", "hello", {"greet": TASK})
    (root / "schedule.yaml").write_text("nightly: {task: greet, every: 1d}", "utf-8")
    server = await make_server(plans=[str(root.parent)], start=False)
    schedule = {"plan_name": "hello", "task_name": "greet", "every_sec": 86_400}
    assert (await server.post("/api/schedules", {**schedule, "id": "greet-nightly"})).status == 201
    queued, finished = await server.run("hello", "greet"), await server.run("hello", "greet")
    assert (await server.post(f"/api/tasks/{finished}/cancel")).status == 202
    for each in _declaring(409):
        name = each.operation.operation_id
        if name in HAVE_ANOTHER_409:
            continue
        path = each.operation.path.replace("{cid}", queued if name == "retryTask" else finished)
        path = path.replace("{schedule_id}", "hello%2Fnightly")
        body = {"retryTask": {}, "updateSchedule": {"jitter_sec": 1}}.get(name, each.body)
        got = await server.request(each.operation.method, path, json=body)
        assert got.status == 409, (name, got.body)


class _Broken:
    """In place of a part of the Scheduler: whatever it is asked for, it fails."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:
        raise self._error()


@contextmanager
def _broken(server: Served, error: Callable[[], Exception]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for part in PARTS:
            patch.setattr(server.server.scheduler, part, _Broken(error))
        yield


async def test_a_store_that_is_away(strict: Served) -> None:
    with _broken(strict, lambda: StoreUnavailable("it is on strike")):
        for each in REQUESTS:
            name = each.operation.operation_id
            got = await _ask(strict, each, **each.options)
            if name in ON_THEIR_OWN | ASK_THEMSELVES:
                continue
            assert got.status == 503, (name, got.body)
            assert int(got.headers["Retry-After"]) > 0


async def test_a_fault_of_any_handler(strict: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "note_what", lambda _: 1 / 0)
    assert _declaring(500) == REQUESTS
    for each in REQUESTS:
        got = await _ask(strict, each, **each.options)
        assert (got.status, got.json["type"]) == (500, "urn:aura:problem:internal-error")
        assert b"division" not in got.body


async def test_a_fault_of_the_server_itself(strict: Served) -> None:
    with _broken(strict, lambda: ZeroDivisionError("deep inside")):
        for each in REQUESTS:
            name = each.operation.operation_id
            got = await _ask(strict, each, headers={"X-Request-ID": name}, **each.options)
            if name in ON_THEIR_OWN:
                continue
            assert got.status == 500 or name in ASK_THEMSELVES, (name, got.body)
            assert got.status != 500 or got.json["request_id"] == name
            assert b"deep inside" not in got.body
            assert b"Traceback" not in got.body
