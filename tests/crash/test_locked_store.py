"""A database that somebody else has locked for longer than the server waits: nothing is lost, and
all goes on when it is free.

Imports the fixtures, `tests.probe_plan` and `tests.waiting`.
"""

import asyncio
from pathlib import Path

import pytest

from aura_aio.store.sqlite import database
from tests.backends import DATABASES
from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.server_process import ServerProcess, server_process
from tests.serving import Served
from tests.waiting import until


@pytest.fixture
async def server(
    make_server: MakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Served:
    """A server that waits for a lock a tenth of a second only; on PostgreSQL ten seconds."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SEC", 0.1)
    plans = [write_probe(tmp_path / "plans")]
    return await make_server(plans=plans, data_dir=str(tmp_path / "data"))


def told(caplog: pytest.LogCaptureFixture, action: str) -> bool:
    """Whether the server has logged that."""
    return any(getattr(record, "action", "") == action for record in caplog.records)


async def test_a_run_that_is_due_starts_when_the_store_is_free_again(
    server: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "lines"
    inputs = {"file": str(file), "line": "once"}
    # Long enough to lock the store before it is due, also on a busy machine.
    cid = await server.run("probe", "count", inputs=inputs, delay_sec=2)
    with DATABASES.locked(tmp_path / "data"):
        waits = "claims_wait" if DATABASES.dispatcher == "local" else "offers_wait"
        await until(lambda: told(caplog, waits), within=20)
        body = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}
        refused = await server.post("/api/tasks/run", body)
        assert refused.status == 503
        assert "Retry-After" in refused.headers
        assert (await server.post(f"/api/tasks/{cid}/cancel")).status == 503
        (listed,) = (await server.get("/api/runs")).json["items"]
        assert (listed["cid"], listed["status"]) == (cid, "queued")
    run = await server.finished(cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 1)
    assert file.read_text() == "once\n"
    assert len((await server.get("/api/runs")).json["items"]) == 1  # what was refused is not there


async def test_a_run_that_ends_meanwhile_has_ended_as_it_did(
    server: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = tmp_path / "gate"
    cid = await server.run("probe", "hold", inputs={"gate": str(gate)})

    async def holds() -> bool:
        items = (await server.get("/api/runs/active")).json["items"]
        return [item["current_steps"] for item in items] == [["wait"]]

    await until(holds, within=20)
    with DATABASES.locked(tmp_path / "data"):
        gate.touch()
        await until(lambda: told(caplog, "reports_wait"), within=20)
        assert (await server.get(f"/api/runs/{cid}")).json["status"] == "running"
    run = await server.finished(cid)
    assert (run["status"], run["result"]) == ("succeeded", "let go")
    assert (await server.done("probe", "echo", inputs={"text": "x"}))["status"] == "succeeded"


async def test_who_is_told_to_end_meanwhile_ends_as_in_a_crash(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A service that stops does not wait for a database that may never come back."""
    data, gate = tmp_path / "data", tmp_path / "gate"
    plans = write_probe(tmp_path / "plans")
    options = ("--workers", "1", "--shutdown-grace-sec", "0", "--shutdown-force-sec", "0")
    async with server_process(data, plans, *options) as server:
        cid = await server.run("probe", "hold", inputs={"gate": str(gate)})
        await until(lambda: _is_running(server, cid), within=20)
        with DATABASES.locked(data):
            server.process.terminate()
            assert await asyncio.to_thread(server.process.wait, 60) == 1
    assert "action=ended_unfinished" in capfd.readouterr().err
    async with server_process(data, plans, *options) as server:
        assert (await server.finished(cid))["status"] == "failed"


async def _is_running(server: ServerProcess, cid: str) -> bool:
    return bool((await server.get(f"/api/runs/{cid}")).json["status"] == "running")
