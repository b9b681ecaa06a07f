"""Fork servers for a process that has threads, and both ways of starting a process.

Imports aura_aio's processes and worker.
"""

import atexit
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from socket import AF_UNIX, SOCK_SEQPACKET, socketpair
from typing import Self

from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.worker.starting import ENTRIES

_SERVE = """
import gc, socket, sys
from aura_aio.processes.fork_server import serve

gc.disable()  # as a server does while it starts
serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
"""


class ForkServer:
    """A fork server that was spawned with `modules` to import, and `start`, which lets it fork."""

    def __init__(self, *modules: str) -> None:
        from aura_aio.processes.forking import Forks  # noqa: PLC0415 - on Linux only

        self.orders, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        number = theirs.fileno()
        command = [sys.executable, "-c", _SERVE, str(number), *modules]
        self._process = subprocess.Popen(command, pass_fds=[number])
        theirs.close()
        self.pid = self._process.pid
        self.start: StartProcess = Forks(self.orders)

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """One that has imported nothing for others, while the context is open."""
        server = cls()
        try:
            yield server
        finally:
            server.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let it end as it does when nobody needs it."""
        self.orders.close()
        self._process.wait()


@cache
def shared_fork_server() -> StartProcess:
    """As `process_starter`: one for all servers of this process, which ends with it."""
    if sys.platform != "linux":
        return SpawnedProcess
    server = ForkServer(*ENTRIES)
    atexit.register(server.close)
    return server.start


def spawned() -> StartProcess:
    """What there is on every system."""
    return SpawnedProcess


STARTERS = (spawned, shared_fork_server)
"""Each gives a `StartProcess`: for what must be so however a process is started."""
