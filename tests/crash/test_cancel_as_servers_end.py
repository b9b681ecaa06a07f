"""Cancels while the server itself ends: each test has a server of its own.

Imports the fixtures, the servers of the tests and `cancelling`.
"""

import asyncio
from pathlib import Path

from tests.cancel_plan import write_moments
from tests.conftest import MakeServer
from tests.crash.cancelling import LONG, Case, others_go_on, status_of
from tests.server_process import server_process
from tests.waiting import until


async def test_while_the_server_shuts_down(make_server: MakeServer, tmp_path: Path) -> None:
    write_moments(tmp_path / "plans")
    server = await make_server(plans=[str(tmp_path / "plans")])
    case = Case(server, tmp_path)
    await case.begin("listen")
    await case.has_left("begun")
    shutdown = asyncio.ensure_future(server.server.quiesce(grace_sec=LONG))

    async def not_ready() -> bool:
        return (await server.get("/readyz")).status == 503

    await until(not_ready)
    await case.cancel()
    assert (await server.finished(case.cid))["status"] == "cancelled"
    await shutdown
    assert case.lines() == ["begun", "heard it"]


async def test_a_thread_that_never_looks_keeps_no_server_that_is_its_own_worker(
    tmp_path: Path,
) -> None:
    write_moments(tmp_path / "plans")
    options = ("--workers", "0", "--shutdown-grace-sec", "0.1")
    async with server_process(tmp_path / "data", str(tmp_path / "plans"), *options) as server:
        case = Case(server, tmp_path)
        await case.begin("never_listen")
        await case.has_left("begun")
        assert await server.terminate() == 0


async def test_a_server_that_is_killed_during_the_cancel(tmp_path: Path) -> None:
    write_moments(tmp_path / "plans")
    place = (tmp_path / "data", str(tmp_path / "plans"), "--workers", "1")
    async with server_process(*place) as server:
        case = Case(server, tmp_path)
        await case.begin("resume_deaf")
        await case.has_left("begun")
        await case.cancel(grace_sec=LONG)
        await server.kill()
    async with server_process(*place) as server:
        case.open_gate()
        assert await status_of(server, case.cid) == "cancelled"
        await others_go_on(server)
        assert case.lines() == ["begun"]
