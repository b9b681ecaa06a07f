"""The limit of `noop`: HTTP, SQLite, run and finish in one loop, with nothing else around them.

Imports the standard library, aiohttp, orjson and uvloop; run as a process, it prints its URL.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import orjson
import uvloop
from aiohttp import web

from benchmarks import bare

_SCHEMA = """
    CREATE TABLE runs (
        cid TEXT PRIMARY KEY, plan TEXT, task TEXT, inputs BLOB, state TEXT, created REAL,
        finished REAL
    )
"""
_INSERT = "INSERT INTO runs VALUES (?, ?, ?, ?, 'queued', ?, NULL)"
_FINISH = "UPDATE runs SET state = 'succeeded', finished = ? WHERE cid = ?"


class Runs:
    """Everything at once: what came in one turn of the loop is one durable transaction."""

    def __init__(self, database: Path, actions: asyncio.TaskGroup) -> None:
        self.succeeded = 0
        self._count = 0
        self._connection = sqlite3.connect(database, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_SCHEMA)
        self._new: list[tuple[str, str, str, bytes, float]] = []
        self._ended: list[tuple[float, str]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._is_due = False
        self._actions = actions

    async def submit(self, plan: str, task: str, inputs: bytes) -> str:
        """Return a cid when it is on disk; the run follows."""
        self._count += 1
        now = time.time()
        cid = str(UUID(int=(int(now * 1000) << 80) | (7 << 76) | (2 << 62) | self._count))
        self._new.append((cid, plan, task, inputs, now))
        on_disk = asyncio.get_running_loop().create_future()
        self._waiting.append(on_disk)
        self._commit_soon()
        await on_disk
        return cid

    def _commit_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._commit)

    def _commit(self) -> None:
        self._is_due = False
        new, self._new = self._new, []
        ended, self._ended = self._ended, []
        waiting, self._waiting = self._waiting, []
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT, new)
        self._connection.executemany(_FINISH, ended)
        self._connection.execute("COMMIT")
        self.succeeded += len(ended)
        for on_disk in waiting:
            on_disk.set_result(None)
        if new:
            self._actions.create_task(self._run([cid for cid, *_ in new]))

    async def _run(self, cids: Sequence[str]) -> None:
        for cid in cids:
            await _noop()
            self._ended.append((time.time(), cid))
        self._commit_soon()


async def _noop() -> None:
    """Do nothing."""


async def serve(database: Path, actions: asyncio.TaskGroup) -> None:
    """Serve until the process is ended."""
    runs = Runs(database, actions)

    async def run_task(request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        inputs = orjson.dumps(asked["inputs"])
        cid = await runs.submit(asked["plan_name"], asked["task_name"], inputs)
        body = orjson.dumps({"status": "queued", "message": "It is queued.", "cid": cid})
        return web.Response(status=202, body=body, content_type="application/json")

    async def status(_: web.Request) -> web.Response:
        return web.json_response({"runs": {"succeeded": runs.succeeded}})

    app = web.Application()
    app.router.add_post("/api/tasks/run", run_task)
    app.router.add_get("/api/system/status", status)
    await bare.serve(app)


async def main() -> None:
    """Serve with a database that goes with the process."""
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        async with asyncio.TaskGroup() as actions:
            await serve(Path(folder, "runs.db"), actions)


if __name__ == "__main__":
    uvloop.run(main())
