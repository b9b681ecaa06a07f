"""The limits of requests and connections: each has its error, and what is within them goes on.

Imports the fixtures, the contract with its example requests, `tests.raw`, `tests.serving` and
`tests.waiting`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from aura_aio.api.gate import ALWAYS_ANSWERED
from aura_aio.contract.document import load_contract
from tests.backends import DATABASES
from tests.contract.example_requests import example_requests
from tests.probe_plan import write_probe
from tests.raw import HOST, Told, check_told, connection
from tests.serving import Served, serving
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = {
    "max_body_bytes": 2048,
    "max_json_depth": 10,
    "max_batch_tasks": 2,
    "max_url_bytes": 1024,
    "max_header_bytes": 1200,
    "max_headers": 16,
    "head_timeout_sec": 0.3,
    "body_timeout_sec": 0.3,
    "max_connections": 30,
    "max_in_flight": 8,
    "max_monitors": 1,
}
CONTRACT = load_contract()
REFUSED = [each for each in example_requests(CONTRACT) if each.path not in ALWAYS_ANSWERED]
"""What may find no room: all operations but those that say how the server is."""
POST = b"POST /api/tasks/run HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
ECHO: dict[str, Any] = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limits")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small(data: Path) -> AsyncIterator[Served]:
    """A server with small limits that runs nothing."""
    settings = {"plans": [write_probe(data / "plans")], "data_dir": str(data), "workers": 0}
    async with serving(start=False, **settings, **LIMITS) as server:
        yield server


async def ask(server: Served, request: bytes) -> Told:
    async with connection(server.url) as made:
        made.send(request)
        return await made.last_answer()


def is_problem(told: Told, status: int, type_: str) -> None:
    assert told.status == told.problem["status"] == status, told
    assert told.headers["content-type"] == "application/problem+json"
    assert told.problem["type"] == f"urn:aura:problem:{type_}"
    assert told.problem["detail"]


# What is too large.


async def test_an_address_that_is_too_long(small: Served) -> None:
    told = await ask(small, b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    is_problem(told, 414, "address-too-long")
    assert "1024 bytes" in told.problem["detail"]


async def test_a_header_that_is_too_long(small: Served) -> None:
    told = await ask(small, b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 1300 + b"\r\n\r\n")
    is_problem(told, 431, "headers-too-large")
    assert "1200 bytes" in told.problem["detail"]


async def test_too_many_headers(small: Served) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(17))
    told = await ask(small, b"GET / HTTP/1.1\r\n" + HOST + many + b"\r\n")
    is_problem(told, 431, "headers-too-large")
    assert "16 headers" in told.problem["detail"]


async def test_a_body_that_is_too_large(small: Served) -> None:
    body = ECHO | {"inputs": {"text": "x" * 2048}}
    response = await small.post("/api/tasks/run", body)
    assert response.status == 413
    assert "2048" in response.json["detail"]


@pytest.mark.parametrize(("depth", "type_"), [(7, "bad-reference"), (9, "invalid-json")])
async def test_json_that_is_nested_too_deeply(small: Served, depth: int, type_: str) -> None:
    """Two are the body and its inputs; brackets in a text do not count."""
    nested: Any = "[{" * 20
    for _ in range(depth):
        nested = [nested]
    body = {"plan_name": "probe", "task_name": "none", "inputs": {"value": nested}}
    response = await small.post("/api/tasks/run", body)
    assert response.status == 400
    assert response.json["type"] == f"urn:aura:problem:{type_}"
    assert ("nested more than 10 deep" in response.json["detail"]) == (type_ == "invalid-json")


async def test_a_batch_that_is_too_long(small: Served) -> None:
    assert (await small.post("/api/tasks/batch", {"tasks": [ECHO] * 2})).status == 202
    response = await small.post("/api/tasks/batch", {"tasks": [ECHO] * 3})
    assert response.status == 422
    assert response.json["errors"][0]["field"] == "/tasks"
    assert "2, which this server allows" in response.json["errors"][0]["message"]


# What is too slow.


async def told_while_dripping(server: Served, begin: bytes, drop: bytes) -> Told:
    async with connection(server.url) as made, asyncio.timeout(10):
        made.send(begin)
        answer = asyncio.ensure_future(made.answer())
        while not answer.done():
            made.send(drop)
            await asyncio.wait((answer,), timeout=0.02)
        return await answer


async def test_headers_that_come_drop_by_drop_are_cut_off(small: Served) -> None:
    told = await told_while_dripping(small, b"GET /api/runs HTTP/1.1\r\n" + HOST + b"X: ", b"y")
    is_problem(told, 408, "too-slow")
    assert told.headers["connection"] == "close"


async def test_a_body_that_comes_drop_by_drop_is_cut_off(small: Served) -> None:
    begin = POST + b"Content-Length: 1000\r\n\r\n{"
    told = await told_while_dripping(small, begin, b" ")
    is_problem(told, 408, "too-slow")
    assert told.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("request_", "status"),
    [(b"GET /api/runs", 200), (b"POST /api/queue/none/move-to-front", 404)],
)
async def test_a_body_that_nobody_asked_for_holds_no_connection(
    small: Served, request_: bytes, status: int
) -> None:
    """The operation takes none, so its answer does not wait for it; and what goes on coming is cut
    off as any other body is.
    """
    begin = request_ + b" HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    async with connection(small.url) as made, asyncio.timeout(10):
        made.send(begin + b"Content-Length: 1000000\r\n\r\n{")
        assert (await made.answer()).status == status
        end = asyncio.ensure_future(made.reader.read())
        while not end.done():
            made.send(b" ")
            await asyncio.wait((end,), timeout=0.02)
        with suppress(ConnectionResetError):  # it is closed while a drop is on its way
            assert await end == b""


async def test_a_slow_body_is_waited_for_within_its_time(small: Served) -> None:
    text = b'{"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}'
    async with connection(small.url) as made:
        made.send(POST + b"Content-Length: %d\r\n\r\n" % len(text) + text[:20])
        assert (await small.get("/healthz")).status == 200
        made.send(text[20:])
        assert (await made.answer()).status == 202
        made.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await made.answer()).status == 200


async def test_a_connection_that_asks_for_nothing_is_closed(tmp_path: Path) -> None:
    settings = {"workers": 0, "start": False, "idle_timeout_sec": 0.2}
    async with (
        serving(data_dir=str(tmp_path), **settings) as server,
        connection(server.url) as made,
        asyncio.timeout(10),
    ):
        made.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await made.answer()).status == 200
        assert await made.reader.read() == b""


# What is too much at a time.


async def test_a_connection_too_many_is_told_so_and_closed(small: Served) -> None:
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(connection(small.url)) for _ in range(40)]
        for each in made:
            each.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        answers = [await each.answer() for each in made]
        turned_away = [told for told in answers if told.status != 200]
        assert 10 <= len(turned_away) <= 30
        for told in turned_away:
            is_problem(told, 503, "too-many-connections")
            assert told.headers["retry-after"] == "1"
        silent = await stack.enter_async_context(connection(small.url))
        is_problem(await silent.last_answer(), 503, "too-many-connections")
    await until(lambda: welcome(small))


async def welcome(server: Served) -> bool:
    """Whether a new connection is served."""
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    return (await ask(server, request)).status == 200


async def test_requests_over_the_limit_are_turned_away_and_those_within_are_answered(
    small: Served, data: Path
) -> None:
    with DATABASES.locked(data):
        held = [asyncio.ensure_future(small.post("/api/tasks/run", ECHO)) for _ in range(8)]
        refused = await until(lambda: turned_away(small))
        assert refused.json["type"] == "urn:aura:problem:overloaded"
        assert refused.headers["Retry-After"] == "1"
        assert (await small.get("/healthz")).status == 200
        for request in REFUSED:
            told = await ask_once(small, request.raw)
            check_told(CONTRACT, request, told)
            is_problem(told, 503, "overloaded")
            assert told.headers["retry-after"] == "1"
    assert [(await each).status for each in held] == [202] * 8
    assert (await small.post("/api/tasks/run", ECHO)).status == 202


async def ask_once(server: Served, request: bytes) -> Told:
    async with connection(server.url) as made:
        made.send(request)
        return await made.answer()


async def turned_away(server: Served) -> Any:
    response = await server.get("/api/plans")
    return response if response.status == 503 else None


async def test_bodies_that_trickle_are_in_the_way_of_each_other_only(small: Served) -> None:
    begin = POST + b"Content-Length: 1000\r\n\r\n{"
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(connection(small.url)) for _ in range(9)]
        for each in made:
            each.send(begin)
        assert (await small.post("/api/tasks/run", ECHO)).status == 202
        told = [await each.answer() for each in made]
    assert sorted(each.status for each in told) == [408] * 8 + [503]


async def test_who_waits_for_a_run_is_in_nobodys_way(small: Served) -> None:
    cid = await small.run("probe", "echo", inputs={"text": "x"})
    waiting = []
    for _ in range(3):
        waiting += [
            asyncio.ensure_future(small.get(f"/api/runs/{cid}?wait_sec=20")) for _ in "1234"
        ]
        assert (await small.get("/api/plans")).status == 200
    await small.post(f"/api/tasks/{cid}/cancel")
    assert {(await each).json["status"] for each in waiting} == {"cancelled"}


async def test_a_monitor_too_many_is_turned_away(small: Served) -> None:
    async with small.session.ws_connect(f"{small.url}/ws/logs") as first:
        assert (await first.receive_json())["type"] == "hello"
        response = await small.get("/api/logs/stream")
        assert response.status == 503
        assert response.json["type"] == "urn:aura:problem:too-many-monitors"
        assert response.headers["Retry-After"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await small.session.ws_connect(f"{small.url}/ws/logs")
        assert refused.value.status == 503
    await until(lambda: streams(small))


async def streams(server: Served) -> bool:
    """Whether a monitor is served."""
    async with server.session.get(f"{server.url}/api/logs/stream") as response:
        return response.status == 200
