"""`aura` in a process of its own that begins as a fork of one that has imported all of it.

To start an interpreter and to import takes a second of processor time for a server, and there are
more than a hundred of them in a run of the tests. What is forked ends as a program that was started
does. On other systems than Linux it is started. Imports the standard library only.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Protocol

REPOSITORY = Path(__file__).resolve().parents[1]
AURA = (sys.executable, "-m", "aura_aio")

_NUMBER = struct.Struct("i")
_LONGEST = 200_000
"""Bytes of an order: an environment is most of it."""

Output = IO[bytes] | int | None
"""What `subprocess.Popen` takes, but for PIPE."""


class Program(Protocol):
    """What tests ask of a program that they have started; `subprocess.Popen` has it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def start_aura(
    *words: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: Output = None,
    stderr: Output = None,
) -> Program:
    """Start `aura` with these words, and with nothing to read.

    The variables that the interpreter itself reads are those of the tests, whatever `env` says; as
    many files may be open as in the tests.
    """
    folder, variables = cwd or Path.cwd(), dict(os.environ if env is None else env)
    if sys.platform != "linux":
        return subprocess.Popen(
            [*AURA, *words],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    import resource  # noqa: PLC0415 - not everywhere

    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull, "r+b") as nothing:
        outputs = [
            nothing.fileno() if each == subprocess.DEVNULL else each
            for each in (1 if stdout is None else stdout, 2 if stderr is None else stderr)
        ]
        order = json.dumps([words, str(folder), variables, files]).encode()
        return _Fork(_orders(), order, [nothing, *outputs])


class _Fork:
    """Implements Program: a child of the process that forks, which tells of its end."""

    def __init__(
        self, orders: socket.socket, order: bytes, given: Sequence[IO[bytes] | int]
    ) -> None:
        self.returncode: int | None = None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            numbers = [each if isinstance(each, int) else each.fileno() for each in given]
            socket.send_fds(orders, [order], [theirs.fileno(), *numbers])
        answer, [self._process], _, _ = socket.recv_fds(self._control, _NUMBER.size, 1)
        self.pid: int = _NUMBER.unpack(answer)[0]

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, for `timeout` seconds at the most; the exit code."""
        if self.returncode is None:
            ending = select.poll()
            ending.register(self._control, select.POLLIN)
            if not ending.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(AURA, timeout or 0)
            self.returncode = _NUMBER.unpack(self._control.recv(_NUMBER.size))[0]
            self._control.close()
            os.close(self._process)
        return self.returncode

    def send_signal(self, number: int, /) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


@cache
def _orders() -> socket.socket:
    """Where the process that forks takes orders: there is one, which ends with this process."""
    orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.aura_forks", str(theirs.fileno())]
    process = subprocess.Popen(command, cwd=REPOSITORY, pass_fds=[theirs.fileno()])
    theirs.close()

    def end() -> None:
        orders.close()
        process.wait()

    atexit.register(end)
    return orders


class _Children:
    """What was forked and has not ended: by the descriptor of its process, its number and the
    socket over which its end is told.
    """

    def __init__(self) -> None:
        self._all: dict[int, tuple[int, socket.socket]] = {}
        self._poll = select.poll()

    def watch(self, descriptor: int) -> None:
        """Let `ready` answer with `descriptor` too."""
        self._poll.register(descriptor, select.POLLIN)

    def ready(self) -> list[int]:
        """Wait until a child has ended, or a watched descriptor can be read."""
        return [descriptor for descriptor, _ in self._poll.poll()]

    def add(self, pid: int, control: socket.socket) -> None:
        """Tell who has ordered it, and look after it."""
        process = os.pidfd_open(pid)
        socket.send_fds(control, [_NUMBER.pack(pid)], [process])
        self._all[process] = pid, control
        self._poll.register(process, select.POLLIN)

    def reap(self, process: int) -> None:
        """Tell how it ended."""
        pid, control = self._all.pop(process)
        self._poll.unregister(process)
        os.close(process)
        _, status = os.waitpid(pid, 0)
        with control, suppress(OSError):  # nobody asks any more
            control.send(_NUMBER.pack(os.waitstatus_to_exitcode(status)))

    def kill(self) -> None:
        """Leave none behind."""
        for pid, _ in self._all.values():
            os.kill(pid, signal.SIGKILL)
        for process in list(self._all):
            self.reap(process)

    def forget(self) -> None:
        """Close all that is of the process that forks, in one that was forked."""
        for process, (_, control) in self._all.items():
            control.close()
            os.close(process)


def _serve(orders: socket.socket) -> bool:
    """Fork for each order, until nobody can give one; true in a process that was forked."""
    children = _Children()
    children.watch(orders.fileno())
    while True:
        for descriptor in children.ready():
            if descriptor != orders.fileno():
                children.reap(descriptor)
                continue
            order, given, _, _ = socket.recv_fds(orders, _LONGEST, 4)
            if not order:
                children.kill()
                return False
            control = socket.socket(fileno=given[0])
            if pid := os.fork():
                children.add(pid, control)
                _close(given[1:])
                continue
            children.forget()
            for each in (control, orders):
                each.close()
            _become(order, given[1:])
            return True


def _become(order: bytes, outputs: Sequence[int]) -> None:
    import resource  # noqa: PLC0415 - not everywhere

    words, folder, variables, files = json.loads(order)
    resource.setrlimit(resource.RLIMIT_NOFILE, files)
    for number, descriptor in enumerate(outputs):
        os.dup2(descriptor, number)
    _close(outputs)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    sys.path[0] = folder
    sys.argv[1:] = words
    sys.orig_argv[:] = [*AURA, *words]  # with which a server starts anew


def _close(descriptors: Sequence[int]) -> None:
    for each in descriptors:
        os.close(each)


if __name__ == "__main__":
    for module in ("lifetime", "cli.serve", "cli.runs", "worker.main", "engine.isolation.guest"):
        importlib.import_module(f"aura_aio.{module}")
    gc.collect()
    gc.freeze()
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        importlib.import_module("aura_aio.cli").main()
