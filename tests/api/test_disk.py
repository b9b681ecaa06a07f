"""A disk that is nearly full: no new run is taken, what is there can be seen and ends, and all goes
on by itself.

Imports the fixtures, `tests.probe_plan`, `tests.serving` and `tests.waiting`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aura_aio import upkeep
from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served
from tests.waiting import until

MIB = 1024 * 1024
ECHO = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}


async def is_ready(server: Served) -> bool:
    return (await server.get("/readyz")).status == 200


async def is_not_ready(server: Served) -> bool:
    return not await is_ready(server)


async def test_new_runs_are_refused_until_there_is_room_again(
    make_server: MakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 300 * MIB
    monkeypatch.setattr(upkeep, "free_bytes", lambda _: free)
    plans = [write_probe(tmp_path / "plans")]
    server = await make_server(plans=plans, workers=0, min_free_mib=100)
    cid = await server.run("probe", "echo", inputs={"text": "x"})
    await server.finished(cid)
    free = 99 * MIB
    await until(lambda: is_not_ready(server))
    for path, body in (
        ("/api/tasks/run", ECHO),
        ("/api/tasks/batch", {"tasks": [ECHO]}),
        ("/api/queue/insert", ECHO | {"index": 0}),
        (f"/api/tasks/{cid}/retry", {}),
    ):
        response = await server.post(path, body)
        assert response.status == 503, path
        assert response.json["type"] == "urn:aura:problem:disk-nearly-full"
        assert response.headers["Retry-After"]
    assert (await server.get(f"/api/runs/{cid}")).status == 200
    free = 105 * MIB
    assert await is_not_ready(server)
    free = 111 * MIB
    await until(lambda: is_ready(server))
    assert (await server.post("/api/tasks/run", ECHO)).status == 202


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("to mount a tmpfs takes Linux and root")
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def test_a_real_disk(small_disk: Path, make_server: MakeServer, tmp_path: Path) -> None:
    plans = [write_probe(tmp_path / "plans")]
    server = await make_server(
        plans=plans, workers=0, min_free_mib=16, data_dir=str(small_disk / "data")
    )
    assert (await server.post("/api/tasks/run", ECHO)).status == 202
    hoard = small_disk / "hoard"
    hoard.write_bytes(b"x" * (20 * MIB))
    await until(lambda: is_not_ready(server))
    assert (await server.post("/api/tasks/run", ECHO)).status == 503
    hoard.unlink()
    await until(lambda: is_ready(server))
    assert (await server.post("/api/tasks/run", ECHO)).status == 202
