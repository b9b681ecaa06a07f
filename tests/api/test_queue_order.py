"""The queue over HTTP: put in order, moved in time, paused, emptied."""

import asyncio
from pathlib import Path
from typing import Any

from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served
from tests.waiting import until


async def _queued(server: Served, count: int, **rest: Any) -> list[str]:
    """Runs that wait: the system is stopped."""
    return [await server.run("probe", "echo", inputs={"text": "x"}, **rest) for _ in range(count)]


async def _order(server: Served) -> list[str]:
    items = (await server.get("/api/queue/list?limit=100")).json["items"]
    assert [item["position"] for item in items] == list(range(1, len(items) + 1))
    return [item["cid"] for item in items]


async def test_runs_are_moved_within_their_priority(waiting: Served) -> None:
    a, b, c, d = await _queued(waiting, 4)
    assert (await waiting.post(f"/api/queue/{d}/move-to-front")).json["cid"] == d
    assert await _order(waiting) == [d, a, b, c]
    moved = await waiting.post(f"/api/queue/{d}/move-to-position", {"position": 3})
    assert moved.json["status"] == "queued"
    assert await _order(waiting) == [a, b, d, c]
    ordered = await waiting.post("/api/queue/reorder", {"cid_order": [c, b]})
    assert ordered.json == {"moved_count": 2}
    assert await _order(waiting) == [c, b, a, d]
    run = (await waiting.get(f"/api/runs/{a}")).json
    assert run["waiting"]["position"] == 3


async def test_an_order_with_a_stranger_moves_nothing(waiting: Served) -> None:
    a, b = await _queued(waiting, 2)
    refused = await waiting.post("/api/queue/reorder", {"cid_order": [b, "none"]})
    assert refused.status == 400
    assert refused.json["type"] == "urn:aura:problem:reorder-rejected"
    assert [each["field"] for each in refused.json["errors"]] == ["/cid_order/1"]
    assert await _order(waiting) == [a, b]


async def test_a_run_is_inserted_where_it_is_wanted_once(waiting: Served) -> None:
    a, b = await _queued(waiting, 2)
    body = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}, "index": 1}
    key = {"Idempotency-Key": "insert-1"}
    first = await waiting.post("/api/queue/insert", body, headers=key)
    assert first.status == 202
    assert first.headers["Location"] == f"/api/runs/{first.json['cid']}"
    again = await waiting.post("/api/queue/insert", body, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == first.json
    assert await _order(waiting) == [a, first.json["cid"], b]
    bad = await waiting.post("/api/queue/insert", {**body, "task_name": "ecko"})
    assert "Did you mean 'echo'?" in bad.json["detail"]


async def test_a_run_is_taken_out_of_the_queue(waiting: Served) -> None:
    a, b = await _queued(waiting, 2)
    assert (await waiting.request("DELETE", f"/api/queue/{a}")).json["status"] == "cancelled"
    assert await _order(waiting) == [b]
    run = (await waiting.get(f"/api/runs/{a}")).json
    assert (run["status"], run["cancel"]["reason"]) == (
        "cancelled",
        "It was removed from the queue.",
    )
    for path in (f"/api/queue/{a}", f"/api/queue/{a}/move-to-front"):
        method = "POST" if path.endswith("front") else "DELETE"
        assert (await waiting.request(method, path)).status == 409
    assert (await waiting.request("DELETE", "/api/queue/none")).status == 404


async def test_the_queue_is_emptied_but_for_what_runs(probe: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = await probe.run("probe", "hold", inputs={"gate": str(gate)})

    async def is_running() -> bool:
        return bool((await probe.get(f"/api/runs/{running}")).json["status"] == "running")

    await until(is_running)
    await probe.post("/api/queue/pause")
    await _queued(probe, 3)
    await _queued(probe, 2, delay_sec=600)
    assert (await probe.request("DELETE", "/api/queue/clear?plan_name=none")).json == {
        "removed_count": 0
    }
    assert (await probe.request("DELETE", "/api/queue/clear")).json == {"removed_count": 5}
    assert (await probe.get("/api/queue/overview")).json["delayed_length"] == 0
    gate.touch()
    assert (await probe.finished(running))["status"] == "succeeded"


async def test_nothing_starts_while_the_queue_is_paused_and_a_restart_does_not_change_that(
    make_server: MakeServer, tmp_path: Path
) -> None:
    settings = {"plans": [write_probe(tmp_path / "plans")], "data_dir": str(tmp_path / "data")}
    server = await make_server(**settings)
    paused = (await server.post("/api/queue/pause")).json
    assert (paused["is_paused"], paused["plans"]) == (True, [])
    (cid,) = await _queued(server, 1)
    run = (await server.get(f"/api/runs/{cid}")).json
    assert [reason["code"] for reason in run["waiting"]["reasons"]][:1] == ["paused"]
    assert run["waiting"]["reasons"][0]["since"] == paused["since"]
    overview = (await server.get("/api/queue/overview")).json
    assert overview["pauses"] == paused
    held = asyncio.create_task(server.get(f"/api/runs/{cid}?wait_sec=30"))
    assert (await server.post("/api/queue/resume", {})).json == {"is_paused": False, "plans": []}
    assert (await held).json["status"] == "succeeded"


async def test_one_plan_is_paused_and_the_others_go_on(
    make_server: MakeServer, tmp_path: Path
) -> None:
    root = tmp_path / "plans"
    write_probe(root)
    (root / "other" / "tasks").mkdir(parents=True)
    task = "steps:\n  say:\n    action: log\n    params: {message: hi}\n"
    (root / "other" / "tasks" / "say.yaml").write_text(task, "utf-8")
    server = await make_server(plans=[str(root)])
    paused = (await server.post("/api/queue/pause", {"plan_name": "probe"})).json
    assert [plan["plan_name"] for plan in paused["plans"]] == ["probe"]
    mistyped = await server.post("/api/queue/pause", {"plan_name": "probr"})
    assert (mistyped.status, mistyped.json["type"]) == (404, "urn:aura:problem:plan-not-found")
    assert (await server.post("/api/queue/resume", {"plan_name": "gone"})).json == paused
    (cid,) = await _queued(server, 1, priority=100)
    assert (await server.done("other", "say"))["status"] == "succeeded"
    run = (await server.get(f"/api/runs/{cid}")).json
    assert run["status"] == "queued"
    assert run["waiting"]["reasons"][0]["code"] == "paused"
    await server.post("/api/queue/resume", {"plan_name": "probe"})
    assert (await server.finished(cid))["status"] == "succeeded"


async def test_a_delayed_run_is_moved_to_now(probe: Served) -> None:
    (cid,) = await _queued(probe, 1, delay_sec=3600)
    later = await probe.request(
        "PATCH", f"/api/tasks/{cid}/run-at", json={"run_at": "2035-01-01T00:00:00Z"}
    )
    assert later.json["run_at"] == "2035-01-01T00:00:00.000000Z"
    now = await probe.request("PATCH", f"/api/tasks/{cid}/run-at", json={})
    assert now.status == 200
    assert (await probe.finished(cid))["status"] == "succeeded"
    gone = await probe.request("PATCH", f"/api/tasks/{cid}/run-at", json={"delay_sec": 1})
    assert gone.status == 409
    both = {"delay_sec": 1, "run_at": "2035-01-01T00:00:00Z"}
    assert (await probe.request("PATCH", f"/api/tasks/{cid}/run-at", json=both)).status == 422


async def test_many_are_cancelled_by_filter(probe: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = await probe.run("probe", "hold", inputs={"gate": str(gate)}, labels={"team": "a"})

    async def is_running() -> bool:
        return bool((await probe.get(f"/api/runs/{running}")).json["status"] == "running")

    await until(is_running)
    await probe.post("/api/queue/pause")
    ours = await _queued(probe, 3, labels={"team": "a", "env": "test"})
    (other,) = await _queued(probe, 1, labels={"team": "b"})
    answer = await probe.post(
        "/api/tasks/cancel", {"labels": {"team": "a"}, "reason": "no more", "mode": "kill"}
    )
    assert answer.status == 202
    assert answer.json == {"cancelled_count": 3, "cancelling_count": 1}
    assert (await probe.finished(running))["status"] == "cancelled"
    for cid in ours:
        run = (await probe.get(f"/api/runs/{cid}")).json
        assert (run["status"], run["cancel"]["reason"]) == ("cancelled", "no more")
    assert (await probe.get(f"/api/runs/{other}")).json["status"] == "queued"
    nothing = await probe.post("/api/tasks/cancel", {"status": ["succeeded"]})
    assert nothing.json == {"cancelled_count": 0, "cancelling_count": 0}
