"""When the steps of a run ran, and what a run would do: getRunTimeline and dryRunTask.

Imports pytest, the fixtures and `tests.serving`.
"""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, write_plan
from tests.waiting import until

ACTIONS = '''
import asyncio
from pathlib import Path

from aura_aio import action

calls = 0


@action
def third_time() -> int:
    """Fail twice."""
    global calls
    calls += 1
    if calls < 3:
        raise RuntimeError("again")
    return calls


@action
async def hold(gate: str) -> None:
    """Return as soon as there is the file."""
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
'''

TASKS = {
    "steps": """
meta: {inputs: [{name: turns, type: integer, default: 3}, {name: key, secret: true}]}
steps:
  plain: {action: set}
  retried: {action: third_time, depends_on: plain, on_exception: {retry: 5}}
  looped: {action: set, depends_on: retried, loop: {times: "{{ inputs.turns }}", parallelism: 2}}
  never: {action: set, when: false}
  maybe: {action: set, when: "{{ nodes.plain is defined }}", depends_on: plain}
  broken: {action: fail, depends_on: looped, params: {message: as asked}}
  rescue: {action: set, depends_on: {broken: failed}}
""",
    "conditions": """
meta: {inputs: [{name: mode}, {name: key, secret: true}]}
steps:
  deep: {action: set, when: "{{ inputs.mode == 'deep' }}"}
  deep_later: {action: set, when: "{{ inputs.mode == 'deep' }}", depends_on: deep}
  fast: {action: set, when: "{{ inputs.mode == 'fast' }}"}
  keyed: {action: set, when: "{{ inputs.key == 'open sesame' }}"}
  text: {action: set, when: "no"}
  after_failure: {action: set, when: "{{ inputs.mode == 'deep' }}", depends_on: {deep: failed}}
  never_after_failure: {action: set, when: "{{ inputs.mode is none }}", depends_on: {deep: failed}}
  of_run: {action: set, when: "{{ run.attempt == 1 and inputs.mode is defined }}"}
  of_chance: {action: set, when: "{{ [true] | random }}"}
  broken: {action: set, when: "{{ inputs.mode + 1 }}"}
  long: {action: set, when: "{% for x in range(999) %}{{ range(99999) | sum }}{% endfor %}"}
""",
    "hold": """
meta:
  on_crash: restart
  inputs: [{name: gate, required: true}]
  concurrency: {mode: shared, resources: ["printer:1"]}
steps:
  wait: {action: hold, params: {gate: "{{ inputs.gate }}"}}
""",
}


@pytest.fixture
async def server(make_server: MakeServer, tmp_path: Path) -> Served:
    write_plan(tmp_path / "plans", "times", TASKS, ACTIONS)
    return await make_server(plans=[str(tmp_path / "plans")])


async def timeline(server: Served, cid: str) -> list[Any]:
    """The steps of a run."""
    response = await server.get(f"/api/runs/{cid}/timeline")
    assert response.json["cid"] == cid
    steps: list[Any] = response.json["steps"]
    return steps


async def test_steps_tries_and_turns(server: Served) -> None:
    run = await server.done("times", "steps")
    steps = {step["node_id"]: step for step in await timeline(server, run["cid"])}
    assert {name: step["status"] for name, step in steps.items()} == {
        "plain": "success",
        "retried": "success",
        "looped": "success",
        "never": "skipped",
        "maybe": "success",
        "broken": "failed",
        "rescue": "success",
    }
    assert "calls" not in steps["plain"]
    assert (steps["plain"]["tries"], steps["plain"]["worker"]) == (1, run["worker"])
    tries = [(each["tried"], each["status"]) for each in steps["retried"]["calls"]]
    assert tries == [(1, "failed"), (2, "failed"), (3, "success")]
    assert sorted(each["loop_index"] for each in steps["looped"]["calls"]) == [0, 1, 2]
    assert steps["broken"]["error"]["message"] == "as asked"
    assert "started_at" not in steps["never"]
    assert steps["plain"]["finished_at"] <= steps["retried"]["started_at"]
    assert all(step["attempt"] == 1 for step in steps.values())


async def test_of_many_turns_the_first_thousand_are_told(server: Served) -> None:
    run = await server.done("times", "steps", inputs={"turns": 1_010})
    looped = next(s for s in await timeline(server, run["cid"]) if s["node_id"] == "looped")
    assert (len(looped["calls"]), looped["tries"]) == (1_000, 1_010)


async def test_an_attempt_that_was_lost(server: Served, tmp_path: Path) -> None:
    cid = await server.run("times", "hold", inputs={"gate": str(tmp_path / "gate")})

    async def statuses() -> list[tuple[int, str]]:
        return [(step["attempt"], step["status"]) for step in await timeline(server, cid)]

    async def running() -> bool:
        return await statuses() == [(1, "running")]

    await until(running, within=20)
    (worker,) = (await server.get("/api/system/status")).json["workers"]
    os.kill(worker["pid"], signal.SIGKILL)

    async def again() -> bool:
        return await statuses() == [(1, "lost"), (2, "running")]

    await until(again, within=20)
    (tmp_path / "gate").touch()
    await server.finished(cid)
    assert await statuses() == [(1, "lost"), (2, "success")]


async def test_only_runs_have_a_timeline(server: Served) -> None:
    assert (await server.get("/api/runs/none/timeline")).status == 404


async def dry_run(server: Served, task: str, **rest: Any) -> Any:
    """What a run would do."""
    body = {"plan_name": "times", "task_name": task, **rest}
    response = await server.post("/api/tasks/dry-run", body)
    assert response.status == 200, response.body
    return response.json


async def test_what_a_run_would_do(server: Served) -> None:
    found = await dry_run(server, "steps", inputs={"turns": "7", "key": "open sesame"})
    assert found["inputs"] == {"turns": 7, "key": "***"}
    outlooks = {step["node_id"]: step["outlook"] for step in found["steps"]}
    assert outlooks == {
        "plain": "run",
        "retried": "run",
        "looped": "run",
        "never": "skip",
        "maybe": "open",
        "broken": "run",
        "rescue": "open",
    }
    names = list(outlooks)
    assert names.index("plain") < names.index("retried") < names.index("looped")
    assert (await server.get("/api/runs")).json["items"] == []


async def test_what_the_inputs_decide_is_known_beforehand(server: Served) -> None:
    async def outlooks(**inputs: Any) -> dict[str, tuple[str, str]]:
        found = await dry_run(server, "conditions", inputs=inputs)
        return {step["node_id"]: (step["outlook"], step["why"]) for step in found["steps"]}

    few = await outlooks(mode="deep", key="open sesame")
    assert {step: outlook for step, (outlook, _) in few.items()} == {
        "deep": "run",
        "deep_later": "run",
        "fast": "skip",
        "keyed": "run",
        "text": "skip",
        "after_failure": "open",
        "never_after_failure": "skip",
        "of_run": "open",
        "of_chance": "open",
        "broken": "open",
        "long": "open",
    }
    assert few["deep"][1] == "Its 'when' is true: {{ inputs.mode == 'deep' }}"
    assert few["fast"][1] == "Its 'when' is false: {{ inputs.mode == 'fast' }}"
    assert (await outlooks(mode="fast"))["fast"][0] == "run"
    assert (await outlooks())["deep"][0] == "skip"


async def test_where_it_would_stand(server: Served, tmp_path: Path) -> None:
    gate = {"gate": str(tmp_path / "gate")}
    free = await dry_run(server, "hold", inputs=gate)
    printer = {"code": "resource", "resource": "printer", "most": 1}
    assert free["limits"] == [{**printer, "is_full": False}]
    assert free["waiting"]["position"] == 1
    first = await server.run("times", "hold", inputs=gate)

    async def active() -> bool:
        return bool((await server.get("/api/runs/active")).json["items"])

    await until(active, within=20)
    await server.run("times", "hold", inputs=gate, priority=1)
    await server.run("times", "hold", inputs=gate)
    await server.run("times", "hold", inputs=gate, priority=-1)
    taken = await dry_run(server, "hold", inputs=gate)
    assert taken["limits"] == [{**printer, "is_full": True}]
    assert (taken["waiting"]["position"], taken["waiting"]["ahead"]) == (3, 2)
    reasons = {reason["code"]: reason for reason in taken["waiting"]["reasons"]}
    assert reasons["resource"]["blocking_cids"] == [first]
    later = await dry_run(server, "hold", inputs=gate, delay_sec=600)
    assert [reason["code"] for reason in later["waiting"]["reasons"]] == ["delayed"]
    assert "position" not in later["waiting"]


async def test_what_would_be_refused_is_refused(server: Served) -> None:
    for body in (
        {"plan_name": "tmes", "task_name": "steps"},
        {"plan_name": "times", "task_name": "hold"},
    ):
        assert (await server.post("/api/tasks/dry-run", body)).status == 400
