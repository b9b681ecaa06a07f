"""How a worker is brought up and how its end is noticed: as a process, or inside the server.

May import `worker`, model and `engine.isolation.tree`.
"""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from asyncio import Future, StreamReader, StreamWriter
from typing import Protocol

import msgspec

from aura_aio.engine.isolation.tree import how_it_ended
from aura_aio.model.clock import Clock
from aura_aio.worker.main import Launch
from aura_aio.worker.session import Session


class WorkerHandle(Protocol):
    """A worker that was started, whatever it is made of."""

    @property
    def pid(self) -> int:
        """The process that the worker lives in."""
        ...

    @property
    def ended(self) -> Future[str]:
        """Done when the worker is gone, with a sentence that says how."""
        ...

    def kill(self) -> None:
        """End the worker now, whatever it does; returns at once."""
        ...


class WorkerProcess:
    """A process of its own, started with the interpreter of the server."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.ended: Future[str] = asyncio.get_running_loop().create_future()
        threading.Thread(target=self._wait, args=(asyncio.get_running_loop(),), daemon=True).start()

    @classmethod
    async def start(cls, launch: Launch) -> "WorkerProcess":
        """Start a worker that connects to the server as `launch` says.

        In a thread, since starting a process may take milliseconds, and several times that from
        the event loop's own subprocess support.
        """
        return cls(await asyncio.to_thread(_spawn, launch))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def kill(self) -> None:
        """End the process (SIGKILL where there are signals)."""
        self._process.kill()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        code = self._process.wait()
        if not loop.is_closed():
            how = f"the worker process {how_it_ended(code)}"
            loop.call_soon_threadsafe(self._report, how)

    def _report(self, how: str) -> None:
        if not self.ended.done():
            self.ended.set_result(how)


def _spawn(launch: Launch) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "aura_aio.worker.main"],
        stdin=subprocess.PIPE,
        # A group of its own: a terminal sends its Ctrl-C to the server alone, also while the
        # worker, which leaves signals to the server, is not up yet.
        process_group=None if sys.platform == "win32" else 0,
    )
    if process.stdin is None:
        raise RuntimeError("the pipe that was asked for is missing")
    with process.stdin:
        process.stdin.write(msgspec.json.encode(launch) + b"\n")
    return process


class InProcessWorker:
    """A worker on the server's own loop, for embedding and tests (`workers = 0`)."""

    def __init__(self, task: "asyncio.Task[None]", ended: Future[str]) -> None:
        self._task = task
        self.ended = ended

    @classmethod
    async def start(
        cls, secret: str, clock: Clock
    ) -> tuple["InProcessWorker", StreamReader, StreamWriter]:
        """Start a session over a pair of sockets; answers the server's end of it too."""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        session = Session(*await asyncio.open_connection(sock=theirs), clock)
        task = asyncio.create_task(session.serve(secret))
        ended: Future[str] = asyncio.get_running_loop().create_future()
        task.add_done_callback(lambda _: ended.set_result("the worker inside the server ended"))
        return cls(task, ended), reader, writer

    @property
    def pid(self) -> int:
        """The server's own process id."""
        return os.getpid()

    def kill(self) -> None:
        """Cancel the session."""
        self._task.cancel()
