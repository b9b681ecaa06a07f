"""The fork server: a process with one thread that forks another for each order. Linux only.

May import setproctitle, the standard library and `tree`. An order is one packet: who asks and
which module, with the descriptors of `_Given`. Over `control` it then answers with the process
id, or with an error number as a negative one, and at last with the exit code; what it reads there
are numbers of signals.
"""

import gc
import importlib
import os
import resource
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from setproctitle import setproctitle

from aura_aio.processes.tree import close

NUMBER: Final = struct.Struct("i")

_LONGEST: Final = 1024
_FROM_OUTSIDE: Final = (signal.SIGINT, signal.SIGTERM)
"""What a terminal or a service manager sends."""


class _Given(NamedTuple):
    """What comes with an order: the descriptors of the new process, and the end of `control`."""

    control: int
    lifeline: int
    stdin: int
    stdout: int
    stderr: int
    orders: int


class _Child:
    """A process that was forked and is not reaped yet: nobody else has its number."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self.control = control
        self.end = os.pidfd_open(pid)

    def signal(self, number: int) -> None:
        """Send a signal to its session, or to itself alone as long as it leads none."""
        with suppress(ProcessLookupError, PermissionError):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                os.kill(self.pid, number)

    def reap(self) -> None:
        """End what it has left behind, and tell how it ended."""
        self.signal(signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.end)
        with self.control, suppress(OSError):  # nobody asks any more
            self.control.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))


class _ForkServer:
    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._children: set[_Child] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(orders, selectors.EVENT_READ, self._take_order)

    def serve(self) -> None:
        """Serve until nobody is left who could order something."""
        while self._selector.get_map():
            for key, _ in self._selector.select():
                if self._selector.get_map().get(key.fd) == key:  # an event before may have ended it
                    key.data()

    def _take_order(self) -> None:
        order, descriptors, _, _ = socket.recv_fds(self._orders, _LONGEST, len(_Given._fields))
        if not order:
            self._selector.unregister(self._orders)
            return
        try:
            given = _Given(*descriptors)
        except TypeError:  # there were too few descriptors left for them
            close(descriptors)
            return
        asker, _, module = order.decode().partition(" ")
        try:
            pid = os.fork()
        except OSError as error:
            pid = -(error.errno or 0)
        if not pid:
            self._leave()
            _become(module, given, int(asker))
        close(given[1:])
        control = socket.socket(fileno=given.control)
        with suppress(OSError):
            control.send(NUMBER.pack(pid))
        if pid < 0:
            control.close()
        else:
            self._look_after(_Child(pid, control))

    def _look_after(self, child: _Child) -> None:
        self._children.add(child)
        self._selector.register(child.control, selectors.EVENT_READ, lambda: self._pass_on(child))
        self._selector.register(child.end, selectors.EVENT_READ, lambda: self._ended(child))

    def _pass_on(self, child: _Child) -> None:
        try:
            numbers = child.control.recv(_LONGEST)
        except ConnectionError:
            numbers = b""
        if not numbers:  # whoever wanted it is gone
            self._selector.unregister(child.control)
            numbers = bytes([signal.SIGKILL])
        for number in numbers:
            child.signal(number)

    def _ended(self, child: _Child) -> None:
        self._children.remove(child)
        for each in (child.control, child.end):
            if each in self._selector.get_map():
                self._selector.unregister(each)
        child.reap()

    def _leave(self) -> None:
        """Keep nothing of the fork server in a process that was forked from it."""
        self._selector.close()
        self._orders.close()
        for child in self._children:
            child.control.close()
            os.close(child.end)


def serve(orders: socket.socket, modules: Sequence[str] = ()) -> NoReturn:
    """Become a fork server, until all are gone who have the other end of `orders`; what it forks
    has `modules` imported already. Orders wait meanwhile.
    """
    code = 1
    try:
        os.setsid()
        _be_called(__name__)
        # It ends when its work does. Not ignored: a child would not see what it is sent at once.
        signal.pthread_sigmask(signal.SIG_BLOCK, _FROM_OUTSIDE)
        _keep_only(0, 1, 2, orders.fileno())
        for module in modules:
            importlib.import_module(module)
        gc.collect()
        gc.freeze()  # a collection in a fork would copy every page that all of them share
        gc.enable()  # what it is a fork of may have been loading
        _ForkServer(orders).serve()
        code = 0
    except BaseException:  # it must not go on as the process that it is a fork of
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _be_called(module: str) -> None:
    """Stand in lists of processes as what this is, not as a second server."""
    setproctitle(f"{sys.executable} -m {module}")


def _keep_only(*kept: int) -> None:
    """Close every other descriptor: a socket that listens must end with the server."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with suppress(OSError):  # that of the listing itself
                os.close(int(name))


def _become(module: str, given: _Given, asker: int) -> NoReturn:
    code: Any = 1
    try:
        os.setsid()
        _be_called(module)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FROM_OUTSIDE)
        for number, descriptor in enumerate((given.stdin, given.stdout, given.stderr)):
            os.dup2(descriptor, number)
        close((given.control, given.stdin, given.stdout, given.stderr))
        os.set_inheritable(given.orders, False)
        _take_limits_of(asker)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for the life of the process
        sys.argv = [module, str(given.lifeline), str(given.orders)]
        importlib.import_module(module).main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:  # it must not go on as the process that it is a fork of
        sys.excepthook(*sys.exc_info())
    finally:
        for output in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                output.flush()
        os._exit(code if isinstance(code, int) else bool(code))


def _take_limits_of(asker: int) -> None:
    """Be limited as if `asker` had started this process."""
    with suppress(OSError):  # it is gone already
        limit = resource.prlimit(asker, resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, limit)
        score = Path(f"/proc/{asker}/oom_score_adj").read_text()
        Path("/proc/self/oom_score_adj").write_text(score)
