"""OPTIONS and HEAD at every path of the contract, walked through it: a new one is covered."""

import re
from collections.abc import Iterator
from pathlib import Path

from aura_aio.contract.document import Operation, load_contract
from tests.conftest import MakeServer
from tests.contract.conformance import find_operation
from tests.serving import Served
from tests.tokens import a_token, put_tokens

CONTRACT = load_contract()
PAGE = "https://tools.example.org"
STREAMS = {"streamLogs"}
"""Their answers go on; HEAD ends at once, and has its own test."""


async def test_options_says_at_every_path_which_methods_it_takes(probe: Served) -> None:
    walked = 0
    for path in dict.fromkeys(each.path for each in CONTRACT.operations):
        response = await probe.request("OPTIONS", _some(path))
        assert response.status == 204, path
        assert set(response.headers["Allow"].split(", ")) == set(_methods(path)), path
        refused = await probe.request("PUT", _some(path))
        assert (refused.status, refused.headers["Allow"]) == (405, response.headers["Allow"]), path
        walked += 1
    assert walked > 40


async def test_options_of_a_page_and_of_a_path_that_does_not_exist(probe: Served) -> None:
    async with probe.session.options(f"{probe.url}/openapi.yaml") as page:
        assert (page.status, page.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (await probe.request("OPTIONS", "/api/no/such")).status == 404


async def test_options_asks_for_no_token_and_for_a_known_host(
    make_server: MakeServer, tmp_path: Path
) -> None:
    await put_tokens(tmp_path, reader=a_token("read"))
    server = await make_server(data_dir=str(tmp_path))
    assert (await server.get("/api/runs")).status == 401
    assert (await server.request("OPTIONS", "/api/runs")).status == 204
    foreign = await server.request("OPTIONS", "/api/runs", headers={"Host": "evil.example"})
    assert foreign.status == 403


async def test_options_is_the_same_where_other_origins_are_listed(
    make_server: MakeServer, probe_root: str
) -> None:
    server = await make_server(plans=[probe_root], cors_origins=[PAGE])
    for path in ("/api/runs", "/api/queue/clear", "/api/tasks/run"):
        for headers in ({}, {"Origin": PAGE}, {"Access-Control-Request-Method": "GET"}):
            response = await server.request("OPTIONS", path, headers=headers)
            assert response.status == 204, (path, headers)
            assert set(response.headers["Allow"].split(", ")) == set(_methods(path))
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    async with server.session.options(f"{server.url}/api/runs", headers=asked) as preflight:
        assert preflight.status == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == PAGE


async def test_head_is_answered_as_get_is_at_every_path_that_has_one(probe: Served) -> None:
    cid = (await probe.done("probe", "echo", inputs={"text": "a"}))["cid"]
    names = {"cid": cid, "plan_name": "probe", "task_name": "echo"}
    walked = 0
    for operation in _gets():
        path = re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], "none"), operation.path)
        asked = await probe.get(path)
        head = await probe.request("HEAD", path)
        assert (head.status, head.body) == (asked.status, b""), path
        for name in ("Content-Type", "ETag", "Cache-Control", "Link"):
            assert head.headers.get(name) == asked.headers.get(name), (path, name)
        walked += 1
    assert walked > 15


async def test_head_of_a_stream_ends_at_once(probe: Served) -> None:
    response = await probe.request("HEAD", "/api/logs/stream")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["Content-Type"] == "text/event-stream"
    cid = (await probe.done("probe", "echo", inputs={"text": "a"}))["cid"]
    lines = {"Accept": "application/x-ndjson"}
    whole = await probe.request("HEAD", f"/api/runs/{cid}/logs", headers=lines)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "application/x-ndjson")
    assert (await probe.request("HEAD", "/api/logs/stream?cid=none")).status == 404
    assert (await probe.get("/healthz")).status == 200  # no body was left on the connection


def _gets() -> Iterator[Operation]:
    for operation in CONTRACT.operations:
        if operation.method == "GET" and operation.operation_id not in STREAMS:
            yield operation


def _some(path: str) -> str:
    return re.sub(r"\{\w+\}", "some", path)


def _methods(path: str) -> Iterator[str]:
    yield "OPTIONS"
    for method in {each.method for each in CONTRACT.operations}:
        if find_operation(CONTRACT, method, _some(path)) is not None:
            yield method
            if method == "GET":
                yield "HEAD"
