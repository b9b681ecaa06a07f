"""A process that begins as a new interpreter: works everywhere, for a fifth of a second of a core.

May import the standard library, and `tree`.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from aura_aio.processes.tree import ProcessTree, close


class SpawnedProcess(ProcessTree):
    """Implements `StartProcess`, as a class: making one is starting it."""

    def __init__(
        self,
        module: str,
        *,
        takes_output: bool = True,
        on_end: Callable[[str], object] = str,
    ) -> None:
        super().__init__(on_end)
        ends = os.pipe() if sys.platform == "linux" else ()
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and what is started is ours
                [sys.executable, "-m", module, *map(str, ends[:1])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if takes_output else None,
                stderr=subprocess.PIPE if takes_output else None,
                bufsize=0,
                start_new_session=os.name == "posix",
                pass_fds=ends[:1],
                creationflags=flags,
            )
        except OSError:
            close(ends)
            raise
        close(ends[:1])
        self._our_end = ends[1:]
        self._guard = threading.Lock()
        threading.Thread(target=self._reap, name="reaper", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        return _there(self._process.stdin)

    @property
    def stdout(self) -> IO[bytes]:
        return _there(self._process.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        return _there(self._process.stderr)

    def _reap(self) -> None:
        if sys.platform != "win32" and hasattr(os, "waitid"):
            # Until it is reaped nobody else is given its number, which is that of its group too.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self._signal(signal.SIGKILL)
            with self._guard:
                self._process.wait()
        else:
            self._process.wait()
        close(self._our_end)
        self._is_gone(self._process.returncode)

    def _signal(self, number: int) -> None:
        with self._guard, suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.send_signal(number)
            elif self._process.returncode is None:
                os.killpg(self.pid, number)


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the pipe that was asked for is missing")
    return pipe
