"""Start, stop, status, plans, health."""

from pathlib import Path
from typing import Any

from tests.conftest import MakeServer
from tests.serving import Served, write_plan
from tests.waiting import until


async def _state(server: Served) -> str:
    state: str = (await server.get("/api/system/status")).json["state"]
    return state


async def test_start_is_idempotent(waiting: Served) -> None:
    assert await _state(waiting) == "stopped"
    assert (await waiting.post("/api/system/start")).json["status"] == "started"
    assert (await waiting.post("/api/system/start")).json["status"] == "already_running"

    async def running() -> bool:
        return await _state(waiting) == "running"

    await until(running)


async def test_a_drain_lets_runs_finish_and_starts_none(probe: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    held = await probe.run("probe", "hold", inputs={"gate": str(gate)})
    await until(lambda: _is(probe, held, "running"))
    stopped = await probe.post("/api/system/stop")
    assert stopped.status == 202
    assert stopped.json["status"] == "stopping"
    assert stopped.json["active_run_count"] == 1
    assert await _state(probe) == "draining"
    queued = await probe.run("probe", "echo", inputs={"text": "waits"})
    run = (await probe.get(f"/api/runs/{queued}")).json
    assert [reason["code"] for reason in run["waiting"]["reasons"]] == ["stopped"]
    gate.touch()
    assert (await probe.finished(held))["status"] == "succeeded"
    await until(lambda: _is_state(probe, "stopped"))
    assert (await probe.get(f"/api/runs/{queued}")).json["status"] == "queued"
    assert (await probe.post("/api/system/stop")).json["status"] == "already_stopped"
    await probe.post("/api/system/start")
    assert (await probe.finished(queued))["status"] == "succeeded"


async def test_a_stop_can_cancel(probe: Served, tmp_path: Path) -> None:
    held = await probe.run("probe", "hold", inputs={"gate": str(tmp_path / "never")})
    await until(lambda: _is(probe, held, "running"))
    await probe.post("/api/system/stop", {"mode": "cancel"})
    assert (await probe.finished(held))["status"] == "cancelled"


async def test_a_drain_with_a_limit_cancels_after_it(probe: Served, tmp_path: Path) -> None:
    held = await probe.run("probe", "hold", inputs={"gate": str(tmp_path / "never")})
    await until(lambda: _is(probe, held, "running"))
    await probe.post("/api/system/stop", {"timeout_sec": 0.2})
    assert (await probe.finished(held))["status"] == "cancelled"


async def test_the_status_counts(probe: Served) -> None:
    await probe.done("probe", "echo", inputs={"text": "x"})
    status = (await probe.get("/api/system/status")).json
    assert status["is_running"] is True
    assert status["runs"]["succeeded"] == 1
    assert status["workers"][0]["name"].rpartition("/")[2] == "worker-1"
    assert status["log_stream"]["last_seq"] >= 1
    overview = (await probe.get("/api/queue/overview")).json
    assert overview["throughput"]["m5"] == 1
    assert overview["ready_length"] == 0


async def test_a_reload_sees_new_tasks_and_actions(make_server: MakeServer, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    actions = "from aura_aio import action\n\n@action\ndef answer():\n    return {}\n"
    write_plan(
        plans,
        "p",
        {"t": "steps: {a: {action: answer}}\nreturns: '{{ nodes.a.output }}'\n"},
        actions.format(1),
    )
    server = await make_server(plans=[str(plans)])
    assert (await server.done("p", "t"))["result"] == 1
    write_plan(
        plans, "p", {"u": "steps: {a: {action: log, params: {message: hi}}}"}, actions.format(2)
    )
    reloaded = await server.post("/api/system/reload")
    assert reloaded.json == {"plan_count": 1, "task_count": 2, "task_error_count": 0}
    assert (await server.done("p", "u"))["status"] == "succeeded"
    assert (await server.done("p", "t"))["result"] == 2


async def test_a_reload_while_runs_are_active_must_be_forced(probe: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    held = await probe.run("probe", "hold", inputs={"gate": str(gate)})
    await until(lambda: _is(probe, held, "running"))
    assert (await probe.post("/api/system/reload")).status == 409
    assert (await probe.post("/api/system/reload", {"force": True})).status == 200
    gate.touch()
    assert (await probe.finished(held))["status"] == "succeeded"


async def test_plans_are_described(server: Served) -> None:
    plans = (await server.get("/api/plans")).json["items"]
    assert {"hello", "csv_report", "site_check", "log_digest"} <= {plan["name"] for plan in plans}
    assert all(plan["task_error_count"] == 0 for plan in plans)
    for plan in plans:
        assert (await server.get(f"/api/plans/{plan['name']}")).json["load_errors"] == []
        for task in (await server.get(f"/api/plans/{plan['name']}/tasks")).json["items"]:
            name = task["task_name_in_plan"].replace("/", "%2F")
            detail = await server.get(f"/api/plans/{plan['name']}/tasks/{name}")
            assert detail.json["graph"]["nodes"]


async def test_a_broken_task_hides_no_other(make_server: MakeServer, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    tasks = {
        "good": "steps: {a: {action: log, params: {message: hi}}}",
        "sub/bad": "steps:\n  a:\n    action: lgo\n",
    }
    write_plan(plans, "p", tasks)
    server = await make_server(plans=[str(plans)])
    plan = (await server.get("/api/plans/p")).json
    (error,) = plan["load_errors"]
    assert (error["file"], error["line"]) == ("tasks/sub/bad.yaml", 3)
    assert "Did you mean 'log'?" in error["message"]
    assert (await server.done("p", "good"))["status"] == "succeeded"


async def test_a_task_in_a_folder_is_addressed_with_an_escaped_slash(
    make_server: MakeServer, tmp_path: Path
) -> None:
    plans = tmp_path / "plans"
    write_plan(plans, "p", {"sub/t": "steps: {a: {action: log, params: {message: hi}}}"})
    server = await make_server(plans=[str(plans)])
    task = await server.get("/api/plans/p/tasks/sub%2Ft")
    assert task.json["full_task_id"] == "p/sub/t"


async def test_unknown_plans_and_tasks_are_404(server: Served) -> None:
    assert "'hello'" in (await server.get("/api/plans/helo")).json["detail"]
    assert (await server.get("/api/plans/hello/tasks/gret")).status == 404


async def test_health(server: Served) -> None:
    assert (await server.get("/healthz")).json == {"status": "ok"}
    assert (await server.get("/readyz")).json == {"status": "ready"}


async def test_the_generated_swagger_view_has_every_path(server: Served) -> None:
    async with server.session.get(server.url + "/api/docs/swagger.json") as response:
        assert response.status == 200
        paths: Any = (await response.json())["paths"]
    assert {"/api/tasks/run", "/api/runs/{cid}", "/api/queue/overview"} <= set(paths)


async def _is(server: Served, cid: str, status: str) -> bool:
    return bool((await server.get(f"/api/runs/{cid}")).json["status"] == status)


async def _is_state(server: Served, state: str) -> bool:
    return await _state(server) == state
