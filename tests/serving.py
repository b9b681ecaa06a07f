"""A real server on a real port for tests, and a client that checks every response.

Imports aiohttp, the public surface of aura_aio and the contract's checker.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web_app
from yarl import URL

from aura_aio.contract.document import Contract, load_contract
from aura_aio.server import Server, running_server
from aura_aio.settings_table import load_settings
from tests.backends import DATABASES
from tests.contract.conformance import check_response
from tests.contract.habits import check_habits
from tests.forking import shared_fork_server

EXAMPLES = Path(__file__).resolve().parent.parent / "plans"
TERMINAL = {"succeeded", "failed", "timed_out", "cancelled"}


@dataclass(frozen=True)
class Response:
    """A response that has passed the contract's check."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


class Client:
    """Speaks HTTP to one server; a response that the contract does not declare fails the test."""

    def __init__(self, url: str, contract: Contract, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self._contract = contract

    async def request(self, method: str, path: str, **options: Any) -> Response:
        """Send a request; `options` as of aiohttp, `path` as it is to travel."""
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, **options) as response:
            body = await response.read()
            check_response(
                self._contract, method, url.raw_path, response.status, response.headers, body
            )
            check_habits(response.status, response.headers, body)
            return Response(response.status, response.headers.copy(), body)

    async def get(self, path: str, **options: Any) -> Response:
        """GET."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Response:
        """POST with a JSON body, or with none."""
        if body is not None:
            options["json"] = body
        return await self.request("POST", path, **options)

    async def run(self, plan_name: str, task_name: str, **rest: Any) -> str:
        """Start a task that must be accepted; its cid."""
        body = {"plan_name": plan_name, "task_name": task_name, **rest}
        response = await self.post("/api/tasks/run", body)
        assert response.status == 202, response.body
        cid: str = response.json["cid"]
        return cid

    async def finished(self, cid: str, *, within: float = 20) -> Any:
        """The run once it has finished."""
        async with asyncio.timeout(within):
            while True:
                run = (await self.get(f"/api/runs/{cid}?wait_sec=20")).json
                if run["status"] in TERMINAL:
                    return run

    async def done(self, plan_name: str, task_name: str, **rest: Any) -> Any:
        """Start a task and wait for its end; the run."""
        return await self.finished(await self.run(plan_name, task_name, **rest))

    async def log(self, cid: str) -> list[Any]:
        """The whole log of a run."""
        entries: list[Any] = []
        path = f"/api/runs/{cid}/logs?limit=1000&wait_sec=10"
        page = (await self.get(path)).json
        entries += page["items"]
        while "next_cursor" in page:
            page = (await self.get(f"{path}&cursor={page['next_cursor']}")).json
            entries += page["items"]
        return entries


class Served(Client):
    """A server that is up, and a client of it."""

    def __init__(self, server: Server, contract: Contract, session: aiohttp.ClientSession) -> None:
        super().__init__(server.url, contract, session)
        self.server = server


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Served]:
    """A server on a free port with `settings` (by their names); `data_dir` must be among them.
    `secrets` are those of templates, `start_process` starts workers in another way than usually.
    Unless `database` is among them, it is where the test's backend has it (tests/backends.py).
    """
    secrets = settings.pop("secrets", {})
    start_process = settings.pop("start_process", None) or shared_fork_server()
    flags = {"port": 0, "workers": 1, "plans": [str(EXAMPLES)], "shutdown_grace_sec": 0, **settings}
    folder = str(settings["data_dir"])
    flags = {**await asyncio.to_thread(DATABASES.opened, folder), **flags}
    loaded = await asyncio.to_thread(load_settings, flags, {})
    try:
        async with (
            running_server(loaded, secrets=secrets, start_process=start_process) as server,
            aiohttp.ClientSession() as session,
        ):
            yield Served(server, await asyncio.to_thread(load_contract), session)
    finally:
        DATABASES.closed(folder)
        # It remembers a thousand handlers of applications that are gone, with all that they hold:
        # after a few hundred servers half a gigabyte.
        web_app._cached_build_middleware.cache_clear()


def write_plan(root: Path, name: str, tasks: Mapping[str, str], actions: str = "") -> Path:
    """A plan below `root`: `tasks` by file name without `.yaml`, `actions` as Python."""
    folder = root / name
    for task, text in tasks.items():
        file = folder / "tasks" / f"{task}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    if actions:
        (folder / "actions.py").write_text(actions, "utf-8")
    return folder
