"""Catches what actions print and what they log with `logging`, and sends it to their run's log.

May import model and `engine.context`. Which call speaks is known from `current_call`: a context
variable, which threads and coroutine tasks that Aura starts inherit.
"""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, TextIO

from aura_aio.engine.context import ActionContext, current_call
from aura_aio.model.log import LogLevel

MAX_PARTIAL: Final = 8192
"""Characters that are held back for the end of their line."""


@contextmanager
def captured_output() -> Iterator[None]:
    """While open, `sys.stdout`, `sys.stderr` and the root logger of the process also serve actions.

    What anything else prints or logs goes where it went before. The root logger lets lines from
    `info` on pass.
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
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        sys.stdout, sys.stderr = stdout, stderr


def flush_output(call: ActionContext) -> None:
    """Write what the call has printed without the end of a line; for when it is over."""
    while call.partial_lines:
        stream, text = call.partial_lines.popitem()
        level = LogLevel.INFO if stream == "stdout" else LogLevel.WARNING
        call.write_line(level, text, logger=stream)


class _Stream(io.TextIOBase):
    """A standard stream: lines that a call prints go to its run's log, all else passes."""

    def __init__(self, passing: TextIO, name: str, level: LogLevel) -> None:
        self._passing = passing
        self._name = name
        self._level = level
        self._guard = threading.Lock()

    def write(self, text: str) -> int:
        call = current_call.get()
        if call is None:
            return self._passing.write(text)
        for line in self._whole_lines(call, text):
            call.write_line(self._level, line, logger=self._name)
        return len(text)

    def _whole_lines(self, call: ActionContext, text: str) -> list[str]:
        with self._guard:  # two threads of one call may print
            *lines, rest = (call.partial_lines.pop(self._name, "") + text).split("\n")
            if len(rest) > MAX_PARTIAL:
                lines.append(rest)
                rest = ""
            if rest:
                call.partial_lines[self._name] = rest
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

    @property
    def buffer(self) -> BinaryIO:
        """The bytes beneath: what is written there belongs to no run."""
        return self._passing.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._passing.encoding


class _RunLogHandler(logging.Handler):
    """Sends a log record to the log of the run that it was made for; no run, no line."""

    def emit(self, record: logging.LogRecord) -> None:
        call = current_call.get()
        if call is None:
            return
        try:
            message = record.getMessage()
            if record.exc_info:
                formatter = self.formatter or logging.Formatter()
                message = f"{message}\n{formatter.formatException(record.exc_info)}"
            call.write_line(LogLevel.from_number(record.levelno), message, logger=record.name)
        except Exception:  # as every handler of `logging` does: a bad record is reported
            self.handleError(record)
