"""Several servers, and hosts of workers, on one database, for tests.

Imports the servers of tests.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.aura_forks import Program, start_aura
from tests.backends import DATABASES
from tests.postgres_server import new_database
from tests.probe_plan import write_probe
from tests.server_process import ServerProcess, server_process
from tests.serving import write_plan
from tests.waiting import until

LOST_SEC = "1.5"


TASK = """
meta:
  on_crash: restart
  inputs: [{name: gate, type: string, required: true}]
steps:
  wait: {action: hold, params: {gate: "{{ inputs.gate }}"}}
returns: "{{ run.attempt }}"
"""
DUE = """
steps:
  say: {action: log, params: {message: "due"}}
returns: "{{ initial.schedule.due_at }}"
"""
ACTIONS = """
import asyncio
from pathlib import Path

from aura_aio import action


@action
async def hold(gate: str) -> None:
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
"""


class Fleet:
    """The servers on one database, with the same plans."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plans = write_probe(folder / "plans")
        write_plan(folder / "plans", "twice", {"hold": TASK, "due": DUE}, ACTIONS)
        self.url = new_database()
        self.env = {"AURA_DATABASE": self.url.secret, "AURA_DISPATCHER": DATABASES.dispatcher}
        self._started = 0
        self._small = ("--workers", "1", "--slots", "1", "--host-lost-sec", LOST_SEC)

    @asynccontextmanager
    async def server(
        self, *options: str, data: Path | None = None, plans: str | None = None
    ) -> AsyncIterator[ServerProcess]:
        """One more server, with one worker that runs one thing at a time; with `data`, one that
        comes back to its folder, with `plans` one that has others.
        """
        data, plans = data or self._data(), plans or self.plans
        env = self.env
        async with server_process(data, plans, *self._small, *options, env=env) as server:
            yield server

    @asynccontextmanager
    async def worker(self, *options: str) -> AsyncIterator[Program]:
        """One more host of workers, up; killed at the end if it still runs."""
        data = self._data()
        words = ["worker", "--data-dir", str(data), *self._small, "--json", *options]
        said = data.with_suffix(".out")
        with said.open("wb") as out:
            start = partial(start_aura, stdout=out, env={**os.environ, **self.env})
            process = await asyncio.to_thread(start, *words)
        try:
            assert json.loads(await until(said.read_text, within=20))["host"]
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            await asyncio.to_thread(process.wait)

    def _data(self) -> Path:
        """A data folder, with the keys of the first one."""
        self._started += 1
        data = self.folder / f"data{self._started}"
        data.mkdir(mode=0o700)
        if self._started > 1:
            key = self.folder / "data1" / "secrets.key"
            (data / "secrets.key").write_bytes(key.read_bytes())
            (data / "secrets.key").chmod(0o600)
        return data


def hold(gate: Path) -> dict[str, Any]:
    """The body of a request for a run that ends when `gate` is there."""
    return {"plan_name": "probe", "task_name": "hold", "inputs": {"gate": str(gate)}}


async def running(server: ServerProcess, cid: str) -> str:
    """The worker that has the run, once one has."""

    async def worker() -> str:
        run = (await server.get(f"/api/runs/{cid}")).json
        return str(run["worker"]) if run["status"] == "running" else ""

    return await until(worker, within=20)


def host_of(worker: str) -> str:
    """The host in the name of a worker."""
    return worker.partition("/")[0]


async def workers(server: ServerProcess) -> list[str]:
    """The hosts of the workers that the status of a server shows."""
    shown = (await server.get("/api/system/status")).json["workers"]
    return sorted(host_of(worker["name"]) for worker in shown)


async def shows(server: ServerProcess, hosts: list[str]) -> bool:
    """Whether these are the hosts that a server shows."""
    return await workers(server) == hosts


async def is_in_state(server: ServerProcess, state: str) -> bool:
    """Whether a server says that the system is in this state."""
    return bool((await server.get("/api/system/status")).json["state"] == state)
