"""The entry of a worker process: `python -m aura_aio.worker.main`.

May import the rest of `worker`, `engine.capture` and model. Its standard input brings one JSON
line: where the server listens, and the secret that proves the worker to it.
"""

import asyncio
import contextlib
import os
import sys

import msgspec

from aura_aio.engine.capture import captured_output
from aura_aio.model.clock import SystemClock
from aura_aio.worker.limits import leave_signals_to_the_server, limit_memory
from aura_aio.worker.session import Session


class Launch(msgspec.Struct, frozen=True):
    """The line on standard input; `memory_bytes` is the worker's limit, 0 for none."""

    port: int
    secret: str
    memory_bytes: int


async def connect(launch: Launch) -> None:
    """Serve the server that listens on the loopback port of `launch`, until the link ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", launch.port)
    with captured_output():
        await Session(reader, writer, SystemClock()).serve(launch.secret)


def main() -> None:
    """Run a worker process to its end."""
    launch = msgspec.json.decode(sys.stdin.buffer.readline(), type=Launch)
    leave_signals_to_the_server()
    limit_memory(launch.memory_bytes)
    with contextlib.suppress(ConnectionError):  # the server is gone: so are the runs' homes
        if sys.platform == "win32":
            asyncio.run(connect(launch))
        else:
            import uvloop  # noqa: PLC0415 - not on Windows

            uvloop.run(connect(launch))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # an action's thread that cannot be stopped must not keep the process


if __name__ == "__main__":
    main()
