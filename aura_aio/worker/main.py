"""The entry of a worker process: `python -m aura_aio.worker.main`.

May import the rest of `worker`, `engine.capture`, `processes` and model. Its standard input brings
one JSON line: where the server listens, and the secret that proves the worker to it.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

import msgspec

from aura_aio.engine.capture import captured_output
from aura_aio.model.clock import SystemClock
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess, begin
from aura_aio.worker.frames import Launch
from aura_aio.worker.limits import leave_signals_to_the_server, limit_memory
from aura_aio.worker.session import Session

if sys.platform != "win32":
    import uvloop  # here, so that the fork server has it for all workers


async def connect(launch: Launch, start: StartProcess) -> None:
    """Serve the server that listens on the loopback port of `launch`, until the link ends; `start`
    makes the processes of calls.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", launch.port)
    with captured_output():
        await Session(reader, writer, SystemClock(), start).serve(launch.secret)


async def to_the_end(launch: Launch, start: StartProcess) -> NoReturn:
    """Serve, and end the process from here: a loop that is closed waits for whatever an action has
    left on it, or in its threads, which may never end.
    """
    with contextlib.suppress(ConnectionError):  # the server is gone: so are the runs' homes
        await connect(launch, start)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _starter(orders: Sequence[int]) -> StartProcess:
    """The fork server that takes `orders`, if this worker was made by one."""
    if sys.platform != "linux" or not orders:
        return SpawnedProcess
    from aura_aio.processes.forking import Forks  # noqa: PLC0415 - on Linux only

    return Forks(socket.socket(fileno=orders[0]))


def main() -> None:
    """Run a worker process to its end."""
    start = _starter(begin())
    launch = msgspec.json.decode(sys.stdin.buffer.readline(), type=Launch)
    leave_signals_to_the_server()
    limit_memory(launch.memory_bytes)
    if sys.platform == "win32":
        asyncio.run(to_the_end(launch, start))
    else:
        uvloop.run(to_the_end(launch, start))


if __name__ == "__main__":
    main()
