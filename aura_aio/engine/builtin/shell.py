"""The built-in action that runs programs, `shell.run`. It is made for a process of its own.

May import model.log, and of `engine` `context` and `failures`.
"""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from aura_aio.engine.context import ActionContext
from aura_aio.engine.failures import BadParameters
from aura_aio.model.log import LogLevel

MAX_BYTES: Final = 1024 * 1024
"""Bytes of each output that the result has; the run's log has all of it."""
PATIENCE_SEC: Final = 5.0
"""How long a program may take to end after SIGTERM."""

_DRAIN_SEC: Final = 1.0
_PART_BYTES: Final = 32_768
_MAX_LINE: Final = 32_768


class CommandFailed(Exception):
    """A program ended with another exit code than 0."""


async def run(  # noqa: PLR0913 - the words of the task language
    context: ActionContext,
    command: list[str] | str,
    *,
    cwd: str = ".",
    env: dict[str, str] | None = None,
    input: str = "",
    timeout_sec: float | None = None,
    check: bool = True,
    shell: bool = False,
) -> dict[str, Any]:
    """Run a program, and give its `exit_code` and what it wrote: `stdout` and `stderr`, 1 MiB of
    each at the most. All of it is in the run's log, line by line as it comes.

    `command` is the program and its arguments: a list, of which nothing is interpreted. With
    `shell: true` it is one text for the shell. It runs in `cwd`, relative to the plan's data
    folder, with the worker's environment and `env` over that, and reads `input`. With
    `check: false` every exit code is a result. It is ended, with what it started, when the step is
    cancelled, its time is over, or its worker ends: by SIGTERM, and 5 seconds later by SIGKILL.

    The action is off unless the server was started with `--allow-shell`.

    Raises:
        BadParameters: `command` is a text without `shell: true`, a list with it, or empty.
        FileNotFoundError: there is no such program.
        NotADirectoryError: there is no folder `cwd`.
        CommandFailed: the exit code is not 0.
        TimeoutError: it took longer than `timeout_sec`.
    """
    _check(command, shell)
    folder = context.data_dir / cwd
    os.environ.update(env or {})  # of this process, which makes this call and no other
    # Not in a thread: a cancel that came meanwhile would leave a program that nobody ends.
    process = _start(command, folder, cwd)
    out = _Output(context, _there(process.stdout), "stdout", LogLevel.INFO)
    err = _Output(context, _there(process.stderr), "stderr", LogLevel.WARNING)
    loop = asyncio.get_running_loop()
    feeding = loop.run_in_executor(None, _feed, _there(process.stdin), input)
    readings = [loop.run_in_executor(None, each.read) for each in (out, err)]
    exited = loop.run_in_executor(None, process.wait)
    try:
        async with asyncio.timeout(timeout_sec):
            await asyncio.wait((exited,))
    except TimeoutError as error:
        raise TimeoutError(f"The command took longer than {timeout_sec:g} s.") from error
    finally:
        if not exited.done():
            await _end(process, exited)
        # What it started may hold its pipes open for ever.
        await asyncio.wait((feeding, *readings), timeout=_DRAIN_SEC)
    if check and exited.result() != 0:
        raise CommandFailed(_how_it_failed(exited.result(), err.last or out.last))
    return {"exit_code": exited.result(), "stdout": out.text(), "stderr": err.text()}


class _Output:
    """One output of a program: logged by lines, and its beginning kept."""

    def __init__(
        self, context: ActionContext, stream: IO[bytes], name: str, level: LogLevel
    ) -> None:
        self._context = context
        self._stream = stream
        self._name = name
        self._level = level
        self._kept = bytearray()
        self._count = 0
        self.last = ""
        """Its last line."""

    def read(self) -> None:
        """Read it to its end; blocks."""
        rest = b""
        while part := os.read(self._stream.fileno(), _PART_BYTES):
            self._count += len(part)
            self._kept += part[: MAX_BYTES - len(self._kept)]
            *lines, rest = (rest + part).split(b"\n")
            if len(rest) > _MAX_LINE:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._log(line)
        if rest:
            self._log(rest)

    def text(self) -> str:
        """What was read; if that was too much, its beginning, and how much there was."""
        text = self._kept.decode(errors="replace")
        if self._count <= MAX_BYTES:
            return text
        return f"{text}… (cut: there were {self._count:,} bytes)"

    def _log(self, line: bytes) -> None:
        self.last = line.decode(errors="backslashreplace").rstrip("\r")
        self._context.write_line(self._level, self.last, logger=self._name)


def _check(command: list[str] | str, shell: bool) -> None:
    if not command or not command[0].strip():
        raise BadParameters("Action 'shell.run': the command is empty.")
    if shell != isinstance(command, str):
        raise BadParameters(
            "Action 'shell.run': with 'shell: true' the command is one text."
            if shell
            else "Action 'shell.run': the command is a list, the program and its arguments; for a "
            "text that the shell takes apart, say 'shell: true'."
        )


def _start(command: list[str] | str, folder: Path, cwd: str) -> "subprocess.Popen[bytes]":
    if not folder.is_dir():
        raise NotADirectoryError(f"There is no folder {cwd!r} to run the command in.")
    try:
        return subprocess.Popen(  # noqa: S603 - asked for, and allowed by the settings # nosec B602
            command,
            cwd=folder,
            shell=isinstance(command, str),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no program {command[0]!r}.") from None


def _feed(stream: IO[bytes], text: str) -> None:
    with suppress(BrokenPipeError), stream:  # it need not read what it is given
        stream.write(text.encode())


async def _end(process: "subprocess.Popen[bytes]", exited: "asyncio.Future[int]") -> None:
    """End a program that runs on. What it started and does not end by itself ends with this
    process.
    """
    _terminate(process)
    try:
        await asyncio.wait((exited,), timeout=PATIENCE_SEC)
    finally:
        process.kill()
    await asyncio.wait((exited,), timeout=PATIENCE_SEC)


def _terminate(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGTERM to the program and to what it started: to all of the session that this process
    leads, but for this process.
    """
    if sys.platform != "win32" and os.getsid(0) == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
    else:
        process.terminate()


def _how_it_failed(code: int, last: str) -> str:
    how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    return f"The command {how}: {last}" if last else f"The command {how}."


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the pipe that was asked for is missing")
    return pipe


ACTIONS: Final = {"shell.run": run}
