"""The log of `aura serve` on stderr: one readable line per record, written by a thread of its own.

May import `cli`, the model and the standard library.
"""

import logging
import queue
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Final

from aura_aio.cli.log_lines import print_line
from aura_aio.cli.screen import Output
from aura_aio.cli.text import log_time
from aura_aio.model.log import LogLevel

_MOST_WAITING: Final = 10_000
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Write what any logger has to say to stderr while the context is open.

    A terminal that takes nothing (Ctrl-S, a stuck pipe) never holds up the server: records wait,
    up to a bound, and are dropped and counted beyond it.
    """
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(_MOST_WAITING)
    listener = QueueListener(waiting, StderrHandler())
    handler = _BoundedHandler(waiting)
    root = logging.getLogger()
    root.addHandler(handler)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        listener.stop()


class StderrHandler(logging.Handler):
    """Prints a record: time, level, logger, message and what stands in `extra`."""

    def __init__(self) -> None:
        super().__init__()
        self._output = Output(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        """Print `record`."""
        try:
            then = datetime.fromtimestamp(record.created, UTC).astimezone()
            level = LogLevel.from_number(record.levelno)
            today = then if self._output.console is not None else None
            head = (log_time(then, today), level.value, record.name)
            print_line(self._output, head, record.getMessage(), _data(record))
        except OSError:
            self.handleError(record)


class _BoundedHandler(QueueHandler):
    """Puts records into a bounded queue, as they are: the listener lives in the same process."""

    def __init__(self, waiting: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(waiting)
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            if self._dropped:
                self.queue.put_nowait(_dropped_record(self._dropped))
                self._dropped = 0
            self.queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1


def _dropped_record(count: int) -> logging.LogRecord:
    values = {"name": "aura.cli", "levelno": logging.WARNING, "msg": "records were not written"}
    return logging.makeLogRecord({**values, "action": "log_dropped", "count": count})


def _data(record: logging.LogRecord) -> dict[str, Any]:
    extras = {key: each for key, each in vars(record).items() if key not in _STANDARD}
    if record.exc_info and record.exc_info[1] is not None:
        extras["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
    return extras
