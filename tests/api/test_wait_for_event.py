"""`wait.for_event` on a real server: a step that waits for the end of another run."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, write_plan
from tests.waiting import until

TASKS = {
    "ok": """
meta: {inputs: [{name: n, type: integer, default: 1}]}
steps: {a: {action: log, params: {message: x}}}
returns: {n: "{{ inputs.n }}"}
""",
    "bad": "steps: {a: {action: fail, params: {message: so it is}}}",
}
WAIT = """
meta:
  on_crash: restart
  inputs:
    - {name: plan}
    - {name: task}
    - {name: cid}
    - {name: status}
    - {name: timeout_sec, type: number}
    - {name: event, default: run.finished}
steps:
  wait:
    action: wait.for_event
    params:
      event: "{{ inputs.event }}"
      plan: "{{ inputs.plan }}"
      task: "{{ inputs.task }}"
      cid: "{{ inputs.cid }}"
      status: "{{ inputs.status }}"
      timeout_sec: "{{ inputs.timeout_sec }}"
returns: "{{ nodes.wait.output }}"
"""


@pytest.fixture
def root(tmp_path: Path) -> str:
    """The folder of the plan `p`."""
    return str(write_plan(tmp_path / "plans", "p", {**TASKS, "wait": WAIT}).parent)


@pytest.fixture
async def server(make_server: MakeServer, root: str) -> Served:
    """A server with one worker that has one slot: who waits must give it away."""
    return await make_server(plans=[root], slots=1)


async def waiting(server: Served, **inputs: Any) -> str:
    """A run that waits for an event, really; its cid."""
    cid = await server.run("p", "wait", inputs=inputs)
    await until(lambda: _is_waiting(server, cid), within=20)
    return cid


async def _is_waiting(server: Served, cid: str, attempt: int = 1) -> bool:
    """Whether the run's step has begun, and given its slot away."""
    active = (await server.get("/api/runs/active")).json["items"]
    workers = (await server.get("/api/system/status")).json["workers"]
    found = [(run["current_steps"], run["attempt"]) for run in active if run["cid"] == cid]
    return found == [(["wait"], attempt)] and not any(worker["busy"] for worker in workers)


async def test_a_step_waits_for_the_end_of_another_run(server: Served) -> None:
    cid = await waiting(server, task="ok", status="succeeded")
    assert (await server.done("p", "bad"))["status"] == "failed"
    other = await server.done("p", "ok", inputs={"n": 7})
    assert (await server.finished(cid))["result"] == {
        "event": "run.finished",
        "cid": other["cid"],
        "plan_name": "p",
        "task_name": "ok",
        "status": "succeeded",
        "at": other["finished_at"],
        "result": {"n": 7},
    }


async def test_a_run_that_failed_is_told_with_its_error(server: Served) -> None:
    cid = await waiting(server, status="failed|timed_out")
    await server.done("p", "ok")
    await server.done("p", "bad")
    result = (await server.finished(cid))["result"]
    assert (result["task_name"], result["status"]) == ("bad", "failed")
    assert result["error"] == {"type": "Failed", "message": "so it is"}
    assert "result" not in result


async def test_a_run_that_has_ended_is_no_wait(server: Served) -> None:
    other = await server.done("p", "ok")
    run = await server.done("p", "wait", inputs={"cid": other["cid"]})
    assert run["result"]["cid"] == other["cid"]


async def test_one_event_lets_everybody_go_on(server: Served) -> None:
    cids = [await waiting(server, task="ok") for _ in range(3)]
    other = await server.done("p", "ok")
    results = [(await server.finished(cid))["result"] for cid in cids]
    assert [result["cid"] for result in results] == [other["cid"]] * 3


@pytest.mark.parametrize(
    ("inputs", "kind", "part"),
    [
        ({"task": "okk"}, "EventCannotCome", "Did you mean 'ok'?"),
        ({"plan": "q"}, "EventCannotCome", "There is no plan 'q'."),
        ({"cid": "nobody"}, "EventCannotCome", "There is no run with the cid 'nobody'."),
        ({"status": "success"}, "ValueError", "Did you mean 'succeeded'?"),
        ({"event": "run.finish"}, "ValueError", "Did you mean 'run.finished'?"),
        ({"timeout_sec": 0.1}, "TimeoutError", "within 0.1 s"),
    ],
)
async def test_what_cannot_come_or_does_not_fails_the_step(
    server: Served, inputs: dict[str, Any], kind: str, part: str
) -> None:
    run = await server.done("p", "wait", inputs=inputs)
    assert (run["error"]["type"], run["error"]["step"]) == (kind, "wait")
    assert part in run["error"]["message"]


async def test_a_run_that_ended_otherwise_cannot_come(server: Served) -> None:
    other = await server.done("p", "bad")
    inputs = {"cid": other["cid"], "status": "succeeded"}
    run = await server.done("p", "wait", inputs=inputs)
    assert run["error"]["type"] == "EventCannotCome"
    assert "already ended as failed" in run["error"]["message"]


async def test_who_waits_can_be_cancelled(server: Served) -> None:
    cid = await waiting(server, task="ok")
    assert (await server.post(f"/api/tasks/{cid}/cancel")).status == 202
    assert (await server.finished(cid))["status"] == "cancelled"
    assert (await server.done("p", "ok"))["status"] == "succeeded"


async def test_who_loses_his_worker_waits_again(server: Served) -> None:
    cid = await waiting(server, task="ok")
    (worker,) = (await server.get("/api/system/status")).json["workers"]
    os.kill(worker["pid"], signal.SIGKILL)

    await until(lambda: _is_waiting(server, cid, attempt=2), within=20)
    other = await server.done("p", "ok")
    assert (await server.finished(cid))["result"]["cid"] == other["cid"]
