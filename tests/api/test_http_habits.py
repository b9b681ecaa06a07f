"""What HTTP offers beside the body: entity tags, links to the next page, compression, HEAD."""

import gzip

import aiohttp

from tests.serving import Served


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


async def test_head_answers_as_get_without_the_body(probe: Served) -> None:
    for path in ("/api/plans", "/api/runs", "/healthz", "/openapi.yaml"):
        response = await probe.session.head(probe.url + path)
        assert response.status == 200
        assert await response.read() == b""
        assert int(response.headers["Content-Length"]) > 0
