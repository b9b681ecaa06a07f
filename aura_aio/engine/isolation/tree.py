"""A process that can be ended together with everything that it started.

May import the standard library only.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Final

if sys.platform == "linux":
    import fcntl

_HAS_SESSIONS: Final = os.name == "posix"


class ProcessTree:
    """A process that leads a session of its own. Its methods may be called from any thread.

    Whatever it started ends with it: unless it left the session on purpose, and but for Windows,
    where there are none.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        takes_output: bool = True,
        on_end: Callable[[str], object] = str,
    ) -> None:
        """Start it, with pipes for its input and both outputs, or else with the outputs of this
        process. Takes milliseconds, so call it in a thread. `on_end` is told, in another, how it
        has ended (`how_it_ended`).

        On Linux it is given the number of one more descriptor as its last argument: the lifeline
        that it may `hold_on_to`.

        Raises:
            OSError: it cannot be started.
        """
        ends = os.pipe() if sys.platform == "linux" else ()
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and what is started is ours
                [*command, *map(str, ends[:1])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if takes_output else None,
                stderr=subprocess.PIPE if takes_output else None,
                bufsize=0,
                start_new_session=_HAS_SESSIONS,
                pass_fds=ends[:1],
                creationflags=flags,
            )
        except OSError:
            _close(ends)
            raise
        _close(ends[:1])
        self._our_end = ends[1:]
        self._on_end = on_end
        self.pid = self._process.pid
        self.ended = threading.Event()
        """Set when the process, and what it started, is gone."""
        self._guard = threading.Lock()
        threading.Thread(target=self._reap, name="reaper", daemon=True).start()

    @property
    def stdin(self) -> IO[bytes]:
        """Its input; whoever uses the pipes closes them."""
        return _there(self._process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        """Its output."""
        return _there(self._process.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        """Its other output."""
        return _there(self._process.stderr)

    def terminate(self) -> None:
        """Ask it to end with SIGTERM; does nothing where there are no signals."""
        if _HAS_SESSIONS:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now; returns at once, and does nothing if it has ended."""
        if _HAS_SESSIONS:
            self._signal(signal.SIGKILL)
        else:
            self._process.kill()

    def how_it_ended(self) -> str:
        """The end of a sentence, once it has: `ended with exit code 3`, `was ended by SIGSEGV`."""
        return how_it_ended(self._process.returncode)

    def _reap(self) -> None:
        if sys.platform != "win32" and hasattr(os, "waitid"):
            # Until it is reaped nobody else is given its number, which is that of its group too.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self._signal(signal.SIGKILL)
            with self._guard:
                self._process.wait()
        else:
            self._process.wait()
        _close(self._our_end)
        self.ended.set()
        self._on_end(self.how_it_ended())

    def _signal(self, number: int) -> None:
        with self._guard, suppress(ProcessLookupError, PermissionError):
            if self._process.returncode is None:
                os.killpg(self.pid, number)


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


def how_it_ended(code: int) -> str:
    """What the return code of a process says, as the end of a sentence."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (killed from outside, or out of memory)" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the pipe that was asked for is missing")
    return pipe
