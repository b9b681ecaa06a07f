"""Actions that hang, die or eat memory: the API answers, they end clearly, other runs go on."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.server_process import is_alive, server_process
from tests.serving import Served
from tests.waiting import until


@pytest.fixture
async def probe(make_server: MakeServer, tmp_path: Path) -> Served:
    """Two workers that are up, and have little memory and little patience."""
    server = await make_server(
        plans=[write_probe(tmp_path / "plans")],
        workers=2,
        worker_memory_mib=512,
        stall_sec=0.5,
    )

    async def both_up() -> bool:
        return len(await _workers(server)) == 2

    await until(both_up, within=20)
    return server


async def _until_running(server: Served, cid: str) -> None:
    async def running() -> bool:
        return bool((await server.get(f"/api/runs/{cid}")).json["status"] == "running")

    await until(running)


async def _others_go_on(server: Served) -> None:
    runs = await asyncio.gather(
        *(server.done("probe", "echo", inputs={"text": str(number)}) for number in range(10))
    )
    assert {run["status"] for run in runs} == {"succeeded"}


async def _end(server: Served, cid: str) -> Any:
    """The run at its end; meanwhile the API must answer, and other runs go on."""
    await _others_go_on(server)
    began = time.perf_counter()
    assert (await server.get("/healthz")).status == 200
    assert time.perf_counter() - began < 5  # answered at all; how fast is measured elsewhere
    return await server.finished(cid, within=40)


async def test_a_thread_that_never_ends_is_cancelled_and_its_worker_replaced(
    probe: Served,
) -> None:
    cid = await probe.run("probe", "spin_in_thread")
    await _until_running(probe, cid)
    await _others_go_on(probe)
    before = {worker["name"] for worker in await _workers(probe)}
    await probe.post(f"/api/tasks/{cid}/cancel", {"grace_sec": 0.2})
    assert (await _end(probe, cid))["status"] == "cancelled"

    async def replaced() -> bool:
        names = {worker["name"] for worker in await _workers(probe)}
        return len(names) == 2 and names != before

    await until(replaced, within=20)
    await _others_go_on(probe)


async def test_a_coroutine_that_holds_the_loop_fails_and_takes_no_other_run_along(
    probe: Served, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    held = [await probe.run("probe", "hold", inputs={"gate": str(gate)}) for _ in range(4)]
    for each in held:
        await _until_running(probe, each)
    cid = await probe.run("probe", "spin_on_loop")
    run = await _end(probe, cid)
    assert run["status"] == "failed"
    assert run["error"]["type"] == "LoopHeldError"
    assert "await" in run["error"]["message"]
    gate.touch()
    for each in held:
        assert (await probe.finished(each))["status"] == "succeeded"


async def test_an_action_that_ends_its_process_fails_its_run_and_spares_the_other_workers(
    probe: Served, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    held = [await probe.run("probe", "hold", inputs={"gate": str(gate)}) for _ in range(2)]
    for each in held:  # one on each worker: the least busy one takes the next run
        await _until_running(probe, each)
    run = await probe.done("probe", "exit_process")
    assert run["status"] == "failed"
    assert run["error"]["type"] == "WorkerLost"
    assert "exit code 1" in run["error"]["message"]
    await _others_go_on(probe)
    gate.touch()
    ends = [await probe.finished(each) for each in held]
    assert sorted(end["status"] for end in ends) == ["failed", "succeeded"]
    (lost,) = [end for end in ends if end["status"] == "failed"]
    assert lost["error"]["type"] == "WorkerLost"
    assert lost["worker"] == run["worker"]


async def test_an_action_that_takes_all_memory_fails_its_run(probe: Served) -> None:
    cid = await probe.run("probe", "allocate")
    run = await _end(probe, cid)
    assert run["status"] == "failed"
    assert run["error"]["type"] in ("MemoryError", "WorkerLost")
    await _others_go_on(probe)


@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be stopped there")
async def test_a_worker_that_is_silent_is_killed_and_replaced(
    make_server: MakeServer, tmp_path: Path
) -> None:
    plans = [write_probe(tmp_path / "plans")]
    server = await make_server(plans=plans, workers=1, lost_sec=2)
    cid = await server.run("probe", "hold", inputs={"gate": str(tmp_path / "never")})
    await _until_running(server, cid)
    (silent,) = await _workers(server)
    os.kill(silent["pid"], signal.SIGSTOP)
    run = await server.finished(cid)
    assert (run["status"], run["error"]["type"]) == ("failed", "WorkerLost")
    assert "the worker was silent for 2 s" in run["error"]["message"]
    await _others_go_on(server)
    assert silent["name"] not in {worker["name"] for worker in await _workers(server)}


async def test_what_is_done_in_a_process_of_its_own_costs_no_worker(
    probe: Served, tmp_path: Path
) -> None:
    before = await _workers(probe)
    gate = tmp_path / "gate"
    held = [await probe.run("probe", "hold", inputs={"gate": str(gate)}) for _ in range(4)]
    spinning = await probe.run("probe", "spin_apart", inputs={"file": str(tmp_path / "pid")})
    await until((tmp_path / "pid").exists)
    lost = await _end(probe, await probe.run("probe", "exit_apart"))
    assert lost["error"]["type"] == "ProcessLost"
    assert "ended with exit code 1" in lost["error"]["message"]
    full = await _end(probe, await probe.run("probe", "allocate_apart"))
    assert full["error"]["type"] in ("MemoryError", "ProcessLost")
    await probe.post(f"/api/tasks/{spinning}/cancel", {"grace_sec": 0.2})
    assert (await _end(probe, spinning))["status"] == "cancelled"
    gate.touch()
    for each in held:
        assert (await probe.finished(each))["status"] == "succeeded"
    after = await _workers(probe)
    assert [each["pid"] for each in after] == [each["pid"] for each in before]


async def test_a_server_that_runs_everything_itself_survives_it_too(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = await make_server(plans=[write_probe(tmp_path / "plans")], workers=0)
    lost = await server.done("probe", "exit_apart")
    assert lost["error"]["type"] == "ProcessLost"
    cid = await server.run("probe", "spin_apart", inputs={"file": str(tmp_path / "pid")})
    await until((tmp_path / "pid").exists, within=20)
    await server.post(f"/api/tasks/{cid}/cancel", {"grace_sec": 0.2})
    assert (await server.finished(cid))["status"] == "cancelled"
    await _others_go_on(server)


@pytest.mark.parametrize("who", ["worker", "server"])
@pytest.mark.parametrize("task", ["spin_apart", "spin_in_c", "spin_in_c_here", "shell"])
async def test_what_an_action_started_ends_with_its_worker_and_that_with_the_server(
    tmp_path: Path, task: str, who: str
) -> None:
    file = tmp_path / "pids"
    plans = write_probe(tmp_path / "plans")
    options = ("--workers", "1", "--allow-shell")
    async with server_process(tmp_path / "data", plans, *options) as server:
        cid = await server.run("probe", task, inputs={"file": str(file)})
        await until(lambda: file.exists() and file.read_text(), within=20)
        pids = [int(word) for word in file.read_text().split()]
        assert all(map(is_alive, pids))
        if who == "server":
            await server.kill()
        else:
            (worker,) = (await server.get("/api/system/status")).json["workers"]
            os.kill(worker["pid"], signal.SIGKILL)
            assert (await server.finished(cid))["error"]["type"] == "WorkerLost"
        await until(lambda: not any(map(is_alive, pids)))


async def test_programs_are_run_only_where_that_is_allowed(probe: Served, tmp_path: Path) -> None:
    run = await probe.done("probe", "shell", inputs={"file": str(tmp_path / "pids")})
    assert run["status"] == "failed"
    assert run["error"]["type"] == "ActionOff"
    assert "--allow-shell" in run["error"]["message"]


async def _workers(server: Served) -> list[Any]:
    workers: list[Any] = (await server.get("/api/system/status")).json["workers"]
    return workers
