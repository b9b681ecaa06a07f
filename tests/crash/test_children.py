"""Child runs when workers and servers are killed: none is started twice, none is left over."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.family_plan import write_family
from tests.server_process import server_process
from tests.serving import Client, Served
from tests.waiting import until


@pytest.fixture
def plans(tmp_path: Path) -> str:
    """The folder of the plans `family` and `probe`."""
    return write_family(tmp_path / "plans")


class Held:
    """Where the child runs hold, and where each leaves a line before that."""

    def __init__(self, folder: Path) -> None:
        self.gate = folder / "gate"
        self.file = folder / "lines"
        self.inputs = {"gate": str(self.gate), "file": str(self.file)}

    def let_go(self) -> None:
        """Let all of them go on."""
        self.gate.touch()

    def lines(self) -> str:
        """What they have left."""
        return self.file.read_text()


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path)


@pytest.fixture
async def two(make_server: MakeServer, plans: str) -> Served:
    """A server with two workers that are up: parent and child are not in the same one."""
    server = await make_server(plans=[plans], workers=2)

    async def both_up() -> bool:
        return len((await server.get("/api/system/status")).json["workers"]) == 2

    await until(both_up, within=20)
    return server


async def children(server: Client, cid: str) -> list[Any]:
    items: list[Any] = (await server.get(f"/api/runs?parent_cid={cid}")).json["items"]
    return items[::-1]


async def holding_child(server: Client, cid: str) -> Any:
    """The newest child of a run, once it holds: what it has done before is on disk then."""

    async def there() -> Any:
        steps = {
            item["cid"]: item["current_steps"]
            for item in (await server.get("/api/runs/active")).json["items"]
        }
        found = await children(server, cid)
        return found[-1] if found and steps.get(found[-1]["cid"]) == ["hold"] else None

    return await until(there, within=20)


async def kill_worker_of(server: Client, cid: str) -> None:
    """SIGKILL for the process that a run is in, and wait until that is known."""
    before = (await server.get(f"/api/runs/{cid}")).json
    workers = (await server.get("/api/system/status")).json["workers"]
    (pid,) = [each["pid"] for each in workers if each["name"] == before["worker"]]
    os.kill(pid, signal.SIGKILL)

    async def known() -> bool:
        now = (await server.get(f"/api/runs/{cid}")).json
        return bool(now["attempt"] > before["attempt"] or now["status"] != before["status"])

    await until(known)


async def test_a_resumed_parent_finds_its_child_again(two: Served, held: Held) -> None:
    cid = await two.run("family", "held_resume", inputs=held.inputs)
    child = await holding_child(two, cid)
    await kill_worker_of(two, cid)

    async def waits_again() -> bool:
        items = (await two.get("/api/runs/active")).json["items"]
        steps = {item["cid"]: item["current_steps"] for item in items}
        return steps.get(cid) == ["child"]

    await until(waits_again, within=20)
    held.let_go()
    run = await two.finished(cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    assert run["result"] == {"cid": child["cid"], "status": "succeeded", "result": "done"}
    assert [each["attempt"] for each in await children(two, cid)] == [1]
    assert held.lines() == "child\n"


async def test_a_parent_outlives_the_worker_of_its_child(two: Served, held: Held) -> None:
    cid = await two.run("family", "held_resume", inputs=held.inputs)
    child = await holding_child(two, cid)
    await kill_worker_of(two, child["cid"])
    held.let_go()
    run = await two.finished(cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 1)
    assert [each["attempt"] for each in await children(two, cid)] == [2]
    assert held.lines() == "child\n"


async def test_a_parent_that_fails_with_its_worker_takes_its_child_along(
    two: Served, held: Held
) -> None:
    cid = await two.run("family", "held_fail", inputs=held.inputs)
    child = await holding_child(two, cid)
    await kill_worker_of(two, cid)
    assert (await two.finished(cid))["error"]["type"] == "WorkerLost"
    end = await two.finished(child["cid"])
    assert (end["status"], end["attempt"]) == ("cancelled", 1)
    assert end["cancel"]["reason"] == f"Its parent {cid} has ended as failed."


async def test_a_parent_that_restarts_gets_a_new_child(two: Served, held: Held) -> None:
    cid = await two.run("family", "held_restart", inputs=held.inputs)
    child = await holding_child(two, cid)
    await kill_worker_of(two, cid)
    end = await two.finished(child["cid"])
    assert end["cancel"]["reason"] == f"Its parent {cid} starts again from nothing."
    held.let_go()
    run = await two.finished(cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    first, second = await children(two, cid)
    assert [first["status"], second["status"]] == ["cancelled", "succeeded"]
    assert run["result"]["cid"] == second["cid"]


async def test_a_server_that_is_killed_starts_no_child_twice(
    tmp_path: Path, plans: str, held: Held
) -> None:
    async with server_process(tmp_path / "data", plans, "--workers", "1") as server:
        cid = await server.run("family", "held_resume", inputs=held.inputs)
        child = await holding_child(server, cid)
        await server.kill()
    held.let_go()
    async with server_process(tmp_path / "data", plans, "--workers", "1") as server:
        run = await server.finished(cid)
        assert (run["status"], run["attempt"]) == ("succeeded", 2)
        assert run["result"]["cid"] == child["cid"]
        assert [each["attempt"] for each in await children(server, cid)] == [2]
    assert held.lines() == "child\n"


async def test_a_server_that_is_killed_leaves_no_child_of_a_failed_parent(
    tmp_path: Path, plans: str, held: Held
) -> None:
    async with server_process(tmp_path / "data", plans, "--workers", "1") as server:
        cid = await server.run("family", "held_fail", inputs=held.inputs)
        child = await holding_child(server, cid)
        await server.kill()
    async with server_process(tmp_path / "data", plans, "--no-start") as server:
        assert (await server.get(f"/api/runs/{cid}")).json["status"] == "failed"
        assert (await server.get(f"/api/runs/{child['cid']}")).json["status"] == "cancelled"


@pytest.mark.parametrize("workers", ["0", "1"])
async def test_a_shutdown_hands_parent_and_child_over(
    tmp_path: Path, plans: str, held: Held, workers: str
) -> None:
    options = ("--workers", workers, "--shutdown-grace-sec", "0.1")
    async with server_process(tmp_path / "data", plans, *options) as server:
        cid = await server.run("family", "held_resume", inputs=held.inputs)
        child = await holding_child(server, cid)
        assert await server.terminate() == 0
    held.let_go()
    async with server_process(tmp_path / "data", plans, *options) as server:
        run = await server.finished(cid)
        assert (run["status"], run["attempt"]) == ("succeeded", 2)
        assert run["result"]["cid"] == child["cid"]
        assert [each["status"] for each in await children(server, cid)] == ["succeeded"]
