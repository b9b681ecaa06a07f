"""A run can be cancelled at every moment of its life: it ends as cancelled, nothing of it runs
afterwards, and the system goes on.

Most tests share a server with one worker process, so that what a cancel does to the worker is felt
by the next run.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aura_aio.store.relational.runs import SqlRuns
from tests.cancel_plan import write_moments, write_slow
from tests.crash.cancelling import (
    LONG,
    Case,
    Import,
    Neighbour,
    Stage,
    held_claim,
    others_go_on,
    status_of,
    steps_of,
    worker_of,
    workers,
)
from tests.server_process import is_alive
from tests.serving import serving
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW_PLANS = ("slow_stuck", "slow_kill", "slow_shared", "slow_in_time")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    root = tmp_path_factory.mktemp("cancel")
    write_moments(root / "plans")
    for name in SLOW_PLANS:
        write_slow(root / "plans", name, root / name)
    settings = {"plans": [str(root / "plans")], "data_dir": str(root / "data"), "slots": 16}
    async with serving(**settings) as server:
        yield Stage(server, root)


@pytest.fixture
def case(stage: Stage, tmp_path: Path) -> Case:
    return Case(stage.server, tmp_path)


@pytest_asyncio.fixture(loop_scope="module")
async def neighbour(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Neighbour:
    held = Case(stage.server, tmp_path_factory.mktemp("neighbour"))
    await held.begin("hold")
    await held.has_left("begun")
    return Neighbour(held)


# Before it runs.


async def test_queued(case: Case) -> None:
    await case.server.post("/api/queue/pause")
    await case.begin("hold")
    answer = await case.cancel()
    assert answer["status"] == "cancelled"
    await case.server.post("/api/queue/resume")
    await others_go_on(case.server)
    assert case.lines() == []


async def test_delayed(case: Case) -> None:
    await case.begin("hold", delay_sec=0.2)
    answer = await case.cancel()
    assert answer["status"] == "cancelled"
    later = await case.server.done("moments", "quick", delay_sec=0.3)
    assert later["status"] == "succeeded"
    assert case.lines() == []
    assert await status_of(case.server, case.cid) == "cancelled"


async def test_claimed_but_the_dispatcher_does_not_know_yet(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, go_on = held_claim(monkeypatch)
    await case.begin("unclaimed")
    await claimed.wait()
    assert (await case.cancel())["status"] == "cancelling"
    go_on.set()
    await case.has_ended_as_cancelled()
    assert case.lines() == []


async def test_between_the_claim_and_the_hand_over(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    definition = SqlRuns.definition

    async def held(self: SqlRuns, digest: str) -> Any:
        asked.set()
        await go_on.wait()
        return await definition(self, digest)

    monkeypatch.setattr(SqlRuns, "definition", held)
    await case.begin("unread")
    await asked.wait()
    assert await status_of(case.server, case.cid) == "running"
    assert (await case.cancel())["status"] == "cancelling"
    go_on.set()  # start and cancel travel in the same packet
    assert (await case.server.finished(case.cid))["status"] == "cancelled"
    await others_go_on(case.server)
    assert case.lines() == []


# While the worker imports the actions of its plan.


@pytest.mark.parametrize(
    ("plan", "how"), [("slow_stuck", {"grace_sec": 0.2}), ("slow_kill", {"mode": "kill"})]
)
async def test_while_its_actions_are_imported(
    stage: Stage, neighbour: Neighbour, plan: str, how: dict[str, Any]
) -> None:
    before = await workers(stage.server)
    slow = Import(stage, plan)
    await slow.begin()
    run = await slow.cancel(**how)
    assert run["status"] == "cancelled"
    assert run["worker"] == before[-1]["name"]
    await others_go_on(stage.server)  # in a new worker: the import may never end
    assert not (slow.folder / "imported").exists()
    await neighbour.succeeds()

    async def is_gone() -> bool:
        return before[-1]["pid"] not in {each["pid"] for each in await workers(stage.server)}

    await until(is_gone, within=20)
    (slow.folder / "gate").touch()
    assert not (slow.folder / "worked").exists()
    assert (await stage.server.done(plan, "work"))["status"] == "succeeded"


async def test_who_waits_for_the_same_import_goes_on(stage: Stage) -> None:
    slow, other = Import(stage, "slow_shared"), Import(stage, "slow_shared")
    await slow.begin()
    await other.begin()

    async def both_run() -> bool:
        items = (await stage.server.get("/api/runs/active")).json["items"]
        return {slow.cid, other.cid} <= {item["cid"] for item in items}

    await until(both_run)
    assert (await slow.cancel(grace_sec=0.2))["status"] == "cancelled"
    (slow.folder / "gate").touch()
    run = await stage.server.finished(other.cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 1)
    assert (slow.folder / "worked").exists()
    await others_go_on(stage.server)


async def test_an_import_that_ends_in_its_grace_costs_no_worker(stage: Stage) -> None:
    slow = Import(stage, "slow_in_time")
    await slow.begin()
    (worker,) = [each["pid"] for each in await workers(stage.server) if each["state"] == "ready"]
    await stage.server.post(f"/api/tasks/{slow.cid}/cancel", {"grace_sec": LONG})
    assert await status_of(stage.server, slow.cid) == "cancelling"
    (slow.folder / "gate").touch()
    assert (await stage.server.finished(slow.cid))["status"] == "cancelled"
    await others_go_on(stage.server)
    assert not (slow.folder / "worked").exists()
    assert worker in {each["pid"] for each in await workers(stage.server)}
    assert (await stage.server.done("slow_in_time", "work"))["status"] == "succeeded"


async def test_a_run_that_is_claimed_for_a_worker_which_then_takes_no_more_is_run_there(
    case: Case, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = Case(stage.server, tmp_path / "deaf")
    deaf.folder.mkdir()
    await deaf.begin("never_listen")
    await deaf.has_left("begun")
    (before,) = [each for each in await workers(stage.server) if each["state"] == "ready"]
    claimed, go_on = held_claim(monkeypatch)
    await case.begin("unclaimed")
    await claimed.wait()
    await deaf.cancel(mode="kill")
    assert (await stage.server.finished(deaf.cid))["status"] == "cancelled"

    async def retires() -> bool:
        states = {each["name"]: each["state"] for each in await workers(stage.server)}
        return bool(states[before["name"]] == "retiring")

    await until(retires)
    go_on.set()
    run = await stage.server.finished(case.cid)
    assert (run["status"], run["attempt"], run["worker"]) == ("succeeded", 1, before["name"])
    await others_go_on(stage.server)
    await until(lambda: not is_alive(before["pid"]), within=20)


# While it runs.


@pytest.mark.parametrize(
    ("task", "before", "after"),
    [
        ("hold", ["begun"], []),
        ("clean_up", ["begun"], ["cleaned up"]),
        ("clean_up_limited", ["begun"], ["cleaned up"]),
        ("listen", ["begun"], ["heard it"]),
        ("loop", ["begun"], []),
        ("loop_each", ["begun"], []),
        ("loop_while", ["begun"], []),
        ("loop_parallel", ["begun"] * 3, []),
        ("loop_threads", ["begun"] * 3, ["heard it"] * 3),
        ("beside", ["begun"] * 3, ["cleaned up", "heard it"]),
        ("parent", ["begun"], []),
        ("grandparent", ["begun"], []),
    ],
)
async def test_while_an_action_runs(
    case: Case, neighbour: Neighbour, task: str, before: list[str], after: list[str]
) -> None:
    await case.begin(task)
    await case.has_left(*before)
    await case.ends_as_cancelled()
    await case.has_left(*before, *after)
    await neighbour.succeeds()


@pytest.mark.parametrize("task", ["sleep", "event"])
async def test_while_it_waits(case: Case, task: str) -> None:
    await case.begin(task)
    await until(lambda: _is_at(case, "it"), within=20)
    await case.ends_as_cancelled()
    assert case.lines() == ["begun"]


@pytest.mark.parametrize(("task", "lines"), [("fail_here", 1), ("refused", 1), ("loop_pause", 3)])
async def test_during_the_pause_before_a_retry(case: Case, task: str, lines: int) -> None:
    await case.begin(task)

    async def pauses() -> bool:
        page = (await case.server.get(f"/api/runs/{case.cid}/logs")).json["items"]
        return sum("The next one is in 3.6e+03 s" in line["message"] for line in page) == lines

    await until(pauses, within=20)
    await case.ends_as_cancelled()
    assert case.lines() == ["begun"] * lines


async def test_a_thread_that_never_looks(case: Case, neighbour: Neighbour) -> None:
    await case.begin("never_listen")
    await case.has_left("begun")
    pid = await worker_of(case.server, case.cid)
    await case.cancel(grace_sec=0.2)
    assert (await case.server.finished(case.cid))["status"] == "cancelled"
    await others_go_on(case.server)  # in the next worker
    await neighbour.succeeds()  # in the one that takes no more
    await until(lambda: not is_alive(pid), within=20)
    case.open_gate()
    assert case.lines() == ["begun"]


@pytest.mark.parametrize(
    ("task", "after"), [("apart", "terminated"), ("apart_for_ever", "refused")]
)
async def test_a_process_of_its_own(case: Case, task: str, after: str) -> None:
    await case.begin(task)
    await case.has_left("begun")
    (worker,) = [each["pid"] for each in await workers(case.server) if each["state"] == "ready"]
    await case.ends_as_cancelled(grace_sec=0.5)
    assert set(case.lines()) == {"begun", after}  # it may be asked to end more than once
    await until(lambda: not is_alive(int((case.folder / "pid").read_text())))
    assert worker in {each["pid"] for each in await workers(case.server)}


async def test_only_the_child(case: Case) -> None:
    parent = await case.begin("parent")
    await case.has_left("begun")
    (child,) = (await case.server.get(f"/api/runs?parent_cid={parent}")).json["items"]
    case.cid = child["cid"]
    await case.cancel(reason="not this one")
    assert (await case.server.finished(case.cid))["status"] == "cancelled"
    assert (await case.server.finished(parent))["status"] == "succeeded"  # it takes failures
    assert case.lines() == ["after", "begun"]
    steps = (await case.server.get(f"/api/runs/{parent}/timeline")).json["steps"]
    assert {step["node_id"]: step["status"] for step in steps} == {
        "it": "failed",
        "after": "success",
    }


async def test_twice_and_then_for_good(case: Case) -> None:
    await case.begin("never_listen")
    await case.has_left("begun")
    await case.cancel(grace_sec=LONG)
    assert (await case.cancel(grace_sec=LONG))["status"] == "cancelling"
    await case.cancel(mode="kill")
    assert (await case.server.finished(case.cid))["status"] == "cancelled"
    await others_go_on(case.server)
    assert case.lines() == ["begun"]


# While the system stops.


async def test_while_the_system_stops(case: Case) -> None:
    await case.begin("listen")
    await case.has_left("begun")
    await case.server.post("/api/system/stop")
    await case.cancel()
    assert (await case.server.finished(case.cid))["status"] == "cancelled"

    async def stopped() -> bool:
        return bool((await case.server.get("/api/system/status")).json["state"] == "stopped")

    await until(stopped)
    await case.server.post("/api/system/start")
    await others_go_on(case.server)
    assert case.lines() == ["begun", "heard it"]


# When its worker is lost.


async def test_after_a_crash_while_it_waits_to_be_resumed(case: Case) -> None:
    await case.begin("resume")
    await case.has_left("begun")
    await case.server.post("/api/queue/pause")
    os.kill(await worker_of(case.server, case.cid), signal.SIGKILL)

    async def waits_again() -> bool:
        run = (await case.server.get(f"/api/runs/{case.cid}")).json
        return (run["status"], run["attempt"]) == ("queued", 2)

    await until(waits_again)
    assert (await case.cancel())["status"] == "cancelled"
    await case.server.post("/api/queue/resume")
    case.open_gate()
    await others_go_on(case.server)
    assert case.lines() == ["begun"]
    assert await status_of(case.server, case.cid) == "cancelled"


async def test_a_worker_that_dies_during_the_cancel(case: Case) -> None:
    await case.begin("resume_deaf")
    await case.has_left("begun")
    await case.cancel(grace_sec=LONG)
    os.kill(await worker_of(case.server, case.cid), signal.SIGKILL)
    run = await case.server.finished(case.cid)
    assert (run["status"], run["attempt"]) == ("cancelled", 1)
    case.open_gate()
    await others_go_on(case.server)
    assert case.lines() == ["begun"]


async def _is_at(case: Case, step: str) -> bool:
    return await steps_of(case.server, case.cid) == [step]
