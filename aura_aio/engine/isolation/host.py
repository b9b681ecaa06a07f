"""The worker's end of a guest: starts it, hands on what it says, ends it.

May import msgspec, `processes`, model.log, and of `engine` `context`, `journal` and the rest of
`isolation` but the guest's end.
"""

import os
import threading
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from aura_aio.engine.context import ActionContext
from aura_aio.engine.isolation.frames import (
    CallFrame,
    EndFrame,
    Ending,
    LineFrame,
    ProgressFrame,
    read_for_worker,
    write_frame,
)
from aura_aio.engine.journal import Reports
from aura_aio.model.log import LogLevel
from aura_aio.processes.tree import ProcessTree, StartProcess

LAST_SEC: Final = 2.0
"""How long a guest may take to end when it has said how its call ended."""

_MODULE: Final = "aura_aio.engine.isolation.guest"
_MAX_PARTIAL: Final = 8192


class Died(NamedTuple):
    """A guest ended without a word; `how` is the end of a sentence."""

    how: str


class Guest:
    """A process for one call of an action.

    `run` is for a thread that outlives it; the other methods return at once but for `tell`, and may
    be called from anywhere, also before `run` and after it.
    """

    def __init__(
        self, call: CallFrame, context: ActionContext, reports: Reports, start: StartProcess
    ) -> None:
        """What the guest logs and reports goes to `reports`; what programs that it starts print,
        and what it prints itself while it crashes, is logged through `context`. Its process is made
        by `start`.
        """
        self._start = start
        self._call = call
        self._context = context
        self._reports = reports
        self._tree: ProcessTree | None = None
        self._writing = threading.Lock()
        self._has_called = False
        self._is_told = False
        self._killed = threading.Event()
        self._fault: str | None = None

    def run(self) -> Ending | Died:
        """Start the process, let it make the call, and answer how that ended; when this returns,
        the process is gone, and so is what it started.

        Raises:
            OSError: it could not be started.
        """
        if self._killed.is_set():
            return Died("was not started any more")
        tree = self._tree = self._start(_MODULE)
        if self._killed.is_set():
            tree.kill()
        output = threading.Thread(target=self._hand_on_output, args=(tree,), daemon=True)
        output.start()
        try:
            self._begin(tree)
            ending = self._listen(tree)
            if not tree.ended.wait(LAST_SEC):
                self._fault = self._fault or "did not end, and was killed"
                tree.kill()
                tree.ended.wait()
            output.join(LAST_SEC)  # for ever, if something that left the session holds the pipe
        finally:
            tree.kill()
            with self._writing:
                tree.stdin.close()
            tree.stdout.close()
        return ending or Died(self._fault or tree.how_it_ended())

    def tell(self) -> None:
        """Let the call know that it should end. Blocks while the process takes in its call."""
        with self._writing:
            self._is_told = True
            if self._has_called:
                self._write_end()

    def terminate(self) -> None:
        """Send SIGTERM: what the call does is broken off, and may clean up."""
        if self._tree is not None:
            self._tree.terminate()

    def kill(self) -> None:
        """End the process now, with all that it started."""
        self._killed.set()
        if self._tree is not None:
            self._tree.kill()

    def _begin(self, tree: ProcessTree) -> None:
        with self._writing:
            with suppress(OSError):  # it is gone already; its output has ended, which is seen next
                write_frame(tree.stdin.fileno(), self._call)
            self._has_called = True
            if self._is_told:
                self._write_end()

    def _write_end(self) -> None:
        if self._tree is not None and not self._tree.stdin.closed:
            with suppress(OSError):
                write_frame(self._tree.stdin.fileno(), EndFrame())

    def _listen(self, tree: ProcessTree) -> Ending | None:
        """Hand on what the guest says until it says how its call ended, or nothing any more."""
        try:
            while (frame := read_for_worker(tree.stdout.fileno())) is not None:
                match frame:
                    case LineFrame():
                        self._reports.log(frame.line)
                    case ProgressFrame():
                        cid = self._context.cid
                        self._reports.progress(cid, frame.fraction, frame.message)
                    case _:
                        return frame
        except msgspec.DecodeError:
            self._fault = "said what cannot be understood, and was killed"
            tree.kill()
        return None

    def _hand_on_output(self, tree: ProcessTree) -> None:
        """Log what the process and those that it started write to their standard outputs."""
        rest = b""
        with tree.stderr as pipe:
            while part := os.read(pipe.fileno(), 65_536):
                *lines, rest = (rest + part).split(b"\n")
                if len(rest) > _MAX_PARTIAL:
                    lines.append(rest)
                    rest = b""
                for line in lines:
                    self._log_output(line)
        if rest:
            self._log_output(rest)

    def _log_output(self, line: bytes) -> None:
        text = line.decode(errors="backslashreplace").rstrip("\r")
        self._context.write_line(LogLevel.INFO, text, logger="output")
