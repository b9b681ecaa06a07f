"""A process that begins as a fork of one that has imported all that it needs. Linux only.

May import the standard library, and the rest of `processes`.
"""

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Final

from aura_aio.processes.fork_server import NUMBER, serve
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import ProcessTree

_ANSWER_SEC: Final = 10.0
"""How long the fork server may take for an answer: it does nothing that takes time."""
_LAST_SEC: Final = 2.0
"""How long it may take to end."""


class ForkedProcess(ProcessTree):
    """A child of the fork server, which sends it signals and tells of its end."""

    def __init__(
        self,
        orders: socket.socket,
        module: str,
        *,
        takes_output: bool = True,
        on_end: Callable[[str], object] = str,
    ) -> None:
        """Order it; see `StartProcess`.

        Raises:
            OSError: there is no fork server any more, or it does not answer, or cannot fork.
        """
        super().__init__(on_end)
        with ExitStack() as ours, ExitStack() as theirs:
            self._control, control = socket.socketpair()
            ours.enter_context(self._control)
            theirs.enter_context(control)
            lifeline, self._lifeline = os.pipe()
            theirs.callback(os.close, lifeline)
            ours.callback(os.close, self._lifeline)
            reads, writes = os.pipe()
            theirs.callback(os.close, reads)
            self._stdin: IO[bytes] = ours.enter_context(open(writes, "wb", buffering=0))
            outputs = [1, 2]
            self._outputs: list[IO[bytes]] = []
            if takes_output:
                for number in range(2):
                    reads_it, outputs[number] = os.pipe()
                    theirs.callback(os.close, outputs[number])
                    pipe = ours.enter_context(open(reads_it, "rb", buffering=0))
                    self._outputs.append(pipe)
            given = [control.fileno(), lifeline, reads, *outputs, orders.fileno()]
            socket.send_fds(orders, [f"{os.getpid()} {module}".encode()], given)
            theirs.close()
            self._pid = self._answer()
            ours.pop_all()
        threading.Thread(target=self._await_end, name="reaper", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def stdin(self) -> IO[bytes]:
        return self._stdin

    @property
    def stdout(self) -> IO[bytes]:
        return self._outputs[0]

    @property
    def stderr(self) -> IO[bytes]:
        return self._outputs[1]

    def _answer(self) -> int:
        self._control.settimeout(_ANSWER_SEC)
        answer = self._control.recv(NUMBER.size)
        self._control.setblocking(False)  # signals are sent from event loops
        if not answer:
            raise BrokenPipeError("The fork server did not start the process.")
        pid: int = NUMBER.unpack(answer)[0]
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def _await_end(self) -> None:
        code = None
        ending = select.poll()
        ending.register(self._control, select.POLLIN)
        ending.poll()
        with suppress(ConnectionError):
            if answer := self._control.recv(NUMBER.size):
                code = NUMBER.unpack(answer)[0]
        os.close(self._lifeline)  # without the fork server it is this what ends the process
        self._control.close()
        self._is_gone(code)

    def _signal(self, number: int) -> None:
        with suppress(OSError):  # it has ended
            self._control.send(bytes([number]))


class Forks:
    """Implements `StartProcess`: lets the fork server that takes `orders` start processes.

    Whoever cannot reach it any more, or is told that it cannot fork, spawns.
    """

    def __init__(self, orders: socket.socket) -> None:
        orders.settimeout(_ANSWER_SEC)
        self._orders = orders

    def __call__(
        self,
        module: str,
        *,
        takes_output: bool = True,
        on_end: Callable[[str], object] = str,
    ) -> ProcessTree:
        """Start a process; see `StartProcess`."""
        try:
            return ForkedProcess(self._orders, module, takes_output=takes_output, on_end=on_end)
        except OSError:
            return SpawnedProcess(module, takes_output=takes_output, on_end=on_end)


@contextmanager
def fork_server(modules: Sequence[str]) -> Iterator[Forks]:
    """A fork of this process, as it is now, that serves as the fork server while the context is
    open. What has been imported, and the `modules` that it imports itself, beside this process,
    need not be imported again by what it starts.

    This process must have no threads yet: their locks would stay locked in the fork.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        serve(theirs, modules)
    theirs.close()
    try:
        with ours:
            yield Forks(ours)
    finally:
        _see_to_the_end_of(pid)


def _see_to_the_end_of(pid: int) -> None:
    """Wait for a fork server that nobody can order anything from: it ends when it has reaped its
    last child, which else whoever gets its orphans would have to do.
    """
    end = os.pidfd_open(pid)
    ending = select.poll()
    ending.register(end, select.POLLIN)
    if not ending.poll(_LAST_SEC * 1000):
        os.kill(pid, signal.SIGKILL)
    os.close(end)
    os.waitpid(pid, 0)
