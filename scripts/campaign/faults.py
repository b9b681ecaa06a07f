"""What is done to a server while it serves.

Imports the standard library, and `plan` and `server` of the campaign.
"""

import asyncio
import os
import random
import signal
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress

from campaign.server import DATABASE, Server

Fault = Callable[[Server, random.Random], Awaitable[None]]
"""Does it, undoes it, and leaves a server that runs, unless it was killed."""


async def kill_server(server: Server, chance: random.Random) -> None:
    """SIGKILL."""
    await asyncio.to_thread(server.kill)


async def kill_worker(server: Server, chance: random.Random) -> None:
    """SIGKILL for one of the workers."""
    if workers := server.workers():
        with suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)


async def terminate_server(server: Server, chance: random.Random) -> None:
    """SIGTERM, as a deployment sends it."""
    await asyncio.to_thread(server.terminate)


async def stop_server(server: Server, chance: random.Random) -> None:
    """SIGSTOP for a while, as a suspended machine does it."""
    server.send(signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(0.1, 1.0))
    server.send(signal.SIGCONT)


async def stop_worker(server: Server, chance: random.Random) -> None:
    """SIGSTOP for one of the workers, for a while."""
    if workers := server.workers():
        worker = chance.choice(workers)
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGSTOP)
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            os.kill(worker, signal.SIGCONT)


async def lock_store(server: Server, chance: random.Random) -> None:
    """Another process holds the write lock of the database."""

    def hold(seconds: float) -> None:
        with (
            closing(sqlite3.connect(server.data / DATABASE, timeout=1)) as connection,
            suppress(sqlite3.OperationalError),  # the lock was not to be had
        ):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    await asyncio.to_thread(hold, chance.uniform(0.1, 1.0))


async def jump_clock(server: Server, chance: random.Random) -> None:
    """The clock is set, by up to an hour, in either direction."""
    server.shift_clock(chance.uniform(-3600, 3600))
    await asyncio.sleep(chance.uniform(0.1, 1.0))
    server.shift_clock(0)


async def cut_connections(server: Server, chance: random.Random) -> None:
    """Clients go in the middle of a request."""
    for _ in range(20):
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1) as client:
            head = b"POST /api/tasks/run HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            head += b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
            client.sendall(head[: chance.randint(1, len(head))])
        await asyncio.sleep(0.01)


async def fill_disk(server: Server, chance: random.Random) -> None:
    """There is no room left where the database is."""
    ballast = server.data.parent / "ballast"

    def fill() -> None:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(65_536)):
                pass

    try:
        await asyncio.to_thread(fill)
        await asyncio.sleep(chance.uniform(0.1, 1.0))
    finally:
        ballast.unlink(missing_ok=True)


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_server,
        kill_worker,
        terminate_server,
        stop_server,
        stop_worker,
        lock_store,
        jump_clock,
        cut_connections,
        fill_disk,
    )
}
