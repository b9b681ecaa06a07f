"""Processes that can be ended together with everything that they started, however they begin.

May import the standard library only.
"""

import os
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import IO, Final, Protocol

if sys.platform == "linux":
    import fcntl

_HAS_SIGNALS: Final = os.name == "posix"
_KILL: Final = signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM


class ProcessTree(ABC):
    """A process that leads a session of its own. Its methods may be called from any thread.

    Whatever it started ends with it: unless it left the session on purpose, and but for Windows,
    where there are none.
    """

    def __init__(self, on_end: Callable[[str], object]) -> None:
        """`on_end` is told, in a thread, how it has ended (`how_it_ended`)."""
        self._on_end = on_end
        self._code: int | None = None
        self.ended = threading.Event()
        """Set when the process, and what it started, is gone."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process id."""

    @property
    @abstractmethod
    def stdin(self) -> IO[bytes]:
        """Its input; whoever uses the pipes closes them."""

    @property
    @abstractmethod
    def stdout(self) -> IO[bytes]:
        """Its output, if the one who started it takes it."""

    @property
    @abstractmethod
    def stderr(self) -> IO[bytes]:
        """Its other output, likewise."""

    @abstractmethod
    def _signal(self, number: int) -> None:
        """Send a signal to all of it; does nothing if it has ended."""

    def terminate(self) -> None:
        """Ask it to end with SIGTERM; does nothing where there are no signals."""
        if _HAS_SIGNALS:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now; returns at once, and does nothing if it has ended."""
        self._signal(_KILL)

    def how_it_ended(self) -> str:
        """The end of a sentence, once it has: `ended with exit code 3`, `was ended by SIGSEGV`."""
        return how_it_ended(self._code)

    def _is_gone(self, code: int | None) -> None:
        """Tell everyone; without a `code` nobody knows how it ended."""
        self._code = code
        self.ended.set()
        self._on_end(self.how_it_ended())


class StartProcess(Protocol):
    """Starts a process of Aura's own: what `python -m MODULE` does, whose `main` is its entry."""

    def __call__(
        self,
        module: str,
        *,
        takes_output: bool = True,
        on_end: Callable[[str], object] = str,
    ) -> ProcessTree:
        """Start it, with pipes for its input and both outputs, or else with the outputs of this
        process. Takes milliseconds, so call it in a thread. `on_end` is told, in another, how it
        has ended.

        On Linux it is given a lifeline, as the number of a descriptor: see `begin`.

        Raises:
            OSError: it cannot be started.
        """
        ...


def begin() -> Sequence[int]:
    """What a process that was started does first: it holds on to its lifeline, if it has one.

    Answers the other descriptors that it was given. Its code never sees these arguments.
    """
    given = [int(each) for each in sys.argv[1:]]
    del sys.argv[1:]
    if given:
        hold_on_to(given[0])
    return given[1:]


def hold_on_to(lifeline: int) -> None:
    """Let the kernel kill this process and all that it starts when the process at the other end of
    `lifeline` is gone, whatever any of them does; this one must lead its session. Linux only.
    """
    if sys.platform == "linux":
        os.set_inheritable(lifeline, False)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)  # type: ignore[attr-defined,unused-ignore]


def how_it_ended(code: int | None) -> str:
    """What the return code of a process says, as the end of a sentence; None: nobody knows."""
    if code is None:
        return "ended, and nobody saw how"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (killed from outside, or out of memory)" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def close(descriptors: Sequence[int]) -> None:
    """Close them all."""
    for descriptor in descriptors:
        os.close(descriptor)
