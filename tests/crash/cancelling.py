"""Runs that are cancelled: what they leave behind, and what the system shows of them.

Imports pytest, the store and the tests' own parts.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aura_aio.store.relational.queue import SqlQueue
from tests.serving import Client, Served
from tests.waiting import until

LONG = 3600


class Stage:
    """The server, and the folder with the gates of the slow plans."""

    def __init__(self, server: Served, root: Path) -> None:
        self.server = server
        self.root = root


async def others_go_on(server: Client) -> None:
    """Other runs of the same plan are carried out."""
    runs = await asyncio.gather(*(server.done("moments", "quick") for _ in range(3)))
    assert {run["status"] for run in runs} == {"succeeded"}


async def status_of(server: Client, cid: str) -> str:
    return str((await server.get(f"/api/runs/{cid}")).json["status"])


async def workers(server: Client) -> list[Any]:
    found: list[Any] = (await server.get("/api/system/status")).json["workers"]
    return found


async def steps_of(server: Client, cid: str) -> list[str]:
    """The steps that a run is at."""
    items = (await server.get("/api/runs/active")).json["items"]
    return next((item["current_steps"] for item in items if item["cid"] == cid), [])


async def worker_of(server: Client, cid: str) -> int:
    """The process of the worker that a run is in, once it is known."""

    async def known() -> int:
        name = (await server.get(f"/api/runs/{cid}")).json.get("worker")
        return next((each["pid"] for each in await workers(server) if each["name"] == name), 0)

    return await until(known, within=20)


class Case:
    """A run of `moments` in a folder of its own, where it leaves its lines."""

    def __init__(self, server: Client, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.cid = ""

    async def begin(self, task: str, **rest: Any) -> str:
        """Start the run."""
        self.cid = await self.server.run(
            "moments", task, inputs={"folder": str(self.folder)}, **rest
        )
        return self.cid

    def lines(self) -> list[str]:
        """What the run has left, in no order."""
        file = self.folder / "lines"
        return sorted(file.read_text().splitlines()) if file.exists() else []

    async def has_left(self, *lines: str) -> None:
        """Return when these are the lines."""
        await until(lambda: self.lines() == sorted(lines), within=20)

    def open_gate(self) -> None:
        """Let all go on that may."""
        (self.folder / "gate").touch()

    async def cancel(self, **how: Any) -> Any:
        """Cancel the run, which must be accepted; the answer."""
        answer = await self.server.post(f"/api/tasks/{self.cid}/cancel", how)
        assert answer.status == 202, answer.body
        return answer.json

    async def ends_as_cancelled(self, **how: Any) -> Any:
        """Cancel the run: it ends as cancelled, nothing of it is left, and others go on."""
        await self.cancel(**how)
        return await self.has_ended_as_cancelled()

    async def has_ended_as_cancelled(self) -> Any:
        """The run, which was cancelled, ends so; nothing of it is left, and others go on."""
        run = await self.server.finished(self.cid)
        assert run["status"] == "cancelled", run
        assert not run.keys() & {"result", "error"}
        lines = self.lines()
        self.open_gate()
        await others_go_on(self.server)
        assert self.lines() == lines
        steps = (await self.server.get(f"/api/runs/{self.cid}/timeline")).json["steps"]
        assert {step["status"] for step in steps} <= {"success", "cancelled", "failed"}
        assert all("finished_at" in step for step in steps)
        assert "after" not in {step["node_id"] for step in steps}
        return run


class Neighbour:
    """A run in the same worker, which must not feel the cancel of another."""

    def __init__(self, case: Case) -> None:
        self._case = case

    async def succeeds(self) -> None:
        """Let it go on: it has not lost its worker."""
        self._case.open_gate()
        run = await self._case.server.finished(self._case.cid)
        assert (run["status"], run["attempt"]) == ("succeeded", 1), run


class Import:
    """A run of a slow plan whose module is being imported."""

    def __init__(self, stage: Stage, plan: str) -> None:
        self.server = stage.server
        self.folder = stage.root / plan
        self.plan = plan
        self.cid = ""

    async def begin(self, **rest: Any) -> None:
        """Start the run; the import has begun."""
        self.cid = await self.server.run(self.plan, "work", **rest)
        await until((self.folder / "importing").exists, within=20)

    async def cancel(self, **how: Any) -> Any:
        """Cancel the run; how it ended."""
        assert (await self.server.post(f"/api/tasks/{self.cid}/cancel", how)).status == 202
        return await self.server.finished(self.cid)


def held_claim(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Hold the claim of a run of `unclaimed`: the first event says that it is on disk, the second
    one lets it go on.
    """
    claimed, go_on = asyncio.Event(), asyncio.Event()
    claim = SqlQueue.claim

    async def held(self: SqlQueue, *args: Any) -> Any:
        tasklets = await claim(self, *args)
        if any(tasklet.task_name == "unclaimed" for tasklet in tasklets):
            claimed.set()
            await go_on.wait()
        return tasklets

    monkeypatch.setattr(SqlQueue, "claim", held)
    return claimed, go_on
