"""Child runs: tasks that run tasks, wait for them, and take them along when they end badly."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.family_plan import write_family
from tests.serving import TERMINAL, Served, write_plan
from tests.waiting import until


@pytest.fixture
def plans(tmp_path: Path) -> str:
    """The folder of the plans `family` and `probe`."""
    return write_family(tmp_path / "plans")


@pytest.fixture
async def family(make_server: MakeServer, plans: str) -> Served:
    """A server with one worker that has one slot: who waits for a child must not hold it."""
    return await make_server(plans=[plans], workers=1, slots=1)


async def children(server: Served, cid: str) -> list[Any]:
    """The children of a run, the oldest first."""
    items: list[Any] = (await server.get(f"/api/runs?parent_cid={cid}")).json["items"]
    return items[::-1]


async def state(server: Served, cid: str) -> str:
    return str((await server.get(f"/api/runs/{cid}")).json["status"])


async def only_child(server: Served, cid: str, status: str = "running") -> Any:
    """The only child of a run, once it has this status."""

    async def there() -> Any:
        found = await children(server, cid)
        return found[0] if [each["status"] for each in found] == [status] else None

    return await until(there, within=20)


async def test_a_step_gets_the_result_of_its_child(family: Served) -> None:
    run = await family.done("family", "sub/quadruple", inputs={"n": 3})
    assert (run["status"], run["result"]) == ("succeeded", 12)
    first, second = await children(family, run["cid"])
    assert [first["task_name"], second["task_name"]] == ["double", "double"]
    assert {first["status"], second["status"]} == {"succeeded"}
    assert first["parent_cid"] == run["cid"]
    child = (await family.get(f"/api/runs/{first['cid']}")).json
    assert (child["parent_cid"], child["inputs"], child["result"]) == (run["cid"], {"n": 3}, 6)
    assert "parent_cid" not in run
    assert await children(family, first["cid"]) == []


async def test_the_log_of_the_parent_names_the_child(family: Served) -> None:
    run = await family.done("family", "sub/quadruple", inputs={"n": 3})
    named = [line["data"]["child_cid"] for line in await family.log(run["cid"])]
    assert named == [child["cid"] for child in await children(family, run["cid"])]


@pytest.mark.parametrize("workers", [0, 1])
async def test_generations_need_no_more_than_one_slot(
    make_server: MakeServer, plans: str, workers: int
) -> None:
    server = await make_server(plans=[plans], workers=workers, slots=1)
    cids = [await server.run("family", "generations", inputs={"n": n}) for n in range(6)]
    runs = [await server.finished(cid, within=60) for cid in cids]
    assert [run["result"]["result"] for run in runs] == [0, 4, 8, 12, 16, 20]
    assert {run["result"]["status"] for run in runs} == {"succeeded"}
    assert [run["result"]["cid"] for run in runs] == [
        (await children(server, cid))[0]["cid"] for cid in cids
    ]
    (worker,) = (await server.get("/api/system/status")).json["workers"]
    assert worker["busy"] == 0


async def test_what_has_begun_goes_before_what_has_not(family: Served) -> None:
    parents = [await family.run("family", "generations") for _ in range(5)]
    started = {}
    for cid in parents:
        await family.finished(cid)
        for child in await children(family, cid):
            for grandchild in await children(family, child["cid"]):
                started[grandchild["cid"]] = grandchild["started_at"]
    runs = [(await family.get(f"/api/runs/{cid}")).json for cid in parents]
    for before, after in zip(runs, runs[2:], strict=False):
        assert before["finished_at"] < after["finished_at"]
        assert after["started_at"] > before["started_at"]
    assert len(started) == 10


async def test_children_of_a_loop_and_of_steps_beside_each_other(
    make_server: MakeServer, plans: str
) -> None:
    server = await make_server(plans=[plans], workers=2, slots=2)
    run = await server.done("family", "fan")
    assert run["result"] == [[2, 4, 6, 8, 10], 20]
    assert len(await children(server, run["cid"])) == 6


async def test_a_child_has_the_priority_of_its_parent_unless_it_says_otherwise(
    family: Served,
) -> None:
    run = await family.done("family", "with_all", priority=9)
    found = {child["priority"]: child for child in await children(family, run["cid"])}
    assert found.keys() == {-7, 9}
    assert found[-7]["labels"] == {"team": "a"}
    assert found[9]["labels"] == {}
    assert (await family.get(f"/api/runs/{found[-7]['cid']}")).json["timeout_sec"] == 60


async def test_a_child_that_fails_fails_the_step_and_is_named(family: Served) -> None:
    run = await family.done("family", "runs_broken")
    (child,) = await children(family, run["cid"])
    assert run["status"] == "failed"
    assert run["error"]["type"] == "ChildFailed"
    assert run["error"]["step"] == "child"
    assert run["error"]["message"] == (
        f"Child run {child['cid']} of family/broken ended as failed: Failed: no luck"
    )
    assert "traceback" not in run["error"]


async def test_each_try_of_a_step_has_a_child_of_its_own(family: Served) -> None:
    run = await family.done("family", "tries_broken")
    assert run["status"] == "failed"
    assert len(await children(family, run["cid"])) == 3


async def test_a_child_need_not_succeed(family: Served) -> None:
    run = await family.done("family", "shrugs")
    assert run["status"] == "succeeded"
    assert run["result"] == {
        "cid": (await children(family, run["cid"]))[0]["cid"],
        "status": "failed",
        "error": {"type": "Failed", "message": "no luck"},
    }


@pytest.mark.parametrize(
    ("params", "kind", "message"),
    [
        ({"task": "duble"}, "ChildNotStarted", "Did you mean 'double'?"),
        ({"task": "double", "plan_name": "famly"}, "ChildNotStarted", "Did you mean 'family'?"),
        ({"task": "double", "inputs": {"m": 1}}, "ChildNotStarted", "m: "),
        ({"task": "double", "inputs": [1]}, "BadParameters", "inputs"),
        ({}, "ValueError", "'task'"),
        ({"task": "double", "priority": 101}, "ValueError", "-100 to 100"),
        ({"task": "double", "timeout_sec": 0}, "ValueError", "timeout_sec"),
        ({"task": "double", "labels": {"a=b": "c"}}, "ValueError", "a=b"),
    ],
)
async def test_a_child_that_cannot_be_started_fails_the_step(
    family: Served, params: dict[str, Any], kind: str, message: str
) -> None:
    run = await family.done("family", "anything", inputs={"params": params})
    assert (run["status"], run["error"]["type"]) == ("failed", kind), run["error"]
    assert message in run["error"]["message"]
    assert await children(family, run["cid"]) == []


async def test_a_ring_comes_to_an_end(make_server: MakeServer, plans: str) -> None:
    server = await make_server(plans=[plans], slots=1, child_depth=3)
    run = await server.done("family", "ring")
    assert run["status"] == "failed"
    assert "4 deep, and 3 is the most (child_depth)" in run["error"]["message"]
    assert len((await server.get("/api/runs")).json["items"]) == 4


async def test_a_cancel_of_the_parent_reaches_all_below(family: Served, tmp_path: Path) -> None:
    cid = await family.run("family", "waits_deep", inputs={"gate": str(tmp_path / "never")})
    child = await only_child(family, cid)
    grandchild = await only_child(family, child["cid"])
    assert (await family.post(f"/api/tasks/{cid}/cancel", {"reason": "enough"})).status == 202
    assert (await family.finished(cid))["status"] == "cancelled"
    for below, above in ((child, cid), (grandchild, child["cid"])):
        run = await family.finished(below["cid"])
        assert run["status"] == "cancelled"
        assert run["cancel"]["reason"] == f"Its parent {above} is being cancelled."


async def test_a_kill_reaches_all_below_too(family: Served, tmp_path: Path) -> None:
    cid = await family.run("family", "waits", inputs={"gate": str(tmp_path / "never")})
    child = await only_child(family, cid)
    await family.post(f"/api/tasks/{cid}/cancel", {"mode": "kill"})
    assert (await family.finished(child["cid"]))["cancel"]["mode"] == "kill"


async def test_a_parent_out_of_time_takes_its_children_along(
    family: Served, tmp_path: Path
) -> None:
    assert (await family.done("family", "generations"))["status"] == "succeeded"  # warm by now
    inputs = {"gate": str(tmp_path / "never")}
    run = await family.done("family", "waits_deep", inputs=inputs, timeout_sec=2)
    assert run["status"] == "timed_out"
    (child,) = await children(family, run["cid"])
    end = await family.finished(child["cid"])
    assert end["status"] == "cancelled"
    assert f"its parent {run['cid']}" in end["cancel"]["reason"].lower()
    (grandchild,) = await children(family, child["cid"])
    assert (await family.finished(grandchild["cid"]))["status"] == "cancelled"


async def test_a_step_out_of_time_cancels_its_child_and_the_parent_goes_on(
    family: Served, tmp_path: Path
) -> None:
    run = await family.done("family", "impatient", inputs={"gate": str(tmp_path / "never")})
    assert (run["status"], run["result"]) == ("succeeded", 1)
    (child,) = await children(family, run["cid"])
    end = await family.finished(child["cid"])
    assert end["status"] == "cancelled"
    assert "'child' of its parent" in end["cancel"]["reason"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_child_that_is_left_goes_on_if_its_parent_succeeds(
    make_server: MakeServer, plans: str, tmp_path: Path, fails: bool
) -> None:
    server = await make_server(plans=[plans])
    gate, own_gate = tmp_path / "gate", tmp_path / "own gate"
    inputs = {"gate": str(gate), "own_gate": str(own_gate), "fails": fails}
    cid = await server.run("family", "leaves", inputs=inputs)
    child = await only_child(server, cid)
    own_gate.touch()
    run = await server.finished(cid)
    if fails:
        end = await server.finished(child["cid"])
        assert (run["status"], end["status"]) == ("failed", "cancelled")
        return
    assert run["result"] == {"cid": child["cid"], "status": "queued"}
    assert await state(server, child["cid"]) == "running"
    gate.touch()
    assert (await server.finished(child["cid"]))["status"] == "succeeded"


async def test_a_child_does_not_wait_for_what_its_ancestors_hold(family: Served) -> None:
    run = await family.done("family", "locked")
    assert (run["status"], run["result"]) == ("succeeded", [1, 1])


async def test_who_waits_for_a_parent_does_not_hold_up_its_child(
    make_server: MakeServer, plans: str, tmp_path: Path
) -> None:
    server = await make_server(plans=[plans])
    gate = tmp_path / "gate"
    parent = await server.run("family", "locked_then_waits", inputs={"gate": str(gate)})

    async def running() -> bool:
        return await state(server, parent) == "running"

    await until(running, within=20)
    first = await server.run("family", "needs_both", priority=50)
    second = await server.run("family", "needs_disk", priority=40)
    waiting = (await server.get(f"/api/runs/{first}")).json["waiting"]
    assert [reason["code"] for reason in waiting["reasons"]] == ["mutex"]
    gate.touch()
    ends = [await server.finished(cid) for cid in (parent, first, second)]
    assert {end["status"] for end in ends} == {"succeeded"}
    (child,) = await children(server, parent)
    assert child["finished_at"] <= ends[0]["finished_at"] <= ends[1]["started_at"]
    assert ends[1]["finished_at"] <= ends[2]["started_at"]  # disk was kept for the first


async def test_a_child_that_nobody_waits_for_waits_for_the_limits_of_its_parent(
    make_server: MakeServer, plans: str, tmp_path: Path
) -> None:
    server = await make_server(plans=[plans])
    gate = tmp_path / "gate"
    cid = await server.run("family", "locked_leaves", inputs={"gate": str(gate)})
    child = await only_child(server, cid, status="queued")
    waiting = (await server.get(f"/api/runs/{child['cid']}")).json["waiting"]
    assert [reason["code"] for reason in waiting["reasons"]] == ["mutex"]
    gate.touch()
    parent, end = await server.finished(cid), await server.finished(child["cid"])
    assert parent["status"] == end["status"] == "succeeded"
    assert end["started_at"] >= parent["finished_at"]


@pytest.mark.parametrize("workers", [0, 1])
async def test_a_reload_does_not_leave_a_parent_without_a_worker_for_its_child(
    make_server: MakeServer, plans: str, tmp_path: Path, workers: int
) -> None:
    server = await make_server(plans=[plans], workers=workers, slots=1)
    gate = tmp_path / "gate"
    cid = await server.run("family", "then_waits", inputs={"gate": str(gate)})

    async def holds() -> bool:
        items = (await server.get("/api/runs/active")).json["items"]
        return [item["current_steps"] for item in items] == [["hold"]]

    await until(holds)
    assert (await server.post("/api/system/reload", {"force": True})).status == 200
    gate.touch()
    run = await server.finished(cid)
    assert run["status"] == "succeeded", run
    assert run["result"]["result"] == 4
    (child,) = await children(server, cid)
    parent_worker = run["worker"]
    assert (await server.get(f"/api/runs/{child['cid']}")).json["worker"] != parent_worker


async def test_a_stop_lets_runs_finish_with_the_children_that_they_need(
    family: Served, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    cid = await family.run("family", "then_waits", inputs={"gate": str(gate)})

    async def running() -> bool:
        return await state(family, cid) == "running"

    await until(running)
    other = await family.run("family", "generations")
    await family.post("/api/system/stop")
    gate.touch()
    assert (await family.finished(cid))["result"]["result"] == 4

    async def stopped() -> bool:
        return bool((await family.get("/api/system/status")).json["state"] == "stopped")

    await until(stopped)
    assert await state(family, other) == "queued"


async def test_the_children_of_many_parents_all_end(make_server: MakeServer, plans: str) -> None:
    server = await make_server(plans=[plans], workers=2, slots=4)
    cids = [await server.run("family", "fan") for _ in range(8)]
    runs = await asyncio.gather(*(server.finished(cid, within=60) for cid in cids))
    assert {run["status"] for run in runs} == {"succeeded"}
    status = (await server.get("/api/system/status")).json
    assert sum(worker["busy"] for worker in status["workers"]) == 0
    assert status["runs"]["succeeded"] == 8 * 7
    assert set(status["runs"]) >= TERMINAL


async def test_a_secret_that_is_passed_on_stays_one(make_server: MakeServer, plans: str) -> None:
    write_plan(
        Path(plans),
        "quiet",
        {
            "parent": """
meta: {inputs: [{name: key, type: string, secret: true, required: true}]}
steps:
  child:
    action: aura.run_task
    params: {task: child, inputs: {text: "key {{ inputs.key }}", other: "plain"}}
returns: "{{ nodes.child.output.result }}"
""",
            "child": """
meta: {inputs: [{name: text, type: string}, {name: other, type: string}]}
steps: {say: {action: log, params: {message: "{{ inputs.text | length }} {{ inputs.text }}"}}}
returns: "{{ inputs.text == 'key s3cr3t-value' }}"
""",
        },
    )
    server = await make_server(plans=[plans])
    run = await server.done("quiet", "parent", inputs={"key": "s3cr3t-value"})
    assert (run["status"], run["result"]) == ("succeeded", True)
    (child,) = await children(server, run["cid"])
    shown = (await server.get(f"/api/runs/{child['cid']}")).json
    assert shown["inputs"] == {"text": "***", "other": "plain"}
    (line,) = await server.log(child["cid"])
    assert line["message"] == "16 key ***"
