"""How the processes of workers, and of the calls in them, are started on this machine.

May import the standard library and `processes`; names the modules of those processes.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess

ENTRIES: Final = ("aura_aio.worker.main", "aura_aio.engine.isolation.guest")
"""What such processes begin with."""


@contextmanager
def process_starter() -> Iterator[StartProcess]:
    """The quickest way to start them that there is here, while the context is open.

    On Linux they are forks of a process that is forked from this one now, and imports their modules
    while this one goes on. Call it early: what is in memory by then they have as well. A process
    that has threads cannot be forked, so from there, as on other systems, each begins as a new
    interpreter.
    """
    if sys.platform != "linux" or threading.active_count() > 1 or not hasattr(os, "pidfd_open"):
        yield SpawnedProcess
        return
    from aura_aio.processes.forking import fork_server  # noqa: PLC0415 - on Linux only

    with fork_server(ENTRIES) as forks:
        yield forks
