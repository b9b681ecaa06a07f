"""Asking for URLs, against a real server on a real port.

Imports the plan site_check's own modules, aiohttp for the server, and the project's waiting.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from plans.site_check.actions._probe import Answer, Policy, probe_all
from tests.waiting import until

QUICK = Policy(timeout_sec=5, retries=2, retry_delay_sec=0.01)


class Site:
    """A server whose answers depend on the path, and which counts what is asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.methods: set[str] = set()
        self.in_flight = self.most_in_flight = 0
        self.meeting = asyncio.Barrier(4)
        self.closing = asyncio.Event()
        self.root = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        self.methods.add(request.method)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(request)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind, _, rest = request.path.strip("/").partition("/")
        match kind:
            case "status":
                return web.Response(status=int(rest))
            case "flaky":  # /flaky/2 fails twice
                return web.Response(status=503 if self.asked[request.path] <= int(rest) else 200)
            case "meet":  # answers only when four are asked for at the same time
                await self.meeting.wait()
            case "silent":
                await self.closing.wait()
            case "redirect":
                raise web.HTTPFound("/status/204")
            case "circle":
                raise web.HTTPFound(request.path)
            case "elsewhere":
                raise web.HTTPFound("ftp://files.example/x")
            case "hang-up":
                assert request.transport is not None
                request.transport.close()
            case "large":
                return web.Response(body=b"x" * 50_000_000)
            case _:
                pass
        return web.Response(text="fine")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    found.root = f"http://{host}:{port}"
    yield found
    found.closing.set()
    await runner.cleanup()


async def _probe(*urls: str, policy: Policy = QUICK) -> list[Answer]:
    return await probe_all(list(urls), policy, lambda answer, done: None)


async def test_a_table_in_the_order_of_the_urls(site: Site) -> None:
    urls = [f"{site.root}/status/{status}" for status in (200, 404, 204, 500, 401)]
    seen: list[tuple[str, int]] = []
    table = await probe_all(urls, QUICK, lambda answer, done: seen.append((answer["url"], done)))
    assert [row["url"] for row in table] == urls
    assert [row["status"] for row in table] == [200, 404, 204, 500, 401]
    assert [row["ok"] for row in table] == [True, False, True, False, False]
    assert [row["error"] for row in table] == [
        *(None, "404 Not Found", None, "500 Internal Server Error", "401 Unauthorized"),
    ]
    assert [row["tries"] for row in table] == [1] * 5
    assert all(0 < row["elapsed_ms"] < 5_000 for row in table)
    assert sorted(url for url, _ in seen) == sorted(urls)
    assert [done for _, done in seen] == [1, 2, 3, 4, 5]


async def test_a_passing_fault_is_tried_again(site: Site) -> None:
    twice, often = await _probe(f"{site.root}/flaky/2", f"{site.root}/flaky/9")
    assert (twice["status"], twice["ok"], twice["tries"]) == (200, True, 3)
    assert (often["status"], often["ok"], often["tries"]) == (503, False, 3)
    assert often["error"] == "503 Service Unavailable"
    assert site.asked == {"/flaky/2": 3, "/flaky/9": 3}


async def test_without_retries_each_url_is_asked_for_once(site: Site) -> None:
    (answer,) = await _probe(f"{site.root}/flaky/1", policy=QUICK._replace(retries=0))
    assert (answer["tries"], answer["ok"]) == (1, False)


async def test_only_so_many_at_the_same_time(site: Site) -> None:
    urls = [f"{site.root}/meet/{number}" for number in range(12)]
    table = await _probe(*urls, policy=QUICK._replace(parallelism=4))
    assert all(row["ok"] for row in table)
    assert site.most_in_flight == 4


async def test_a_server_that_does_not_answer(site: Site) -> None:
    policy = Policy(timeout_sec=0.1, retries=1, retry_delay_sec=0.01)
    silent, fine = await _probe(f"{site.root}/silent", f"{site.root}/fine", policy=policy)
    assert (silent["status"], silent["ok"], silent["tries"]) == (None, False, 2)
    assert silent["error"] == "no answer within 0.1 s"
    assert 90 <= silent["elapsed_ms"] < 1_000
    assert fine["ok"]


async def test_redirects_are_followed_but_not_for_ever(site: Site) -> None:
    there, circle, elsewhere = await _probe(
        *(f"{site.root}/{path}" for path in ("redirect", "circle", "elsewhere"))
    )
    assert (there["status"], there["ok"]) == (204, True)
    assert (circle["ok"], circle["error"], circle["tries"]) == (False, "too many redirects", 1)
    assert elsewhere["error"] == "not a URL that can be asked for"


async def test_a_connection_that_breaks_and_one_that_is_refused(site: Site) -> None:
    with socket.socket() as taken:  # bound, but not listening: nobody else gets the port
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        hang_up, refused = await _probe(f"{site.root}/hang-up", closed)
    assert hang_up["error"] == "the server closed the connection without an answer"
    assert refused["error"] == "no connection: connection refused"
    assert (hang_up["tries"], refused["tries"]) == (3, 3)
    assert (hang_up["status"], refused["status"]) == (None, None)


async def test_https_where_there_is_none(site: Site) -> None:
    (answer,) = await _probe(site.root.replace("http:", "https:"))
    assert answer["error"] is not None
    assert answer["error"].startswith("no secure connection")
    assert answer["tries"] == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://a.example/",
        "http://",
        "http://[::1",
        "javascript:x",
        "http://a:99999/",
    ],
)
async def test_what_is_no_url_is_not_asked_for(url: str) -> None:
    (answer,) = await _probe(url)
    assert (answer["ok"], answer["tries"]) == (False, 0)
    assert answer["error"] == "not a URL: write it as https://host/path"


async def test_only_the_headers_are_waited_for(site: Site) -> None:
    policy = QUICK._replace(method="HEAD")
    (answer,) = await _probe(f"{site.root}/large", policy=policy)
    assert answer["ok"]
    assert site.methods == {"HEAD"}
    (answer,) = await _probe(f"{site.root}/large")
    assert answer["ok"]


async def test_nothing_to_ask_for_gives_an_empty_table() -> None:
    assert await _probe() == []


async def test_a_cancelled_check_stops_at_once(site: Site) -> None:
    policy = QUICK._replace(timeout_sec=60)
    check = asyncio.ensure_future(_probe(f"{site.root}/silent", policy=policy))
    await until(lambda: site.in_flight == 1)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
