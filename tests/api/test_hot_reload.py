"""Hot reload on a real server: edits of real files are live, and harm no run."""

import asyncio
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, write_plan
from tests.waiting import until

ACTIONS = """
import asyncio
import os
from pathlib import Path

from aura_aio import action

VERSION = {version}

@action
def version() -> int:
    return VERSION

@action
async def wait_for(gate: str) -> int:
    Path(gate + ".waits").touch()
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
    return VERSION
"""
VERSION = "meta: {title: '%s'}\nsteps: {a: {action: version}}\nreturns: '{{ nodes.a.output }}'\n"
HELD = (
    "meta: {inputs: [{name: gate}]}\n"
    "steps:\n"
    "  first: {action: wait_for, params: {gate: '{{ inputs.gate }}'}}\n"
    "  then: {action: version, depends_on: first}\n"
    "returns: ['%s', '{{ nodes.first.output }}', '{{ nodes.then.output }}']\n"
)
NEW = """
@action(name="v%d")
def new_%d() -> int:
    return %d
"""
SAY = "steps: {a: {action: set, params: {x: '%s'}}}\nreturns: '{{ nodes.a.output.x }}'\n"


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    """A folder with the plan `p`."""
    folder = tmp_path / "plans"
    tasks = {"version": VERSION % "1", "held": HELD % "old", "say": SAY % "old", "other": SAY % "x"}
    write_plan(folder, "p", tasks, ACTIONS.format(version=1))
    return folder


@pytest.fixture
async def hot(make_server: MakeServer, plans: Path) -> Served:
    """A server that watches the plan `p`."""
    return await make_server(plans=[str(plans)], hot_reload=True)


async def result(server: Served, task: str, **inputs: Any) -> Any:
    run = await server.done("p", task, inputs=inputs)
    return run.get("result", run.get("error"))


async def errors(server: Served, plan: str = "p") -> list[str]:
    found = (await server.get(f"/api/plans/{plan}")).json["load_errors"]
    return [f"{error['file']}: {error['message']}" for error in found]


async def test_an_edited_task_is_live(hot: Served, plans: Path) -> None:
    assert await result(hot, "say") == "old"
    write_plan(plans, "p", {"say": SAY % "new", "more": SAY % "more"})
    await until(lambda: _is(hot, "say", "new"), within=20)
    assert await result(hot, "more") == "more"


async def _is(server: Served, task: str, expected: Any) -> bool:
    found: bool = await result(server, task) == expected
    return found


async def test_a_run_under_way_keeps_its_task_and_its_code(
    hot: Served, plans: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    cid = await hot.run("p", "held", inputs={"gate": str(gate)})
    await until((tmp_path / "gate.waits").exists, within=20)
    write_plan(plans, "p", {"held": HELD % "new"}, ACTIONS.format(version=22))
    # Others go on meanwhile, with the new code, on a worker beside the one that is waited for.
    await until(lambda: _is(hot, "version", 22), within=30)
    states = {each["state"] for each in (await hot.get("/api/system/status")).json["workers"]}
    assert states == {"ready", "retiring"}
    gate.touch()
    assert (await hot.finished(cid))["result"] == ["old", 1, 1]
    assert await result(hot, "held", gate=str(gate)) == ["new", 22, 22]


async def test_a_broken_edit_keeps_what_was_good(hot: Served, plans: Path) -> None:
    write_plan(plans, "p", {"say": "steps: {a: {action: st}}\n", "other": SAY % "edited"})
    await until(lambda: errors(hot), within=20)
    assert await errors(hot) == ["tasks/say.yaml: There is no action 'st'. Did you mean 'set'?"]
    assert await result(hot, "say") == "old"
    assert await result(hot, "other") == "edited"
    write_plan(plans, "p", {"say": "steps: {\n"})
    await until(lambda: _has_error(hot, "This is no YAML"), within=20)
    assert await result(hot, "say") == "old"
    write_plan(plans, "p", {"say": SAY % "mended"})
    await until(lambda: _is(hot, "say", "mended"), within=20)
    assert await errors(hot) == []


async def _has_error(server: Served, part: str) -> bool:
    return any(part in error for error in await errors(server))


async def test_broken_python_keeps_what_was_imported(hot: Served, plans: Path) -> None:
    assert await result(hot, "version") == 1
    (plans / "p" / "actions.py").write_text("def (:\n")
    await until(lambda: errors(hot), within=20)
    assert await errors(hot) == ["actions.py: This is no Python: invalid syntax."]
    assert await result(hot, "version") == 1
    write_plan(plans, "p", {}, ACTIONS.format(version=333))
    await until(lambda: _is(hot, "version", 333), within=30)
    assert await errors(hot) == []


async def test_a_reload_that_is_asked_for_keeps_nothing(hot: Served, plans: Path) -> None:
    write_plan(plans, "p", {"say": "steps: {\n"})
    await until(lambda: errors(hot), within=20)
    assert (await hot.post("/api/system/reload")).status == 200
    assert (await hot.post("/api/tasks/run", {"plan_name": "p", "task_name": "say"})).status == 400


async def test_queued_runs_of_a_task_that_was_deleted_are_executed(
    make_server: MakeServer, plans: Path
) -> None:
    server = await make_server(plans=[str(plans)], hot_reload=True, start=False)
    cid = await server.run("p", "say")
    (plans / "p" / "tasks" / "say.yaml").unlink()
    await until(lambda: _is_gone(server, "/api/plans/p/tasks/say"), within=20)
    refused = await server.post("/api/tasks/run", {"plan_name": "p", "task_name": "say"})
    assert refused.status == 400
    await server.post("/api/system/start")
    assert (await server.finished(cid))["result"] == "old"


async def _is_gone(server: Served, path: str) -> bool:
    return (await server.get(path)).status == 404


@pytest.mark.alone  # another host may have the plan: such a run stays queued (0058)
async def test_runs_of_a_plan_that_was_deleted_fail_and_say_why(
    make_server: MakeServer, plans: Path
) -> None:
    server = await make_server(plans=[str(plans)], hot_reload=True, start=False)
    cid = await server.run("p", "say")
    shutil.rmtree(plans / "p")
    await until(lambda: _is_gone(server, "/api/plans/p"), within=20)
    await server.post("/api/system/start")
    run = await server.finished(cid)
    assert (run["status"], run["error"]["type"]) == ("failed", "TaskGone")


async def test_a_new_plan_is_known_to_the_workers(hot: Served, plans: Path) -> None:
    write_plan(plans, "q", {"call": VERSION % "call"}, ACTIONS.format(version=5))
    await until(lambda: _is_found(hot, "/api/plans/q"), within=20)
    assert (await hot.done("q", "call"))["result"] == 5


async def _is_found(server: Served, path: str) -> bool:
    return (await server.get(path)).status == 200


async def test_schedules_and_events_follow_the_edits(hot: Served, plans: Path) -> None:
    (plans / "p" / "schedule.yaml").write_text("[{id: tick, task: say, every: 1h}]\n")
    await until(lambda: _is_found(hot, "/api/schedules/p%2Ftick"), within=20)
    (plans / "p" / "schedule.yaml").write_text("[{id: tick, task: say, every: never}]\n")
    await until(lambda: errors(hot), within=20)
    assert await _is_found(hot, "/api/schedules/p%2Ftick")
    (plans / "p" / "schedule.yaml").unlink()
    await until(lambda: _is_gone(hot, "/api/schedules/p%2Ftick"), within=20)


async def test_it_is_switched_on_and_off(make_server: MakeServer, plans: Path) -> None:
    server = await make_server(plans=[str(plans)])

    async def switch(word: str) -> str:
        response = await server.post(f"/api/system/hot_reload/{word}")
        assert response.status == 200
        status: str = response.json["status"]
        return status

    async def is_on() -> bool:
        on: bool = (await server.get("/api/system/status")).json["hot_reload"]
        return on

    assert not await is_on()
    assert await switch("disable") == "already_disabled"
    write_plan(plans, "p", {"say": SAY % "before"})
    assert [await switch("enable") for _ in "12"] == ["enabled", "already_enabled"]
    assert await is_on()
    await until(lambda: _is(server, "say", "before"), within=20)  # what was edited before, too
    assert await switch("disable") == "disabled"
    assert not await is_on()
    write_plan(plans, "p", {"say": SAY % "unseen"})
    assert await result(server, "say") == "before"
    assert await switch("enable") == "enabled"
    await until(lambda: _is(server, "say", "unseen"), within=20)


async def test_no_attempt_meets_a_worker_that_does_not_know_its_actions(
    hot: Served, plans: Path
) -> None:
    """A task that calls an action as new as itself, again and again, and is run all the time."""
    stop = asyncio.Event()
    found: list[Any] = []
    code = ACTIONS.format(version=1)

    async def run_it() -> None:
        while not stop.is_set():
            found.append(await result(hot, "version"))

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(run_it())
        for number in range(2, 6):
            code += NEW % (number, number, number)
            write_plan(plans, "p", {}, code)
            text = (VERSION % number).replace("action: version", f"action: v{number}")
            write_plan(plans, "p", {"version": text})
            await until(partial(found.count, number), within=30)
        stop.set()
    assert set(found) <= {1, 2, 3, 4, 5}
    assert found[-1] == 5


async def test_an_edit_that_looks_the_same_to_python_is_live(
    make_server: MakeServer, plans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python knows compiled code by whole seconds and size, and an editor can be quicker."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    hot = await make_server(plans=[str(plans)], hot_reload=True)
    file = plans / "p" / "actions.py"
    second = file.stat().st_mtime_ns // 10**9 * 10**9
    os.utime(file, ns=(second, second))
    assert await result(hot, "version") == 1
    write_plan(plans, "p", {}, ACTIONS.format(version=2))
    os.utime(file, ns=(second + 1000, second + 1000))
    await until(lambda: _is(hot, "version", 2), within=30)
    assert not (plans / "p" / "__pycache__").exists()
