"""What Prometheus is told, read with its own parser."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aura_aio.api import run_figures
from aura_aio.contract.document import Contract, load_contract
from tests.backends import DATABASES
from tests.conftest import MakeServer
from tests.serving import Served
from tests.waiting import until

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def _figures(server: Served) -> Figures:
    response = await server.get("/metrics")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.body.decode())
        for sample in family.samples
    }


def _labels(**labels: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(value)) for name, value in labels.items()))


async def test_requests_are_counted_by_operation_and_status(probe: Served) -> None:
    before = await _figures(probe)
    for _ in range(3):
        assert (await probe.get("/api/runs")).status == 200
    assert (await probe.get("/api/runs/none")).status == 404
    assert (await probe.session.get(f"{probe.url}/openapi.yaml")).status == 200
    after = await _figures(probe)

    def grown(operation: str, status: int) -> float:
        key = ("aura_http_requests_total", _labels(operation=operation, status=status))
        return after[key] - before.get(key, 0.0)

    assert grown("listRuns", 200) == 3
    assert grown("getRun", 404) == 1
    assert grown("page", 200) == 1
    assert after["aura_http_request_seconds_count", _labels(operation="listRuns")] == 3


async def test_runs_are_counted_by_task_and_outcome(probe: Served) -> None:
    for _ in range(2):
        await probe.done("probe", "echo", inputs={"text": "x"})
    await probe.done("probe", "exit_process")
    later = await probe.run("probe", "echo", inputs={"text": "x"}, delay_sec=600)
    await probe.post(f"/api/tasks/{later}/cancel")
    figures = await _figures(probe)

    def ended(task: str, status: str) -> float:
        return figures["aura_runs_finished_total", _labels(plan="probe", task=task, status=status)]

    assert ended("echo", "succeeded") == 2
    assert ended("exit_process", "failed") == 1
    assert ended("echo", "cancelled") == 1
    assert figures["aura_run_seconds_count", _labels(plan="probe", task="echo")] == 2
    assert figures["aura_runs", _labels(status="succeeded")] == 2


async def test_labels_have_a_bounded_number_of_values(
    make_server: MakeServer, probe_root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can fill the memory of a Prometheus with paths that there are not, or with tasks."""
    contract: Contract = await asyncio.to_thread(load_contract)
    monkeypatch.setattr(run_figures, "MOST_TASKS", 2)
    server = await make_server(plans=[probe_root], workers=0)
    for number in range(5):
        assert (await server.get(f"/api/no/such/{number}")).status == 404
        assert (await server.get(f"/api/runs/none-{number}")).status == 404
    inputs: dict[str, Any] = {
        "say": {"lines": 1},
        "echo": {"text": "x"},
        "count": {"file": str(tmp_path / "file"), "line": "x"},
    }
    for task in ("which_process", "say", "echo", "count"):
        await server.done("probe", task, inputs=inputs.get(task, {}))
    labels = [dict(found) for name, found in await _figures(server) if name.startswith("aura_")]
    known = {each.operation_id for each in contract.operations} | {"page"}
    assert {each["operation"] for each in labels if "operation" in each} <= known
    assert {(each["plan"], each["task"]) for each in labels if "task" in each} == {
        ("probe", "which_process"),
        ("probe", "say"),
        ("other", "other"),
    }


async def test_the_log_and_its_monitors_and_the_waits_are_told(probe: Served) -> None:
    before = await _figures(probe)
    async with probe.session.ws_connect(f"{probe.url}/ws/logs") as monitor:
        assert (await monitor.receive_json())["type"] == "hello"
        await probe.done("probe", "say", inputs={"lines": 20})
        figures = await _figures(probe)
    assert figures["aura_log_monitors", ()] == 1
    assert figures["aura_log_lines_stored", ()] >= before["aura_log_lines_stored", ()] + 20
    assert figures["aura_log_lines_published", ()] >= 20
    assert figures["aura_log_lines_dropped", ()] == 0
    overview = (await probe.get("/api/queue/overview")).json
    assert figures["aura_queue_wait_seconds_avg", ()] == overview["avg_wait_sec"] > 0
    assert figures["aura_queue_wait_seconds_p95", ()] == overview["p95_wait_sec"]


async def test_a_run_that_can_start_at_once_is_claimed_by_the_transaction_that_queues_it(
    probe: Served, tmp_path: Path
) -> None:
    await probe.done("probe", "echo", inputs={"text": "a worker is up"})
    before = await _figures(probe)
    cid = await probe.run("probe", "hold", inputs={"gate": str(tmp_path / "gate")})

    async def is_running() -> bool:
        return bool((await probe.get(f"/api/runs/{cid}")).json["status"] == "running")

    await until(is_running)
    after = await _figures(probe)
    grown = after["aura_store_commits", ()] - before["aura_store_commits", ()]
    # The last keeps that its step has begun; a job is offered as the run is queued, then claimed.
    assert 1 <= grown <= (2 if DATABASES.dispatcher == "local" else 3)
    (tmp_path / "gate").touch()
    await probe.finished(cid)


async def test_the_queue_the_workers_and_the_store_are_told(waiting: Served) -> None:
    for number in range(3):
        delay = {"delay_sec": 600} if number else {}
        await waiting.run("probe", "echo", inputs={"text": "x"}, **delay)
    figures = await _figures(waiting)
    assert figures["aura_queue_ready", ()] == 1
    assert figures["aura_queue_delayed", ()] == 2
    assert figures["aura_queue_paused", ()] == 0
    assert figures["aura_store_commits", ()] >= 3
    assert figures["aura_store_commit_seconds", ()] > 0
    await waiting.post("/api/queue/pause")
    assert (await _figures(waiting))["aura_queue_paused", ()] == 1
    await waiting.post("/api/system/start")

    async def ready() -> bool:
        return (await _figures(waiting)).get(("aura_workers", _labels(state="ready"))) == 1

    await until(ready, within=20)
