"""The server as its users start it: a process that can be killed.

Imports aiohttp, the contract's checker, `tests.aura_forks` and `tests.serving`.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL

import aiohttp

from aura_aio.contract.document import load_contract
from tests.aura_forks import Program, start_aura
from tests.backends import DATABASES
from tests.serving import Client
from tests.waiting import until


class ServerProcess(Client):
    """A running `aura serve`, and a client of it."""

    process: Program

    async def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.process.kill()
        await self.ended()

    async def terminate(self) -> int:
        """SIGTERM, and wait for its end; the exit code."""
        self.process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        return await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def server_process(
    data_dir: Path, plans: str, *options: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[ServerProcess]:
    """`aura serve` on a free port, ready, with `env` beside the variables of the test; killed at
    the end if it still runs.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = env or {}
    if "AURA_DATABASE" not in given:
        chosen = await asyncio.to_thread(DATABASES.opened, str(data_dir))
        given = {**given, **{f"AURA_{name.upper()}": value for name, value in chosen.items()}}
    words = ["serve", "--port", str(port), "--data-dir", str(data_dir), "--plans", plans, *options]
    start = partial(start_aura, stdout=DEVNULL, env={**os.environ, **given})
    process = await asyncio.to_thread(start, *words)
    async with aiohttp.ClientSession() as session:
        contract = await asyncio.to_thread(load_contract)
        server = ServerProcess(f"http://127.0.0.1:{port}", contract, session)
        server.process = process
        try:
            await until(lambda: _is_ready(server), within=30)
            yield server
        finally:
            if process.poll() is None:
                await server.kill()
            DATABASES.closed(str(data_dir))


async def _is_ready(server: ServerProcess) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"aura serve ended with exit code {server.process.returncode}")
    try:
        return (await server.get("/readyz")).status == 200
    except aiohttp.ClientConnectionError:
        return False


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
