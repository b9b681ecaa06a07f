"""The server as its users start it: a process that can be killed.

Imports aiohttp, the contract's checker and `tests.serving`.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from aura_aio.contract.document import load_contract
from tests.serving import Client
from tests.waiting import until


class ServerProcess(Client):
    """A running `aura serve`, and a client of it."""

    process: asyncio.subprocess.Process

    async def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM, and wait for its end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def server_process(
    data_dir: Path, plans: str, *options: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[ServerProcess]:
    """`aura serve` on a free port, ready, with `env` beside the variables of the test; killed at
    the end if it still runs.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aura_aio", "serve", "--port", str(port)]
    command += ["--data-dir", str(data_dir), "--plans", plans, *options]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, env={**os.environ, **(env or {})}
    )
    async with aiohttp.ClientSession() as session:
        contract = await asyncio.to_thread(load_contract)
        server = ServerProcess(f"http://127.0.0.1:{port}", contract, session)
        server.process = process
        try:
            await until(lambda: _is_ready(server), within=30)
            yield server
        finally:
            if process.returncode is None:
                await server.kill()


async def _is_ready(server: ServerProcess) -> bool:
    if server.process.returncode is not None:
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
