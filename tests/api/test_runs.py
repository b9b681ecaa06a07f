"""Runs over HTTP: accepted, executed, looked at, cancelled."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aura_aio.store.relational.runs import SqlRuns
from tests.conftest import MakeServer
from tests.serving import Served
from tests.waiting import until


async def _running(server: Served, cid: str) -> Any:
    async def is_running() -> Any:
        run = (await server.get(f"/api/runs/{cid}")).json
        return run if run["status"] == "running" else None

    return await until(is_running)


async def test_a_run_is_accepted_and_executed(probe: Served) -> None:
    response = await probe.post(
        "/api/tasks/run",
        {
            "plan_name": "probe",
            "task_name": "echo",
            "inputs": {"text": "hello"},
            "labels": {"team": "a"},
        },
    )
    assert response.status == 202
    cid = response.json["cid"]
    assert response.headers["Location"] == f"/api/runs/{cid}"
    run = await probe.finished(cid)
    assert run["status"] == "succeeded"
    assert run["result"] == {"text": "hello", "times": 1}
    assert run["inputs"] == {"text": "hello", "times": 1}
    assert run["labels"] == {"team": "a"}
    assert run["attempt"] == 1
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]


async def test_a_finished_run_has_its_whole_log(probe: Served) -> None:
    run = await probe.done("probe", "say", inputs={"lines": 3000})
    entries = await probe.log(run["cid"])
    said = [entry["message"] for entry in entries if entry["message"].startswith("line ")]
    assert said == [f"line {number}" for number in range(3000)]
    assert {entry["step"] for entry in entries if entry["message"].startswith("line ")} == {"say"}


async def test_waiting_for_a_run_ends_when_it_does(probe: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    cid = await probe.run("probe", "hold", inputs={"gate": str(gate)})
    await _running(probe, cid)
    held = asyncio.create_task(probe.get(f"/api/runs/{cid}?wait_sec=30"))
    gate.touch()
    run = (await held).json
    assert run["status"] == "succeeded"
    assert run["result"] == "let go"


async def test_waiting_for_a_run_ends_when_the_time_is_over(waiting: Served) -> None:
    cid = await waiting.run("probe", "echo", inputs={"text": "x"})
    run = (await waiting.get(f"/api/runs/{cid}?wait_sec=0.05")).json
    assert run["status"] == "queued"


async def test_who_waits_for_a_run_asks_the_store_when_he_comes_and_when_it_has_ended(
    waiting: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: Counter[str] = Counter()
    get = SqlRuns.get

    async def counted(self: SqlRuns, cid: str) -> Any:
        reads[cid] += 1
        return await get(self, cid)

    monkeypatch.setattr(SqlRuns, "get", counted)
    cid = await waiting.run("probe", "echo", inputs={"text": "x"})
    held = [asyncio.ensure_future(waiting.get(f"/api/runs/{cid}?wait_sec=50")) for _ in range(40)]
    await until(lambda: reads[cid] == 40)
    another = (await waiting.get(f"/api/runs/{cid}?wait_sec=1")).json
    assert another["status"] == "queued"
    assert reads[cid] == 42  # nobody has looked again within that second
    await waiting.post(f"/api/tasks/{cid}/cancel")
    assert {(await each).json["status"] for each in held} == {"cancelled"}
    assert reads[cid] == 82


async def test_a_run_that_finds_every_worker_busy_says_so(
    make_server: MakeServer, probe_root: str, tmp_path: Path
) -> None:
    server = await make_server(plans=[probe_root], workers=1, slots=1)
    gate = tmp_path / "gate"
    first = await server.run("probe", "hold", inputs={"gate": str(gate)})
    await _running(server, first)
    second, third = [await server.run("probe", "echo", inputs={"text": "x"}) for _ in range(2)]

    async def reasons(cid: str) -> list[str]:
        found = (await server.get(f"/api/runs/{cid}")).json["waiting"]["reasons"]
        return [reason["code"] for reason in found]

    assert await reasons(second) == ["no_worker"]
    assert await reasons(third) == ["no_worker", "behind"]
    gate.touch()
    assert (await server.finished(third))["status"] == "succeeded"


async def test_runs_of_higher_priority_start_first(waiting: Served, tmp_path: Path) -> None:
    file = tmp_path / "order"
    for line, priority in [("b", 0), ("c", -5), ("a", 10), ("b2", 0)]:
        inputs = {"file": str(file), "line": line}
        await waiting.run("probe", "count", inputs=inputs, priority=priority)
    listed = (await waiting.get("/api/queue/list")).json["items"]
    assert [item["priority"] for item in listed] == [10, 0, 0, -5]
    assert [item["position"] for item in listed] == [1, 2, 3, 4]
    run = (await waiting.get(f"/api/runs/{listed[3]['cid']}")).json
    assert run["waiting"]["ahead"] == 3
    started = await waiting.post("/api/system/start")
    assert started.json["status"] == "started"

    async def all_done() -> bool:
        counts = (await waiting.get("/api/system/status")).json["runs"]
        return bool(counts["succeeded"] == 4)

    await until(all_done, within=20)
    runs = (await waiting.get("/api/runs")).json["items"]
    by_start = sorted(runs, key=lambda run: (run["started_at"], -run["priority"]))
    assert [run["priority"] for run in by_start] == [10, 0, 0, -5]


async def test_a_changed_priority_changes_the_order(waiting: Served) -> None:
    first = await waiting.run("probe", "echo", inputs={"text": "1"})
    second = await waiting.run("probe", "echo", inputs={"text": "2"})
    response = await waiting.request(
        "PATCH", f"/api/tasks/{second}/priority", json={"priority": 50}
    )
    assert response.status == 200
    assert response.json["priority"] == 50
    listed = (await waiting.get("/api/queue/list")).json["items"]
    assert [item["cid"] for item in listed] == [second, first]


async def test_the_priority_of_a_finished_run_stays(probe: Served) -> None:
    run = await probe.done("probe", "echo", inputs={"text": "x"})
    response = await probe.request(
        "PATCH", f"/api/tasks/{run['cid']}/priority", json={"priority": 1}
    )
    assert response.status == 409


async def test_a_delayed_run_waits_for_its_time_and_is_woken(probe: Served) -> None:
    cid = await probe.run("probe", "echo", inputs={"text": "later"}, delay_sec=0.3)
    run = (await probe.get(f"/api/runs/{cid}")).json
    assert run["status"] == "queued"
    assert [reason["code"] for reason in run["waiting"]["reasons"]] == ["delayed"]
    assert run["waiting"]["reasons"][0]["until"] == run["run_at"]
    delayed = (await probe.get("/api/queue/list?state=delayed")).json["items"]
    assert [item["cid"] for item in delayed] == [cid]
    run = await probe.finished(cid)
    assert run["status"] == "succeeded"
    assert run["started_at"] >= run["run_at"]


async def test_a_queued_run_is_cancelled_at_once(waiting: Served) -> None:
    cid = await waiting.run("probe", "echo", inputs={"text": "x"})
    response = await waiting.post(f"/api/tasks/{cid}/cancel", {"reason": "a mistake"})
    assert response.status == 202
    assert response.json["status"] == "cancelled"
    run = (await waiting.get(f"/api/runs/{cid}")).json
    assert run["cancel"]["reason"] == "a mistake"
    again = await waiting.post(f"/api/tasks/{cid}/cancel")
    assert again.status == 409


@pytest.mark.parametrize("task", ["hold", "wait_politely"])
async def test_a_running_run_is_cancelled(probe: Served, tmp_path: Path, task: str) -> None:
    inputs = {"gate": str(tmp_path / "never")} if task == "hold" else {}
    cid = await probe.run("probe", task, inputs=inputs)
    await _running(probe, cid)
    first = await probe.post(f"/api/tasks/{cid}/cancel")
    assert first.status == 202
    run = await probe.finished(cid)
    assert run["status"] == "cancelled"
    again = await probe.post(f"/api/tasks/{cid}/cancel")
    assert again.status == 409


async def test_a_run_over_its_time_is_timed_out(probe: Served, tmp_path: Path) -> None:
    run = await probe.done(
        "probe", "hold", inputs={"gate": str(tmp_path / "never")}, timeout_sec=0.2
    )
    assert run["status"] == "timed_out"
    assert run["error"]["message"]


async def test_active_runs_show_worker_and_step(probe: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    cid = await probe.run("probe", "hold", inputs={"gate": str(gate)})

    async def in_step() -> Any:
        items = (await probe.get("/api/runs/active")).json["items"]
        return next((item for item in items if item["current_steps"] == ["wait"]), None)

    active = await until(in_step)
    assert active["cid"] == cid
    assert active["worker"].rpartition("/")[2].startswith("worker-")
    gate.touch()
    await probe.finished(cid)
    assert (await probe.get("/api/runs/active")).json["items"] == []


async def test_statuses_of_many_in_the_order_asked(probe: Served) -> None:
    run = await probe.done("probe", "echo", inputs={"text": "x"})
    unknown = "019cadd4-0000-7000-8000-000000000000"
    response = await probe.post("/api/tasks/status/batch", {"cids": [unknown, run["cid"]]})
    assert [item["status"] for item in response.json["items"]] == ["not_found", "succeeded"]


async def test_runs_are_listed_newest_first_with_filters_and_pages(waiting: Served) -> None:
    cids = [
        await waiting.run("probe", "echo", inputs={"text": str(number)}, labels={"n": str(number)})
        for number in range(5)
    ]
    first = (await waiting.get("/api/runs?limit=3")).json
    rest = (await waiting.get(f"/api/runs?limit=3&cursor={first['next_cursor']}")).json
    assert [item["cid"] for item in first["items"] + rest["items"]] == cids[::-1]
    assert "next_cursor" not in rest
    assert "inputs" not in first["items"][0]
    (plain,) = (await waiting.get("/api/runs?label=n%3D3&include=")).json["items"]
    assert "inputs" not in plain
    found = (await waiting.get("/api/runs?label=n%3D3&include=inputs")).json["items"]
    assert [item["inputs"]["text"] for item in found] == ["3"]
    await waiting.post(f"/api/tasks/{cids[1]}/cancel")
    found = (await waiting.get("/api/runs?status=cancelled&status=failed")).json["items"]
    assert [item["cid"] for item in found] == [cids[1]]
    assert (await waiting.get("/api/runs?q=no-such")).json["items"] == []
