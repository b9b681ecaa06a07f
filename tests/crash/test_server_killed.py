"""The server is killed or asked to end: what it had acknowledged happens, once."""

from pathlib import Path

import pytest

from tests.probe_plan import write_probe
from tests.server_process import ServerProcess, is_alive, server_process
from tests.waiting import until

RUN = "/api/tasks/run"


@pytest.fixture
def plans(tmp_path: Path) -> str:
    """The folder of the plan `probe`."""
    return write_probe(tmp_path / "plans")


def _count(file: Path, line: str) -> dict[str, object]:
    inputs = {"file": str(file), "line": line}
    return {"plan_name": "probe", "task_name": "count", "inputs": inputs}


async def test_a_kill_between_202_and_execution_loses_nothing_and_doubles_nothing(
    tmp_path: Path, plans: str
) -> None:
    file = tmp_path / "lines"
    async with server_process(tmp_path / "data", plans, "--no-start") as server:
        cids = [(await server.post(RUN, _count(file, str(n)))).json["cid"] for n in range(20)]
        await server.kill()
    async with server_process(tmp_path / "data", plans) as server:
        for cid in cids:
            assert (await server.finished(cid))["status"] == "succeeded"
    assert sorted(file.read_text().split(), key=int) == [str(n) for n in range(20)]


async def test_a_kill_at_any_moment_runs_nothing_twice(tmp_path: Path, plans: str) -> None:
    file = tmp_path / "lines"
    async with server_process(tmp_path / "data", plans) as server:
        body = {"tasks": [_count(file, str(n)) for n in range(500)]}
        items = (await server.post("/api/tasks/batch", body)).json["items"]
        await until(file.exists)
        await server.kill()
    async with server_process(tmp_path / "data", plans) as server:
        runs = [await server.finished(item["cid"]) for item in items]
    lines = file.read_text().split()
    assert len(lines) == len(set(lines))
    for number, run in enumerate(runs):
        if run["status"] == "succeeded":
            assert str(number) in lines
        else:  # it was running when the server died, and `on_crash: fail` forbids a second time
            assert run["status"] == "failed"
            assert run["error"]["type"] == "WorkerLost"


async def test_all_processes_end_with_their_server(tmp_path: Path, plans: str) -> None:
    async with server_process(tmp_path / "data", plans, "--workers", "2") as server:
        pids = await until(lambda: _worker_pids(server, 2))
        pids += _children(server.process.pid)
        await server.kill()
    await until(lambda: not any(is_alive(pid) for pid in pids))


def _children(pid: int) -> list[int]:
    """What the server has started itself, where that can be seen: the fork server."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in file.read_text().split()] if file.exists() else []


async def _worker_pids(server: ServerProcess, count: int) -> list[int]:
    workers = (await server.get("/api/system/status")).json["workers"]
    return [worker["pid"] for worker in workers] if len(workers) == count else []


async def test_sigterm_lets_a_run_finish(tmp_path: Path, plans: str) -> None:
    gate = tmp_path / "gate"
    async with server_process(tmp_path / "data", plans) as server:
        cid = await server.run("probe", "hold", inputs={"gate": str(gate)})
        await until(lambda: _is_running(server, cid))
        server.process.terminate()
        await until(lambda: _is_unready(server))
        gate.touch()
        assert await server.ended() == 0
    async with server_process(tmp_path / "data", plans, "--no-start") as server:
        run = (await server.get(f"/api/runs/{cid}")).json
        assert run["status"] == "succeeded"


async def test_sigterm_hands_back_what_does_not_finish(tmp_path: Path, plans: str) -> None:
    options = ("--shutdown-grace-sec", "0.2")
    async with server_process(tmp_path / "data", plans, *options) as server:
        cid = await server.run("probe", "hold", inputs={"gate": str(tmp_path / "never")})
        await until(lambda: _is_running(server, cid))
        assert await server.terminate() == 0
    async with server_process(tmp_path / "data", plans, "--no-start") as server:
        run = (await server.get(f"/api/runs/{cid}")).json
        assert run["status"] == "failed"
        assert run["error"]["type"] == "WorkerLost"
        assert "shut down" in run["error"]["message"]


async def _is_running(server: ServerProcess, cid: str) -> bool:
    return bool((await server.get(f"/api/runs/{cid}")).json["status"] == "running")


async def _is_unready(server: ServerProcess) -> bool:
    return (await server.get("/readyz")).status == 503
