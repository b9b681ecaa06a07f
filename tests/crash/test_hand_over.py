"""Workers that are not there when they are needed: that ends no part of the server.

Imports the fixtures, `tests.probe_plan` and `tests.waiting`.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.store.relational.queue import SqlQueue
from aura_aio.store.relational.runs import SqlRuns
from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served
from tests.waiting import until


@pytest.fixture
def plans(tmp_path: Path) -> list[str]:
    return [write_probe(tmp_path / "plans")]


async def is_well(server: Served) -> None:
    """The server is alive, and runs what comes."""
    run = await server.done("probe", "echo", inputs={"text": "x"})
    assert run["status"] == "succeeded"
    assert (await server.get("/healthz")).status == 200


async def test_a_worker_that_cannot_be_started_is_tried_again(
    make_server: MakeServer,
    plans: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/there/is/no/python")
        server = await make_server(plans=plans, start_process=SpawnedProcess)

        def told() -> bool:
            return any("could not be started" in getattr(r, "how", "") for r in caplog.records)

        await until(told)
        assert (await server.get("/healthz")).status == 200
        assert (await server.get("/api/system/status")).json["state"] == "starting"
    await is_well(server)


async def test_a_worker_that_dies_while_a_run_is_on_its_way_to_it(
    make_server: MakeServer, plans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await make_server(plans=plans)
    await is_well(server)
    asked, answer = asyncio.Event(), asyncio.Event()
    losing, lose_on = asyncio.Event(), asyncio.Event()
    lose = SqlRuns.lose

    async def no_definition(_: SqlRuns, digest: str) -> None:
        asked.set()
        await answer.wait()

    async def held(self: SqlRuns, *args: Any, **kwargs: Any) -> Any:
        losing.set()
        await lose_on.wait()
        return await lose(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(SqlRuns, "definition", no_definition)
        patched.setattr(SqlRuns, "lose", held)
        cid = await server.run("probe", "wait_politely")
        await asked.wait()
        (worker,) = (await server.get("/api/system/status")).json["workers"]
        os.kill(worker["pid"], signal.SIGKILL)
        await losing.wait()
        answer.set()
        try:
            run = await server.finished(cid)
        finally:
            lose_on.set()
    assert (run["status"], run["error"]["type"]) == ("failed", "TaskGone")
    await is_well(server)


@pytest.mark.parametrize(("grace_sec", "status"), [(60.0, "succeeded"), (0.0, "failed")])
async def test_what_is_claimed_as_a_server_ends_is_somebodys(
    make_server: MakeServer,
    plans: list[str],
    monkeypatch: pytest.MonkeyPatch,
    grace_sec: float,
    status: str,
) -> None:
    """It is carried out while there is time, else lost as what is under way is."""
    claim, claimed, answered = SqlQueue.claim, asyncio.Event(), asyncio.Event()

    async def claim_slowly(queue: SqlQueue, *args: Any) -> Any:
        tasklets = await claim(queue, *args)
        if tasklets:
            claimed.set()
            await answered.wait()
        return tasklets

    monkeypatch.setattr(SqlQueue, "claim", claim_slowly)
    server = await make_server(plans=plans)
    cid = await server.run("probe", "echo", inputs={"text": "x"})
    await claimed.wait()
    shutdown = asyncio.ensure_future(server.server.quiesce(grace_sec=grace_sec))

    async def is_ending() -> bool:
        return (await server.get("/readyz")).status == 503 and not (
            grace_sec == 0.0 and await _has_workers(server)
        )

    await until(is_ending)
    answered.set()
    assert (await server.finished(cid))["status"] == status
    await shutdown


async def _has_workers(server: Served) -> bool:
    """Whether a worker is up."""
    return bool((await server.get("/api/system/status")).json["workers"])
