"""The entry of a guest: `python -m aura_aio.engine.isolation.guest`, a process that makes one call.

May import model, catalog, and of `engine` `builtin`, `capture`, `context`, `failures`, `masking`,
`parameters`, `results`, `state`, `frames` of `isolation`, and `processes`. Its standard input
brings the call, its standard output takes what comes of it; the action itself gets neither.
"""

import _thread
import atexit
import faulthandler
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from aura_aio.catalog.actions import LoadedAction, load_action
from aura_aio.engine.capture import captured_output, flush_output
from aura_aio.engine.context import ActionContext, current_call
from aura_aio.engine.failures import RunFailure, classes, run_error
from aura_aio.engine.isolation.frames import (
    CallFrame,
    EndFrame,
    Ending,
    FromGuest,
    LineFrame,
    ProgressFrame,
    RaisedFrame,
    RefusedFrame,
    ReturnedFrame,
    read_for_guest,
    write_frame,
)
from aura_aio.engine.masking import Mask
from aura_aio.engine.parameters import Binder
from aura_aio.engine.results import to_json
from aura_aio.engine.state import State
from aura_aio.model import json
from aura_aio.model.clock import SystemClock
from aura_aio.model.log import LogLine
from aura_aio.processes.tree import begin, close


class _Pipes:
    """The guest's ends of both pipes; implements `engine.journal.Reports`."""

    def __init__(self) -> None:
        """Take standard input and output away from everything else: who reads the one finds
        nothing, and what is written to the other goes where errors go.
        """
        self._from_worker = os.dup(0)
        self._to_worker = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._guard = threading.Lock()
        self._main_sends = False
        self._is_terminated = False

    def receive(self) -> CallFrame | EndFrame | None:
        """The next frame of the worker; None when it is gone."""
        return read_for_guest(self._from_worker)

    def log(self, line: LogLine) -> None:
        """Send a line; blocks while the worker takes none."""
        self.send(LineFrame(line))

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Report how far the run has come."""
        self.send(ProgressFrame(fraction, message))

    def send(self, frame: FromGuest) -> None:
        """Send a frame, whole even if the process is terminated meanwhile."""
        is_main = threading.current_thread() is threading.main_thread()
        self._main_sends = self._main_sends or is_main
        try:
            with self._guard:
                write_frame(self._to_worker, frame)
        finally:
            if is_main:
                self._main_sends = False
        if is_main and self._is_terminated:
            self._is_terminated = False
            sys.exit(128 + signal.SIGTERM)

    def terminate(self, number: int, _frame: FrameType | None) -> None:
        """Handle SIGTERM: break off what the main thread does, but not between two halves of a
        frame.
        """
        if self._main_sends:
            self._is_terminated = True
        else:
            sys.exit(128 + number)


class _Guest:
    """Makes one call."""

    def __init__(self, call: CallFrame, pipes: _Pipes) -> None:
        self._call = call
        self._pipes = pipes
        self._interrupt: Callable[[], object] = int
        self._context = ActionContext(
            call.run,
            step=call.step,
            action=call.action,
            journal=pipes,
            clock=SystemClock(),
            data_root=Path(call.data_root),
        )
        self._mask = Mask()
        self._mask.add(call.secrets)
        self._context.hide = self._mask.text
        below = State(hide=self._mask.text)
        below.take(call.state)
        self._context.state = State(below)

    def listen(self) -> None:
        """Follow the worker, in a thread: end the call when it says so, the process with it."""
        while isinstance(self._pipes.receive(), EndFrame):
            self._context.cancelled = True
            self._interrupt()
        _end_with_all()

    def make(self) -> None:
        """Make the call, and say what came of it."""
        current_call.set(self._context)
        try:
            ending = self._made()
        except BaseException as error:  # also SystemExit, and whatever else an action raises
            ending = self._raised(error)
        flush_output(self._context)
        self._pipes.send(ending)

    def _made(self) -> Ending:
        action = _find(self._call)
        if action.failure is not None:
            return RefusedFrame(action.failure)
        try:
            binder = Binder(action.name, action.function)
            arguments = binder.bind(json.loads(self._call.params), self._context)
            if inspect.iscoroutinefunction(action.function):
                result = self._awaited(action.function, arguments)
            else:
                if not binder.gives_context:  # it cannot be asked to end, so it is broken off
                    self._interrupt = _interrupt_main
                result = action.function(**arguments)
            most = self._call.run.allowed.max_result_bytes
            text = to_json(result, f"The result of step {self._call.step!r}", most)
        except RunFailure as failure:
            return RefusedFrame(run_error(failure, hide=self._mask.text))
        return ReturnedFrame(text, self._context.state.changes)

    def _awaited(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        import asyncio  # noqa: PLC0415 - half of what the process costs, if it needs none

        loop = asyncio.new_event_loop()
        task = loop.create_task(function(**arguments))
        self._interrupt = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._context.cancelled:
            task.cancel()
        try:
            return loop.run_until_complete(task)
        except SystemExit:  # it was terminated: let it clean up, as a function does
            task.cancel()
            return loop.run_until_complete(task)

    def _raised(self, error: BaseException) -> RaisedFrame:
        if isinstance(error, MemoryError):  # let go of what took it all, to have some for telling
            traceback.clear_frames(error.__traceback__)
        return RaisedFrame(run_error(error, hide=self._mask.text), classes(error))


def _find(call: CallFrame) -> LoadedAction:
    if call.spec is not None and call.plan_root is not None:
        return load_action(Path(call.plan_root), call.spec)
    from aura_aio.engine.builtin import builtin_actions  # noqa: PLC0415 - most guests need none

    return builtin_actions(allow_shell=True)[call.action]  # else nobody would have asked


def _interrupt_main() -> None:
    """Let the handler of SIGTERM run in the main thread, even while that waits for something."""
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _end_with_all() -> None:
    """End this process, and with it what it started."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Run a guest to its end."""
    pipes = _Pipes()
    faulthandler.enable()
    signal.signal(signal.SIGINT, lambda *_: None)  # SIG_IGN would be inherited by programs
    signal.signal(signal.SIGTERM, pipes.terminate)
    close(begin())
    call = pipes.receive()
    if not isinstance(call, CallFrame):
        return
    guest = _Guest(call, pipes)
    with captured_output():
        threading.Thread(target=guest.listen, name="worker-listener", daemon=True).start()
        guest.make()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that the action has left behind must not keep the process


if __name__ == "__main__":
    main()
