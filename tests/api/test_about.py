"""What a server can do, and what its start has found: getCapabilities and getRecovery.

Imports the fixtures, `tests.serving`, `tests.server_process` and `tests.waiting`.
"""

from pathlib import Path

import aura_aio
from tests.backends import DATABASES
from tests.conftest import MakeServer
from tests.server_process import server_process
from tests.serving import serving, write_plan
from tests.waiting import until

HOLD = '''
import asyncio

from aura_aio import action


@action
async def hold() -> None:
    """Never return."""
    await asyncio.Event().wait()
'''


async def test_what_a_server_can_do(make_server: MakeServer) -> None:
    server = await make_server(
        slots=3,
        workers=1,
        queue_limit=7,
        max_in_flight=9,
        max_monitors=5,
        allow_shell=True,
        cors_origins=["https://tools.example.org"],
    )
    found = (await server.get("/api/system/capabilities")).json
    assert (found["version"], found["store"]) == (aura_aio.__version__, DATABASES.kind)
    assert found["dispatcher"] == DATABASES.dispatcher
    limits = {"slots": 3, "workers": 1, "queue_limit": 7, "max_in_flight": 9, "max_monitors": 5}
    assert found["limits"] | limits == found["limits"]
    features = {"access_tokens": False, "cors": True, "hot_reload": False, "shell": True}
    assert found["features"] == features
    await server.post("/api/system/hot_reload/enable")
    features["hot_reload"] = True
    assert (await server.get("/api/system/capabilities")).json["features"] == features


async def test_what_is_off(make_server: MakeServer) -> None:
    server = await make_server()
    found = (await server.get("/api/system/capabilities")).json
    assert set(found["features"].values()) == {False}


async def test_what_a_start_found(tmp_path: Path) -> None:
    tasks = {
        word: f"meta: {{on_crash: {word}}}\nsteps: {{a: {{action: hold}}}}\n"
        for word in ("resume", "restart", "fail")
    }
    write_plan(tmp_path / "plans", "cut", tasks, HOLD)
    plans, data_dir = str(tmp_path / "plans"), tmp_path / "data"
    async with server_process(data_dir, plans, "--workers", "1") as server:
        cids = {word: await server.run("cut", word) for word in tasks}

        async def all_hold() -> bool:
            active = (await server.get("/api/runs/active")).json["items"]
            return sorted(run["current_steps"] == ["a"] for run in active) == [True] * 3

        await until(all_hold, within=20)
        await server.kill()
    async with serving(plans=[plans], data_dir=str(data_dir), start=False) as again:
        found = (await again.get("/api/system/recovery")).json
        words = ("resumed", "restarted", "failed", "cancelled")
        assert {word: found[word]["cids"] for word in words} == {
            "resumed": [cids["resume"]],
            "restarted": [cids["restart"]],
            "failed": [cids["fail"]],
            "cancelled": [],
        }
        assert found["resumed"]["count"] == 1
    async with serving(plans=[plans], data_dir=str(data_dir), start=False) as last:
        found = (await last.get("/api/system/recovery")).json
        assert {found[word]["count"] for word in words} == {0}
