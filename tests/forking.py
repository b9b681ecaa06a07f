"""The fork server that the servers of a test process share, and both ways of starting a process.

Imports aura_aio's isolation and worker.
"""

import atexit
import subprocess
import sys
from functools import cache
from socket import AF_UNIX, SOCK_SEQPACKET, socket, socketpair

from aura_aio.engine.isolation.processes import StartProcess
from aura_aio.engine.isolation.spawning import SpawnedProcess
from aura_aio.worker.starting import ENTRIES

_SERVE = """
import importlib, socket, sys
from aura_aio.engine.isolation.fork_server import serve

for module in sys.argv[2:]:
    importlib.import_module(module)
serve(socket.socket(fileno=int(sys.argv[1])))
"""


@cache
def shared_fork_server() -> StartProcess:
    """As `process_starter`, for a process that has threads: one for all of its servers, which ends
    with it.
    """
    if sys.platform != "linux":
        return SpawnedProcess
    from aura_aio.engine.isolation.forking import Forks  # noqa: PLC0415 - on Linux only

    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    number = theirs.fileno()
    command = [sys.executable, "-c", _SERVE, str(number), *ENTRIES]
    process = subprocess.Popen(command, pass_fds=[number])
    theirs.close()
    atexit.register(_end, process, ours)
    return Forks(ours)


def _end(process: "subprocess.Popen[bytes]", orders: socket) -> None:
    orders.close()
    process.wait()


def spawned() -> StartProcess:
    """What there is on every system."""
    return SpawnedProcess


STARTERS = (spawned, shared_fork_server)
"""Each gives a `StartProcess`: for what must be so however a process is started."""
