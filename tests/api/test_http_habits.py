"""What HTTP offers beside the body: entity tags, links to the next page, compression, HEAD."""

import gzip

import aiohttp
import pytest

from aura_aio.api import negotiation
from tests.serving import Served

VARIES = "Accept-Encoding"


async def _raw(server: Served, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    """The answer as it travelled, not decompressed."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(server.url + path, headers=headers) as response,
    ):
        return response, await response.read()


async def test_plans_that_have_not_changed_are_not_sent_again(probe: Served) -> None:
    for path in ("", "/probe", "/probe/tasks", "/probe/tasks/echo"):
        first = await probe.get(f"/api/plans{path}")
        tag = first.headers["ETag"]
        again = await probe.get(f"/api/plans{path}", headers={"If-None-Match": tag})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == tag
        other = await probe.get(f"/api/plans{path}", headers={"If-None-Match": '"other"'})
        assert (other.status, other.body) == (200, first.body)


async def test_a_page_links_to_the_next_one(waiting: Served) -> None:
    for number in range(3):
        await waiting.run("probe", "echo", inputs={"text": str(number)})
    for path in ("/api/runs?limit=2&status=queued&status=failed", "/api/queue/list?limit=2"):
        page = await waiting.get(path)
        address, _, relation = page.headers["Link"].partition("; ")
        assert relation == 'rel="next"'
        rest = await waiting.get(address.strip("<>"))
        assert len(page.json["items"]) == 2
        assert len(rest.json["items"]) == 1
        assert "Link" not in rest.headers


async def test_a_large_answer_is_compressed_for_who_takes_that(waiting: Served) -> None:
    for _ in range(5):
        tasks = [{"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}] * 20
        assert (await waiting.post("/api/tasks/batch", {"tasks": tasks})).status == 202
    path = "/api/runs?limit=100"
    plain, text = await _raw(waiting, path, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    packed, body = await _raw(waiting, path, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == text
    assert len(body) < len(text) / 3
    small, _ = await _raw(waiting, "/healthz", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers


async def test_what_is_long_is_compressed_whatever_it_is(probe: Served) -> None:
    cid = (await probe.done("probe", "say", inputs={"lines": 300}))["cid"]
    for path, accept in (
        (f"/api/runs/{cid}/logs", "application/x-ndjson"),
        (f"/api/runs/{cid}/logs?limit=1000", "application/json"),
        ("/openapi.yaml", "*/*"),
        ("/api/docs/swagger.json", "*/*"),
    ):
        plain, text = await _raw(probe, path, **{"Accept-Encoding": "identity", "Accept": accept})
        assert (plain.headers["Vary"], "Content-Encoding" in plain.headers) == (VARIES, False)
        for encoding, is_packed in (
            ("gzip", True),
            ("deflate, gzip, br", True),
            ("*", True),
            ("deflate", False),
            ("gzip;q=0", False),
            ("GZIP;q=0.5, identity;q=0.1", True),
        ):
            headers = {"Accept-Encoding": encoding, "Accept": accept}
            got, body = await _raw(probe, path, **headers)
            assert got.headers["Vary"] == VARIES
            packed = got.headers.get("Content-Encoding") == "gzip"
            assert packed is is_packed, (path, encoding)
            assert (gzip.decompress(body) if packed else body) == text


async def test_many_figures_are_compressed(probe: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negotiation, "WORTH_COMPRESSING_BYTES", 1_000)
    got, body = await _raw(probe, "/metrics", **{"Accept-Encoding": "gzip"})
    assert got.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body).startswith(b"# HELP aura_")


async def test_the_swagger_view_that_has_not_changed_is_not_sent_again(probe: Served) -> None:
    path = f"{probe.url}/api/docs/swagger.json"
    async with probe.session.get(path) as first:
        assert first.headers["Cache-Control"] == "no-cache"
    headers = {"If-None-Match": first.headers["ETag"]}
    async with probe.session.get(path, headers=headers) as again:
        assert (again.status, await again.read()) == (304, b"")


async def test_head_answers_as_get_without_the_body(probe: Served) -> None:
    for path in ("/api/plans", "/api/runs", "/healthz", "/openapi.yaml"):
        response = await probe.session.head(probe.url + path)
        assert response.status == 200
        assert await response.read() == b""
        assert int(response.headers["Content-Length"]) > 0


async def test_the_shortest_way_answers_as_every_other(probe: Served) -> None:
    """A path that is looked up, or spelled in another way; a connection that goes on, or ends."""
    asked = {"X-Request-ID": "asked"}
    short, body = await _raw(probe, "/healthz", **asked)
    assert {"Cache-Control", "Content-Length", "Date", "Server"} < short.headers.keys()
    others = (
        await _raw(probe, "/%68ealthz", **asked),
        await _raw(probe, "/healthz", **asked, Connection="close"),
    )
    ignored = {"Date", "Connection"}
    for other, text in others:
        assert (other.status, text) == (short.status, body)
        said = [
            {name: value for name, value in each.headers.items() if name not in ignored}
            for each in (short, other)
        ]
        assert said[0] == said[1]
