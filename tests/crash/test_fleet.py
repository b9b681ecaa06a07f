"""Several servers on one database: any of them can be asked, and who dies loses nothing.

Imports aiohttp, the servers and monitors of tests.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.crash.fleet import (
    ACTIONS,
    TASK,
    Fleet,
    hold,
    host_of,
    is_in_state,
    running,
    shows,
    workers,
)
from tests.server_process import ServerProcess
from tests.serving import write_plan
from tests.waiting import until


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """No server yet."""
    return Fleet(tmp_path)


async def test_two_servers_are_one_to_their_clients(fleet: Fleet, tmp_path: Path) -> None:
    async with fleet.server() as one, fleet.server() as two:
        gates = [tmp_path / "first", tmp_path / "second"]
        cids = [(await one.post("/api/tasks/run", hold(gate))).json["cid"] for gate in gates]
        hosts = [host_of(await running(two, cid)) for cid in cids]
        assert len(set(hosts)) == 2
        for server in (one, two):
            await until(partial(shows, server, sorted(hosts)), within=10)
        # A run that the other one carries out is waited for, cancelled and followed from anywhere.
        waits = [
            asyncio.create_task(server.get(f"/api/runs/{cids[0]}?wait_sec=20"))
            for server in (one, two)
        ]
        gates[0].touch()
        for wait in waits:
            assert (await wait).json["status"] == "succeeded"
        for server in (one, two):
            third = (await server.post("/api/tasks/run", hold(tmp_path / "never"))).json["cid"]
            await running(server, third)
            assert (await server.post(f"/api/tasks/{third}/cancel", {})).status == 202
            assert (await one.finished(third))["status"] == "cancelled"
        gates[1].touch()
        assert (await one.finished(cids[1]))["status"] == "succeeded"
        await follows(one, two)
        await stops_and_starts(one, two, tmp_path)


async def follows(one: ServerProcess, two: ServerProcess) -> None:
    """A monitor on either gets every line of runs anywhere, each once, in one order."""
    async with aiohttp.ClientSession() as session:
        streams = [
            await session.ws_connect(await monitored(server, at))
            for server, at in ((one, two), (two, one))
        ]
        cids = [
            await server.run("probe", "say", inputs={"lines": 40})
            for server in (one, two, one, two)
        ]
        for cid in cids:
            assert (await one.finished(cid))["status"] == "succeeded"
        stored: list[int] = []
        for cid in cids:
            stored += [entry["seq"] for entry in await two.log(cid)]
        for stream in streams:
            seen: list[int] = []
            while len(seen) < len(stored):
                message = await asyncio.wait_for(stream.receive_json(), 10)
                payload = message["payload"]
                entries = payload if isinstance(payload, list) else [payload]
                seen += [entry["seq"] for entry in entries if "seq" in entry and "cid" in entry]
            assert seen == sorted(stored)
            await stream.close()


async def monitored(server: ServerProcess, at: ServerProcess) -> str:
    """The address of the log at `at`, with a ticket of `server`: a balancer asks either."""
    ticket = (await server.post("/api/auth/ticket")).json["ticket"]
    return at.url.replace("http", "ws") + f"/ws/logs?plan_name=probe&ticket={ticket}"


async def stops_and_starts(one: ServerProcess, two: ServerProcess, folder: Path) -> None:
    """What stops one stops all, and what is made on one is known on the other."""
    assert (await one.post("/api/system/stop", {})).status in {200, 202}
    await until(lambda: is_in_state(two, "stopped"))
    cid = (await one.post("/api/tasks/run", hold(folder / "first"))).json["cid"]
    assert (await two.post("/api/system/start", {})).status in {200, 202}
    await until(lambda: is_in_state(one, "running"))
    assert (await two.finished(cid))["status"] == "succeeded"
    schedule = {"plan_name": "twice", "task_name": "due", "every_sec": 1}
    id_ = (await one.post("/api/schedules", schedule)).json["id"]
    await until(lambda: _is_there(two, id_))
    assert await until(lambda: _dues(two, 3), within=15)
    assert (await two.request("DELETE", f"/api/schedules/{id_}")).status == 200
    await until(lambda: _is_gone(one, id_))
    dues = await _dues(one, 3)
    assert len(dues) == len(set(dues))


async def _is_there(server: ServerProcess, id_: str) -> bool:
    return (await server.get(f"/api/schedules/{id_}")).status == 200


async def _dues(server: ServerProcess, least: int) -> list[str]:
    """For when the runs of the schedule were due, if there are so many that have ended."""
    query = "task_name=due&status=succeeded&limit=100&include=result"
    runs = (await server.get(f"/api/runs?{query}")).json["items"]
    return [run["result"] for run in runs] if len(runs) >= least else []


async def _is_gone(server: ServerProcess, id_: str) -> bool:
    return (await server.get(f"/api/schedules/{id_}")).status == 404


@asynccontextmanager
async def held_elsewhere(
    fleet: Fleet, folder: Path
) -> AsyncIterator[tuple[ServerProcess, ServerProcess, str]]:
    """Two servers, and a run that may begin twice, which the second one carries out: the first one
    has another run, until the file `blocker` is there. It ends when the file `gate` is.
    """
    async with fleet.server() as one:
        blocker = (await one.post("/api/tasks/run", hold(folder / "blocker"))).json["cid"]
        at_first = host_of(await running(one, blocker))
        async with fleet.server() as two:
            cid = await one.run("twice", "hold", inputs={"gate": str(folder / "gate")})
            assert host_of(await running(one, cid)) != at_first
            yield one, two, cid
        assert (await one.finished(blocker))["attempt"] == 1


def has_begun_twice(run: Any) -> bool:
    """Whether it has succeeded in its second attempt."""
    return (run["status"], run["result"], run["attempt"]) == ("succeeded", 2, 2)


async def test_runs_of_a_server_that_is_killed_go_on_elsewhere(
    fleet: Fleet, tmp_path: Path
) -> None:
    async with held_elsewhere(fleet, tmp_path) as (one, two, cid):
        await two.kill()
        (tmp_path / "blocker").touch()
        (tmp_path / "gate").touch()
        assert has_begun_twice(await one.finished(cid, within=30))


async def test_a_stop_is_seen_through_though_the_server_that_was_asked_is_killed(
    fleet: Fleet, tmp_path: Path
) -> None:
    """It led as well: another one has to find out that it leads, and what was to be done."""
    async with fleet.server() as one:
        blocker = (await one.post("/api/tasks/run", hold(tmp_path / "never"))).json["cid"]
        await running(one, blocker)
        async with fleet.server() as two:
            cid = await one.run("twice", "hold", inputs={"gate": str(tmp_path / "gate")})
            await running(two, cid)
            stop = {"mode": "drain", "timeout_sec": 2}
            assert (await one.post("/api/system/stop", stop)).json["active_run_count"] == 2
            await one.kill()
            assert (await two.finished(cid, within=30))["status"] == "cancelled"


async def test_a_server_that_was_killed_and_comes_back_knows_that_it_had_died(
    fleet: Fleet, tmp_path: Path
) -> None:
    """Nobody waits until it has been silent for long enough."""
    patient = ("--host-lost-sec", "600")
    async with fleet.server(*patient) as server:
        cid = await server.run("twice", "hold", inputs={"gate": str(tmp_path / "gate")})
        await running(server, cid)
        await server.kill()
    (tmp_path / "gate").touch()
    async with fleet.server(*patient, data=tmp_path / "data1") as server:
        recovery = (await server.get("/api/system/recovery")).json
        assert recovery["restarted"] == {"count": 1, "cids": [cid]}
        assert has_begun_twice(await server.finished(cid))
        marks = tmp_path / "data1" / "hosts"
        assert [mark.name for mark in marks.iterdir()] == await workers(server)
        assert await server.terminate() == 0
    assert list(marks.iterdir()) == []


async def test_who_was_taken_for_dead_and_comes_back_changes_nothing(
    fleet: Fleet, tmp_path: Path
) -> None:
    async with held_elsewhere(fleet, tmp_path) as (one, two, cid):
        frozen = host_of(await running(one, cid))
        os.kill(two.process.pid, signal.SIGSTOP)
        (tmp_path / "blocker").touch()
        await until(lambda: _has_attempt(one, cid, 2), within=30)
        os.kill(two.process.pid, signal.SIGCONT)
        await until(lambda: _shows_host(one, frozen), within=20)
        again = (await two.post("/api/tasks/run", hold(tmp_path / "blocker"))).json["cid"]
        assert host_of((await one.finished(again))["worker"]) == frozen  # which has room again
        (tmp_path / "gate").touch()
        assert has_begun_twice(await two.finished(cid))


async def _has_attempt(server: ServerProcess, cid: str, attempt: int) -> bool:
    run = (await server.get(f"/api/runs/{cid}")).json
    return bool(run["attempt"] == attempt and run["status"] == "running")


async def _shows_host(server: ServerProcess, host: str) -> bool:
    return host in await workers(server)


async def test_runs_go_where_their_plan_is_as_it_was_while_there_is_one(
    fleet: Fleet, tmp_path: Path
) -> None:
    """A rolling deployment: one server after the other is reloaded, or stopped."""
    gates = {name: tmp_path / name for name in ("blocks", "first", "second", "blocks_too")}

    async def run(server: ServerProcess, gate: str) -> str:
        return await server.run("twice", "hold", inputs={"gate": str(gates[gate])})

    def write(root: Path, remark: str) -> None:
        write_plan(root, "twice", {"hold": TASK}, f"{ACTIONS}\n# {remark}\n")

    write(tmp_path / "new", "new")
    async with fleet.server() as old, fleet.server(plans=str(tmp_path / "new")) as new:
        blocks = await run(old, "blocks")
        at_old = host_of(await running(new, blocks))
        waits = await run(old, "first")
        gates["second"].touch()
        passes = await run(new, "second")
        assert host_of((await old.finished(passes))["worker"]) != at_old
        for server in (old, new):
            await until(partial(_waits_for, server, waits, "no_host"), within=10)
        write(Path(fleet.plans), "new")  # nobody has it any more as it was
        assert (await old.post("/api/system/reload", {"force": True})).status == 200
        assert host_of(await running(old, waits)) != at_old
        gates["first"].touch()
        assert (await old.finished(waits))["status"] == "succeeded"

        write(tmp_path / "new", "newer")
        assert (await new.post("/api/system/reload", {"force": True})).status == 200
        blocks_too = await run(new, "blocks_too")
        assert host_of(await running(new, blocks_too)) != at_old
        waits = await run(new, "second")
        gates["blocks"].touch()
        assert (await old.finished(blocks))["status"] == "succeeded"
        await until(partial(_waits_for, old, waits, "no_host"), within=10)
        new.process.terminate()  # it takes nothing more, though it still has a run
        assert host_of((await old.finished(waits))["worker"]) == at_old
        assert (await old.get(f"/api/runs/{blocks_too}")).json["status"] == "running"
        gates["blocks_too"].touch()
        assert (await old.finished(blocks_too))["attempt"] == 1
        assert await new.ended() == 0


ALONE = """
from threading import Event

from aura_aio import action


@action
def note(file: str) -> None:
    \"\"\"Say when it begins and ends, and give others time to come between.\"\"\"
    for word in ("begin", "end"):
        with open(file, "a") as notes:
            notes.write(word + " ")
        Event().wait(0.02)
"""
ONE_AT_A_TIME = """
meta:
  inputs: [{name: file, type: string}]
  concurrency: {mutex_group: one}
steps:
  note: {action: note, params: {file: "{{ inputs.file }}"}}
"""


async def test_one_at_a_time_holds_over_hosts_with_different_versions_of_a_plan(
    fleet: Fleet, tmp_path: Path
) -> None:
    """Each run at the host that has its plan as it was, none beside another, and none left over."""
    notes = tmp_path / "notes"
    roots = {"old": Path(fleet.plans), "new": tmp_path / "new"}
    for remark, root in roots.items():
        write_plan(root, "alone", {"note": ONE_AT_A_TIME}, f"{ALONE}\n# {remark}\n")
    async with fleet.server() as old, fleet.server(plans=str(roots["new"])) as new:
        cids = [
            await server.run("alone", "note", inputs={"file": str(notes)})
            for server in (old, new, new, old) * 3
        ]
        runs = [await old.finished(cid) for cid in cids]
    assert {run["status"] for run in runs} == {"succeeded"}
    assert notes.read_text("utf-8").split() == ["begin", "end"] * len(cids)
    hosts = {(run["plan_digest"], host_of(run["worker"])) for run in runs}
    assert (
        len(hosts) == len({digest for digest, _ in hosts}) == len({host for _, host in hosts}) == 2
    )


async def _waits_for(server: ServerProcess, cid: str, code: str) -> bool:
    run = (await server.get(f"/api/runs/{cid}")).json
    return [each["code"] for each in run.get("waiting", {}).get("reasons", [])] == [code]
