"""The stored log over HTTP: of one run as a download, and of everything in pages."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.serving import Served, write_plan

TELL = """
meta: {inputs: [{name: gate, type: string}]}
steps:
  before: {action: log, params: {message: before}}
  wait: {action: hold, depends_on: before, params: {gate: "{{ inputs.gate }}"}}
  after: {action: log, depends_on: wait, params: {message: after}}
"""
LINES = {"Accept": "application/x-ndjson"}


async def test_the_log_of_a_run_as_a_download(probe: Served) -> None:
    run = await probe.done("probe", "say", inputs={"lines": 2500})
    path = f"/api/runs/{run['cid']}/logs"
    response = await probe.get(path, headers=LINES)
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert run["cid"] in response.headers["Content-Disposition"]
    entries = [json.loads(line) for line in response.body.splitlines()]
    assert entries == await probe.log(run["cid"])
    assert sum(entry["message"].startswith("line ") for entry in entries) == 2500


async def test_a_download_keeps_filters_and_goes_on_from_a_cursor(probe: Served) -> None:
    run = await probe.done("probe", "say", inputs={"lines": 5})
    path = f"/api/runs/{run['cid']}/logs"
    page = (await probe.get(f"{path}?limit=2")).json
    response = await probe.get(f"{path}?cursor={page['next_cursor']}", headers=LINES)
    rest = [json.loads(line) for line in response.body.splitlines()]
    assert page["items"] + rest == await probe.log(run["cid"])
    assert (await probe.get(f"{path}?level=critical", headers=LINES)).body == b""
    assert (await probe.get(f"{path}?step=none", headers=LINES)).body == b""
    everything = await probe.get(f"{path}?level=debug&limit=1", headers=LINES)
    assert len(everything.body.splitlines()) == len(await probe.log(run["cid"]))


async def test_a_download_is_for_who_likes_it_better(probe: Served) -> None:
    cid = (await probe.done("probe", "echo", inputs={"text": "a"}))["cid"]
    pages = [
        "application/json, application/x-ndjson, application/problem+json",
        "application/x-ndjson, application/json",
        "application/x-ndjson;q=0.5, application/json;q=0.9",
        "application/x-ndjson;q=0",
        "application/x-ndjson;q=much",
        "*/*",
    ]
    for accept in pages:
        response = await probe.get(f"/api/runs/{cid}/logs", headers={"Accept": accept})
        assert response.headers["Content-Type"].startswith("application/json"), accept
    for accept in [
        "application/x-ndjson, application/json;q=0.5",
        "application/X-NDJSON ; q=0.5, */*",
    ]:
        response = await probe.get(f"/api/runs/{cid}/logs", headers={"Accept": accept})
        assert response.headers["Content-Type"] == "application/x-ndjson", accept


async def test_a_download_that_cannot_begin_is_a_problem(probe: Served) -> None:
    assert (await probe.get("/api/runs/none/logs", headers=LINES)).status == 404
    cid = (await probe.done("probe", "echo", inputs={"text": "a"}))["cid"]
    bad = await probe.get(f"/api/runs/{cid}/logs?cursor=bad", headers=LINES)
    assert bad.json["type"] == "urn:aura:problem:bad-cursor"


async def _all(probe: Served, query: str) -> list[Any]:
    """What pages of two give, until one is empty."""
    found: list[Any] = []
    page = (await probe.get(f"/api/logs?limit=2{query}")).json
    while page["items"]:
        found += page["items"]
        page = (await probe.get(f"/api/logs?limit=2{query}&cursor={page['next_cursor']}")).json
    return found


async def test_the_log_of_everything_in_pages(probe: Served) -> None:
    first = await probe.done("probe", "say", inputs={"lines": 3})
    second = await probe.done("probe", "say", inputs={"lines": 2})
    everything = await _all(probe, "")
    numbers = [entry["seq"] for entry in everything]
    assert numbers == list(range(1, len(numbers) + 1))
    assert any("cid" not in entry for entry in everything)
    for run in (first, second):
        assert await _all(probe, f"&cid={run['cid']}") == await probe.log(run["cid"])
    said = await _all(probe, "&plan_name=probe&task_name=say&step=say")
    assert [entry["cid"] for entry in said].count(second["cid"]) == 2
    assert await _all(probe, f"&since={numbers[-3]}") == everything[-2:]
    assert await _all(probe, "&level=critical") == []


async def test_the_log_of_a_run_is_followed_to_its_end(probe: Served, tmp_path: Path) -> None:
    """Each page is held until there is something to give; the last one has no cursor."""
    write_plan(tmp_path / "plans", "probe", {"tell": TELL})
    await probe.post("/api/system/reload")
    gate = tmp_path / "gate"
    cid = await probe.run("probe", "tell", inputs={"gate": str(gate)})
    path = f"/api/runs/{cid}/logs?wait_sec=50"
    first = (await probe.get(path)).json
    assert [entry["message"] for entry in first["items"]] == ["before"]
    brief = f"/api/runs/{cid}/logs?wait_sec=0.01&cursor={first['next_cursor']}"
    nothing = (await probe.get(brief)).json
    assert nothing == {"items": [], "next_cursor": first["next_cursor"]}
    held = asyncio.create_task(probe.get(f"{path}&cursor={first['next_cursor']}"))
    of_nothing = asyncio.create_task(probe.get(f"{path}&level=critical"))
    gate.touch()
    second = (await held).json
    assert [entry["message"] for entry in second["items"]] == ["after"]
    last = second
    while "next_cursor" in last:
        last = (await probe.get(f"{path}&cursor={last['next_cursor']}")).json
        assert last["items"] == []
    assert (await of_nothing).json == {"items": []}  # held until the run had ended


async def test_a_poll_of_the_log_is_held_until_there_is_news(probe: Served) -> None:
    await probe.done("probe", "say", inputs={"lines": 1})
    page = (await probe.get("/api/logs?limit=1000&plan_name=probe")).json
    path = f"/api/logs?plan_name=probe&wait_sec=30&cursor={page['next_cursor']}"
    held = asyncio.create_task(probe.get(path))
    run = await probe.done("probe", "say", inputs={"lines": 1})
    news = (await held).json
    assert {entry["cid"] for entry in news["items"]} == {run["cid"]}


async def test_a_poll_without_news_ends_with_its_time(probe: Served) -> None:
    page = (await probe.get("/api/logs?limit=1000")).json
    answer = await probe.get(f"/api/logs?level=critical&wait_sec=0.01&cursor={page['next_cursor']}")
    assert answer.json["items"] == []
    assert "next_cursor" in answer.json
