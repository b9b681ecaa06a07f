"""Catches what actions print, log with `logging` and warn of, and sends it to their run's log.

May import model, `catalog.plan_modules`, and of `engine` `context` and `threads`. Which call speaks
is known from `current_call`: a context variable, which coroutine tasks inherit, and threads too.
"""

import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, cast

from aura_aio.catalog.plan_modules import PACKAGE_PREFIX
from aura_aio.engine.context import ActionContext, current_call
from aura_aio.engine.threads import speaking_threads
from aura_aio.model.log import LogLevel

MAX_PARTIAL: Final = 8192
"""Characters that are held back for the end of their line."""


@contextmanager
def captured_output() -> Iterator[None]:
    """While open, `sys.stdout`, `sys.stderr`, the root logger and the warnings of the process also
    serve actions.

    What anything else prints or logs goes where it went before. The root logger lets lines from
    `info` on pass (a plan's own loggers all: see `load_actions`). A plan is warned each time, not
    once for each place as is usual: the next run is somebody else's.
    """
    stdout, stderr = sys.stdout, sys.stderr
    root = logging.getLogger()
    level = root.level
    handler = _RunLogHandler()
    sys.stdout = _Stream(stdout, "stdout", LogLevel.INFO)
    sys.stderr = _Stream(stderr, "stderr", LogLevel.WARNING)
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        with warnings.catch_warnings(), speaking_threads(_flush_thread):
            warnings.filterwarnings("always", module=PACKAGE_PREFIX)
            warnings.showwarning = _warning_shown(warnings.showwarning)
            yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        sys.stdout, sys.stderr = stdout, stderr


def flush_output(call: ActionContext) -> None:
    """Write what the call has printed without the end of a line; for when it is over."""
    for key in tuple(call.partial_lines):
        _flush(call, key)


def _flush_thread(call: ActionContext) -> None:
    for stream in ("stdout", "stderr"):
        _flush(call, (stream, threading.get_ident()))


def _flush(call: ActionContext, key: tuple[str, int]) -> None:
    text = call.partial_lines.pop(key, "")
    if text:
        level = LogLevel.INFO if key[0] == "stdout" else LogLevel.WARNING
        call.write_line(level, _mended(text), logger=key[0])


def _mended(text: str) -> str:
    """`text` with the characters whose bytes were written one by one."""
    if text.isascii():
        return text
    try:
        return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:  # half a pair that does not stand for a byte
        return text


def _warning_shown(passing: Callable[..., None]) -> Callable[..., None]:
    """A `warnings.showwarning` for calls; `passing` shows what anything else warns of."""

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: Any
    ) -> None:
        call = current_call.get()
        if call is None:
            passing(message, category, filename, lineno, *rest)
        else:
            text = f"{category.__name__}: {message} ({Path(filename).name}:{lineno})"
            call.write_line(LogLevel.WARNING, text, logger="warnings")

    return show


class _Stream(io.TextIOBase):
    """A standard stream: lines that a call prints go to its run's log, all else passes."""

    def __init__(self, passing: TextIO, name: str, level: LogLevel) -> None:
        self._passing = passing
        self._name = name
        self._level = level
        self._bytes = _Bytes(self)

    def write(self, text: str) -> int:
        call = current_call.get()
        if call is None:
            return self._passing.write(text)
        for line in self._whole_lines(call, text):
            call.write_line(self._level, _mended(line), logger=self._name)
        return len(text)

    def write_bytes(self, data: bytes) -> int:
        """Write text that is UTF-8 already; what is not is shown as escapes."""
        self.write(data.decode(errors="surrogateescape"))
        return len(data)

    def _whole_lines(self, call: ActionContext, text: str) -> list[str]:
        key = (self._name, threading.get_ident())
        *lines, rest = (call.partial_lines.pop(key, "") + text).split("\n")
        if len(rest) > MAX_PARTIAL:
            lines.append(rest)
            rest = ""
        if rest:
            call.partial_lines[key] = rest
        return lines

    def flush(self) -> None:
        if current_call.get() is None:
            self._passing.flush()

    def fileno(self) -> int:
        return self._passing.fileno()

    def isatty(self) -> bool:
        return current_call.get() is None and self._passing.isatty()

    def writable(self) -> bool:
        return True

    def reconfigure(self, **_changes: Any) -> None:
        """Change nothing: the stream is not the caller's alone."""

    @property
    def buffer(self) -> BinaryIO:
        """Where bytes are written."""
        return self._passing.buffer if current_call.get() is None else cast(BinaryIO, self._bytes)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._passing.encoding if current_call.get() is None else "utf-8"


class _Bytes(io.BufferedIOBase):
    """The bytes beneath a stream, for a call."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        return self._stream.write_bytes(bytes(data))

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True


class _RunLogHandler(logging.Handler):
    """Sends a log record to the log of the run that it was made for; no run, no line."""

    def emit(self, record: logging.LogRecord) -> None:
        call = current_call.get()
        if call is None:
            return
        try:
            message = record.getMessage()
            if record.exc_info or record.stack_info:
                message += self._traces(record)
            call.write_line(LogLevel.from_number(record.levelno), message, logger=record.name)
        except Exception:  # as every handler of `logging` does: a bad record is reported
            self.handleError(record)

    def _traces(self, record: logging.LogRecord) -> str:
        formatter, told = self.formatter or logging.Formatter(), ""
        if record.exc_info:
            told += f"\n{formatter.formatException(record.exc_info)}"
        if record.stack_info:
            told += f"\n{formatter.formatStack(record.stack_info)}"
        return told
