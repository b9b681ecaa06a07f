"""How a worker is brought up and how its end is noticed: as a process, or inside the server.

May import `worker`, `processes` and model.
"""

import asyncio
import os
import socket
from asyncio import Future, StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from aura_aio.model.clock import Clock
from aura_aio.processes.tree import ProcessTree, StartProcess
from aura_aio.worker.frames import Launch


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
    """A process of its own.

    It leads a session: a terminal sends its Ctrl-C to the server alone, also while the worker,
    which leaves signals to the server, is not up yet. What it has started ends with it.
    """

    def __init__(self, tree: ProcessTree, ended: Future[str]) -> None:
        self._tree = tree
        self.ended = ended

    @classmethod
    async def start(cls, launch: Launch, start: StartProcess) -> "WorkerProcess":
        """Start a worker, by `start`, that connects to the server as `launch` says.

        In a thread, since starting a process may take milliseconds, and several times that from
        the event loop's own subprocess support.
        """
        loop = asyncio.get_running_loop()
        ended: Future[str] = loop.create_future()

        def settle(how: str) -> None:
            if not ended.done():
                ended.set_result(f"the worker process {how}")

        def report(how: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody asks any more
                loop.call_soon_threadsafe(settle, how)

        return cls(await asyncio.to_thread(_begun, start, launch, report), ended)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._tree.pid

    def kill(self) -> None:
        """End the process (SIGKILL where there are signals), with what it has started."""
        self._tree.kill()


def _begun(start: StartProcess, launch: Launch, on_end: Callable[[str], object]) -> ProcessTree:
    tree = start("aura_aio.worker.main", takes_output=False, on_end=on_end)
    with tree.stdin as pipe, suppress(BrokenPipeError):  # it is gone already, which will be told
        pipe.write(msgspec.json.encode(launch) + b"\n")
    return tree


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
        from aura_aio.worker.session import Session  # noqa: PLC0415 - seldom needed

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
