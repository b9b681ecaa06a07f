"""Built-in actions against real files and a real web server.

Imports aiohttp's server, pytest, and aura_aio's engine and model.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from aura_aio.engine.builtin import http
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, bench, call


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path, {}) as table:
        yield table


async def echo(request: web.Request) -> web.Response:
    found = {
        "method": request.method,
        "query": [list(pair) for pair in request.query.items()],
        "body": await request.text(),
        "type": request.content_type,
        "x": request.headers.get("X-Test"),
    }
    response = web.json_response(found)
    response.headers.add("X-Many", "1")
    response.headers.add("X-Many", "2")
    return response


async def missing(_request: web.Request) -> web.Response:
    return web.Response(status=404, text="grün", charset="latin-1")


async def lies(_request: web.Request) -> web.Response:
    return web.Response(text="{", content_type="application/json")


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo?moved=1")


async def large(_request: web.Request) -> web.Response:
    return web.Response(body=b"x" * (http.MAX_BYTES + 1))


@pytest.fixture
async def site() -> AsyncIterator[str]:
    leaving = asyncio.Event()

    async def hangs(_request: web.Request) -> web.Response:
        await leaving.wait()
        return web.Response()

    app = web.Application()
    for handler in (echo, missing, lies, moved, large, hangs):
        app.router.add_route("*", f"/{handler.__name__}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    leaving.set()
    await runner.cleanup()


async def test_get_gives_status_headers_and_body(table: Bench, site: str) -> None:
    params = {"q": [1, "b"], "on": True, "off": None}
    answer = await table.result(
        call("http.get", url=f"{site}/echo", params=params, headers={"X-Test": "yes"})
    )
    assert answer.keys() == {"status", "url", "headers", "text", "json", "elapsed_ms"}
    assert answer["status"] == 200
    assert answer["headers"]["x-many"] == "1, 2"
    assert 0 < answer["elapsed_ms"] < 5000
    assert answer["json"] == {
        "method": "GET",
        "query": [["q", "1"], ["q", "b"], ["on", "true"]],
        "body": "",
        "type": "application/octet-stream",
        "x": "yes",
    }


async def test_post_sends_json_or_text(table: Bench, site: str) -> None:
    answer = await table.result(call("http.post", url=f"{site}/echo", json={"a": [1]}))
    assert (answer["json"]["body"], answer["json"]["type"]) == ('{"a": [1]}', "application/json")
    answer = await table.result(call("http.post", url=f"{site}/echo", data="grün"))
    assert (answer["json"]["body"], answer["json"]["type"]) == ("grün", "text/plain")
    both = await table.run(call("http.post", url=f"{site}/echo", data="x", json=1))
    assert both.error is not None
    assert "both 'json' and 'data'" in both.error.message


async def test_post_sends_a_form(table: Bench, site: str) -> None:
    data = {"a": [1, "ü"], "b": True, "c": None}
    answer = await table.result(call("http.post", url=f"{site}/echo", data=data))
    found = (answer["json"]["body"], answer["json"]["type"])
    assert found == ("a=1&a=%C3%BC&b=true", "application/x-www-form-urlencoded")


async def test_numbers_are_headers_too(table: Bench, site: str) -> None:
    answer = await table.result(call("http.get", url=f"{site}/echo", headers={"X-Test": 7}))
    assert answer["json"]["x"] == "7"


@pytest.mark.parametrize("expect", [404, "404", "4xx", [200, 404], ["2xx", "40x", "4xx"][::2]])
@pytest.mark.parametrize("action", ["http.get", "http.post", "http.request"])
async def test_a_status_that_is_expected_is_an_answer(
    table: Bench, site: str, action: str, expect: Any
) -> None:
    answer = await table.result(call(action, url=f"{site}/missing", expect=expect))
    assert answer["status"] == 404


@pytest.mark.parametrize("action", ["http.get", "http.post", "http.request"])
async def test_a_status_that_is_not_expected_fails_the_step(
    table: Bench, site: str, action: str
) -> None:
    outcome = await table.run(call(action, url=f"{site}/missing", expect=["2xx", 304]))
    assert outcome.error is not None
    assert outcome.error.type == "UnexpectedStatus"
    method = "POST" if action == "http.post" else "GET"
    expected = f"{method} {site}/missing answered 404, and 2xx or 304 was expected: grün"
    assert outcome.error.message == expected


@pytest.mark.parametrize("expect", ["20x", "x", 2000, "6xx", ""])
async def test_what_is_no_status_cannot_be_expected(table: Bench, site: str, expect: Any) -> None:
    outcome = await table.run(call("http.get", url=f"{site}/echo", expect=expect))
    assert outcome.error is not None
    assert outcome.error.type == "BadParameters"
    assert "'expect'" in outcome.error.message


async def test_redirects_can_be_answers(table: Bench, site: str) -> None:
    params = {"url": f"{site}/moved", "redirects": False}
    answer = await table.result(call("http.get", expect=302, **params))
    assert answer["headers"]["location"] == "/echo?moved=1"


async def test_request_takes_any_method(table: Bench, site: str) -> None:
    answer = await table.result(call("http.request", url=f"{site}/echo", method="delete"))
    assert answer["json"]["method"] == "DELETE"


async def test_every_status_is_an_answer(table: Bench, site: str) -> None:
    answer = await table.result(call("http.get", url=f"{site}/missing"))
    assert (answer["status"], answer["text"]) == (404, "grün")
    assert "json" not in answer


async def test_what_only_says_that_it_is_json_has_text_alone(table: Bench, site: str) -> None:
    answer = await table.result(call("http.get", url=f"{site}/lies"))
    assert answer["text"] == "{"
    assert "json" not in answer


async def test_redirects_are_followed(table: Bench, site: str) -> None:
    answer = await table.result(call("http.get", url=f"{site}/moved"))
    assert answer["url"] == f"{site}/echo?moved=1"


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/large", "AnswerTooLong", "longer than 16,777,216 bytes"),
        ("/hangs", "TimeoutError", "/hangs within 0.2 s"),
    ],
)
async def test_answers_are_bounded_in_size_and_time(
    table: Bench, site: str, path: str, kind: str, message: str
) -> None:
    timeout = 0.2 if path == "/hangs" else 20
    outcome = await table.run(call("http.get", url=site + path, timeout=timeout))
    assert outcome.error is not None
    assert outcome.error.type == kind
    assert message in outcome.error.message


async def test_no_connection_fails_the_step(table: Bench, site: str) -> None:
    outcome = await table.run(call("http.get", url="http://127.0.0.1:1/"))
    assert outcome.error is not None
    assert outcome.error.type == "ClientConnectorError"


def test_the_client_is_not_imported_before_it_is_needed() -> None:
    code = "import aura_aio.engine.runner, sys; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "\\\\server\\x", "..", ".", "", "a\0b"]
)
@pytest.mark.parametrize("action", ["file.read", "file.write"])
async def test_files_outside_of_the_data_folder_are_out_of_reach(
    table: Bench, tmp_path: Path, path: str, action: str
) -> None:
    more = {"content": "x"} if action == "file.write" else {}
    outcome = await table.run(call(action, path=path, **more))
    assert outcome.error is not None
    assert outcome.error.type == "ValueError"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("path", ["link", "folder/x"])
@pytest.mark.parametrize("action", ["file.read", "file.write"])
async def test_links_out_of_the_data_folder_are_not_followed(
    table: Bench, links: Path, path: str, action: str
) -> None:
    more = {"content": "changed"} if action == "file.write" else {}
    outcome = await table.run(call(action, path=path, **more))
    assert outcome.error is not None
    assert "link that leaves" in outcome.error.message


@pytest.fixture
def links(tmp_path: Path) -> Path:
    data = tmp_path / "plans" / "case"
    data.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("secret")
    (data / "link").symlink_to(tmp_path / "outside" / "x")
    (data / "folder").symlink_to(tmp_path / "outside")
    return data


async def test_a_file_that_is_too_long_is_not_read(table: Bench) -> None:
    await table.result(call("file.write", path="x", content="abcd"))
    assert await table.result(call("file.read", path="x", max_bytes=4)) == "abcd"
    outcome = await table.run(call("file.read", path="x", max_bytes=3))
    assert outcome.error is not None
    assert "longer than 3 bytes" in outcome.error.message


async def test_files_have_encodings(table: Bench) -> None:
    written = await table.result(call("file.write", path="x", content="grün", encoding="latin-1"))
    assert written == {"path": "x", "bytes": 4}
    assert await table.result(call("file.read", path="x", encoding="latin-1")) == "grün"
    assert (await table.run(call("file.read", path="x"))).event is RunEvent.FAIL


async def test_a_logged_line_has_its_level_and_data(table: Bench) -> None:
    step = call("log", message=3, level="error", data={"level": "x", "n": 1})
    assert await table.result(step) is None
    (line,) = table.journal.lines
    assert (line.level, line.logger, line.message) == ("error", "log", "3")
    assert line.data == {"level": "x", "n": 1}


DATA = {"items": [{"name": "a", "price": 5}, {"name": "b", "price": 15}, {"name": "c"}]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("items[?price > `10`].name | [0]", "b"),
        ("items[].price", [5, 15]),
        ("length(items)", 3),
        ("nothing.at.all", None),
    ],
)
async def test_data_is_queried(table: Bench, query: str, found: Any) -> None:
    assert await table.result(call("json.query", data=DATA, query=query)) == found


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("items[", "IncompleteExpressionError"),
        ("items items", "ParseError"),
        ("length(`1`)", "JMESPathTypeError"),
    ],
)
async def test_a_query_that_is_none_fails_the_step(table: Bench, query: str, kind: str) -> None:
    outcome = await table.run(call("json.query", data=DATA, query=query))
    assert outcome.error is not None
    assert outcome.error.type == kind
