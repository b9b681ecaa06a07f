"""Hosts of workers: they carry out what servers on the same database accept.

Imports aiohttp, the servers of tests and `tests.crash.fleet`.
"""

import asyncio
import socket
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from aura_aio.model.errors import SettingsError
from tests.aura_forks import start_aura
from tests.crash.fleet import (
    ACTIONS,
    DUE,
    TASK,
    Fleet,
    hold,
    host_of,
    is_in_state,
    running,
    shows,
)
from tests.server_process import ServerProcess
from tests.serving import serving, write_plan
from tests.waiting import until

_AFTER = """
on: [{event: run.finished, plan: twice, task: hold}]
steps:
  say: {action: log, params: {message: "after"}}
returns: "{{ initial.event.cid }}"
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """No server yet."""
    return Fleet(tmp_path)


async def asked(address: str, path: str) -> int:
    """The status of the answer of a host of workers."""
    url = f"http://{address}/{path}"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        told = await answer.json()
        assert answer.status == 200 or told["type"] == "urn:aura:problem:not-ready"
        return answer.status


async def figures(address: str) -> list[str]:
    """What a host of workers tells Prometheus, by line."""
    async with aiohttp.ClientSession() as client, client.get(f"http://{address}/metrics") as answer:
        return (await answer.text()).splitlines()


async def _is_ending(address: str) -> bool:
    return await asked(address, "readyz") == 503


async def _runs_of(server: ServerProcess, plan_name: str) -> list[str]:
    page = (await server.get(f"/api/runs?plan_name={plan_name}")).json
    return [run["cid"] for run in page["items"]]


async def test_hosts_of_workers_carry_out_what_servers_accept(fleet: Fleet, tmp_path: Path) -> None:
    """Of the plans that they have; they end with SIGTERM when their runs have. What waits for the
    end of a run, in a plan that they have not, is started.
    """
    write_plan(tmp_path / "one_only", "twice", {"hold": TASK, "due": DUE}, ACTIONS)
    write_plan(tmp_path / "plans", "after", {"hold": _AFTER})
    gate = tmp_path / "gate"
    async with fleet.server() as server:
        blocker = (await server.post("/api/tasks/run", hold(tmp_path / "blocker"))).json["cid"]
        at_home = host_of(await running(server, blocker))
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        options = ("--plans", str(tmp_path / "one_only"), "--health-address", address)
        async with fleet.worker(*options) as worker:
            assert await asked(address, "healthz") == await asked(address, "readyz") == 200
            waits = (await server.post("/api/tasks/run", hold(gate))).json["cid"]
            cid = await server.run("twice", "hold", inputs={"gate": str(gate)})
            away = host_of(await running(server, cid))
            assert away != at_home
            await until(partial(shows, server, sorted([at_home, away])), within=10)
            assert (await server.get(f"/api/runs/{waits}")).json["status"] == "queued"
            assert "aura_worker_slots_busy 1.0" in await figures(address)
            worker.terminate()
            await until(partial(_is_ending, address))
            assert await asked(address, "healthz") == 200
            gate.touch()
            assert (await server.finished(cid))["status"] == "succeeded"
            assert await asyncio.to_thread(worker.wait) == 0
            (after,) = await until(partial(_runs_of, server, "after"), within=10)
        await until(partial(shows, server, [at_home]), within=10)
        (tmp_path / "blocker").touch()
        assert (await server.finished(waits))["status"] == "succeeded"
        assert (await server.finished(after))["result"] == cid


async def test_a_server_may_leave_all_work_to_others(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    async with fleet.server("--api-only") as server:
        cid = (await server.post("/api/tasks/run", hold(tmp_path / "gate"))).json["cid"]
        assert (await server.get("/api/system/status")).json["workers"] == []
        async with fleet.worker("--plans", fleet.plans):
            assert (await server.finished(cid))["status"] == "succeeded"
            await until(lambda: is_in_state(server, "running"))


async def test_a_server_that_is_alone_cannot(tmp_path: Path) -> None:
    database = str(tmp_path / "aura.db")
    with pytest.raises(SettingsError, match="--api-only: nobody would carry out"):
        async with serving(data_dir=str(tmp_path), database=database, api_only=True):
            pass


async def test_a_host_of_workers_needs_a_database_that_others_can_have(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as out:
        start = partial(start_aura, stdout=out, stderr=out)
        process = await asyncio.to_thread(start, "worker", "--data-dir", str(tmp_path / "data"))
    assert await asyncio.to_thread(process.wait) == 1
    assert "--database postgresql://" in said.read_text()
