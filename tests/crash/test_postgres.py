"""A server whose database is on a PostgreSQL server: what it has acknowledged survives its death,
and that of the database server.

Imports psycopg, aura_aio.model and the servers of tests.
"""

import asyncio
import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aura_aio.model.database_url import DatabaseUrl
from tests.backends import DATABASES
from tests.postgres_server import new_database, server_in
from tests.probe_plan import write_probe
from tests.server_process import ServerProcess, server_process
from tests.waiting import until


@pytest.fixture
def environ() -> Mapping[str, str]:
    """The variables: the address has a password in it."""
    url = new_database()
    with_password = url.secret.replace("postgres:@", "postgres:geheim@")
    assert with_password != url.secret
    return {"AURA_DATABASE": with_password, "AURA_DISPATCHER": DATABASES.dispatcher}


@pytest.fixture
def plans(tmp_path: Path) -> str:
    """The folder of the plan `probe`."""
    return write_probe(tmp_path / "plans")


def count(file: Path, line: str) -> dict[str, Any]:
    """The body of a request that writes a line."""
    inputs = {"file": str(file), "line": line}
    return {"plan_name": "probe", "task_name": "count", "inputs": inputs}


async def test_what_was_acknowledged_survives_a_kill(
    tmp_path: Path, plans: str, environ: Mapping[str, str]
) -> None:
    data, file = tmp_path / "data", tmp_path / "lines"
    async with server_process(data, plans, "--workers", "1", env=environ) as server:
        first = await server.run("probe", "count", inputs={"file": str(file), "line": "first"})
        assert (await server.finished(first))["status"] == "succeeded"
        log = await server.log(first)
        capabilities = (await server.get("/api/system/capabilities")).json
        kinds = (capabilities["store"], capabilities["dispatcher"])
        assert kinds == ("postgres", DATABASES.dispatcher)
        await tells_no_password(server, tmp_path / "other", plans, environ)
        assert (await server.post("/api/queue/pause", {})).status == 200
        waiting = [await server.run(**count(file, str(n))) for n in range(20)]
        await server.kill()
    async with server_process(data, plans, "--workers", "1", env=environ) as server:
        assert (await server.finished(first))["status"] == "succeeded"
        assert await server.log(first) == log
        assert (await server.get("/api/queue/overview")).json["ready_length"] == 20
        assert (await server.post("/api/queue/resume", {})).status == 200
        for cid in waiting:
            assert (await server.finished(cid))["status"] == "succeeded"
    assert sorted(file.read_text().split()) == sorted(["first", *map(str, range(20))])
    assert not (data / "aura.db").exists()


async def test_a_primary_that_dies_and_comes_back_has_lost_nothing(
    tmp_path: Path, plans: str
) -> None:
    """Meanwhile nothing is accepted, and what runs goes on. Of what is asked for in that moment
    the answer is true, whenever it comes.
    """
    with tempfile.TemporaryDirectory(prefix="aura-primary-") as short:
        primary = await asyncio.to_thread(server_in, Path(short) / "data")
        env = {"AURA_DATABASE": primary.get_uri(), "AURA_DISPATCHER": DATABASES.dispatcher}
        file, gate = tmp_path / "lines", tmp_path / "gate"
        async with server_process(tmp_path / "data", plans, "--workers", "1", env=env) as server:
            held = await server.run("probe", "hold", inputs={"gate": str(gate)})
            await until(lambda: _is_running(server, held), within=20)
            assert (await server.post("/api/queue/pause", {})).status == 200
            accepted: dict[str, str] = {}
            dying = asyncio.Event()
            clients = [
                asyncio.create_task(_submit(server, file, str(n), accepted, dying))
                for n in range(8)
            ]
            await until(lambda: len(accepted) >= 20)
            dying.set()
            os.kill(primary.get_pid(), signal.SIGQUIT)  # at once, without a last checkpoint
            await until(lambda: not primary.get_postmaster_info().is_running(), within=20)
            refused = await server.post("/api/tasks/run", count(file, "refused"))
            assert (refused.status, "Retry-After" in refused.headers) == (503, True)
            assert (await server.get("/readyz")).status == 503
            assert (await server.get("/healthz")).status == 200
            gate.touch()
            await asyncio.to_thread(primary.ensure_postgres_running)
            assert (await server.finished(held, within=60))["attempt"] == 1
            assert (await server.post("/api/queue/resume", {})).status == 200
            await asyncio.gather(*clients)
            for cid in accepted:
                run = await server.finished(cid)
                assert (run["status"], run["attempt"]) == ("succeeded", 1)
            overview = (await server.get("/api/queue/overview")).json
            assert (overview["ready_length"], overview["running_length"]) == (0, 0)
        await asyncio.to_thread(primary.cleanup)
    assert sorted(file.read_text().split()) == sorted(accepted.values())


async def _submit(
    server: ServerProcess, file: Path, name: str, accepted: dict[str, str], dying: asyncio.Event
) -> None:
    """Submit one run after the other until the database dies; `accepted` is cids with lines."""
    numbers = itertools.count()
    while not dying.is_set():
        line = f"{name}-{next(numbers)}"
        response = await server.post("/api/tasks/run", count(file, line))
        if response.status == 202:
            accepted[response.json["cid"]] = line
        else:
            assert response.status == 503


async def _is_running(server: ServerProcess, cid: str) -> bool:
    return bool((await server.get(f"/api/runs/{cid}")).json["status"] == "running")


async def tells_no_password(
    server: ServerProcess, data: Path, plans: str, environ: Mapping[str, str]
) -> None:
    """Nor does a server that is refused, for it has another key, nor what looks at it."""
    shown = str(DatabaseUrl(environ["AURA_DATABASE"]))
    settings = ("--data-dir", str(data), "--plans", plans)
    code, told = await aura("serve", "--port", "0", *settings, env=environ)
    assert (code, "secrets.key" in told) == (1, True)
    port = server.url.rpartition(":")[2]
    code, doctor = await aura("doctor", "--port", port, *settings, env=environ)
    assert (code, shown in doctor, "it answers at" in doctor) == (0, True, True)
    code, config = await aura("config", env=environ)
    assert (code, shown in config) == (0, True)
    code, backup = await aura("backup", str(data.with_suffix(".tar")), env=environ)
    assert (code, "pg_dump" in backup) == (1, True)
    status = (await server.get("/api/system/status")).body.decode()
    assert "geheim" not in told + doctor + config + backup + status


async def aura(*words: str, env: Mapping[str, str]) -> tuple[int, str]:
    """What a command answers, wide enough for every line, and its exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aura_aio", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **env, "COLUMNS": "400"},
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()
