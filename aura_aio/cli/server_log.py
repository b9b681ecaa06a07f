"""The log of `aura serve` for people: a readable line per record, written by a thread of its own.

May import `cli`, the model and the standard library.
"""

import logging
import queue
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from aura_aio.cli.log_lines import print_line
from aura_aio.cli.screen import Output
from aura_aio.cli.text import log_time
from aura_aio.model.access import without_secrets
from aura_aio.model.log import LogLevel

_MOST_WAITING: Final = 10_000
_LEAVE_SEC: Final = 2.0
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def log_to(stream: TextIO) -> Iterator[None]:
    """Write what any logger has to say to `stream` while the context is open.

    A terminal that takes nothing (Ctrl-S, a stuck pipe) never holds up the server: records wait,
    up to a bound, and are dropped and counted beyond it; the end waits two seconds for them.
    """
    handler = _WaitingHandler(stream)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


class _WaitingHandler(logging.Handler):
    """Puts records into a bounded queue, from which a thread takes and prints them."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(_MOST_WAITING)
        self._dropped = 0
        # A daemon: it may hang in a write for good, and the process shall end all the same.
        self._writer = threading.Thread(
            target=self._write_all, args=(Output(stream),), name="server-log", daemon=True
        )
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Let `record` wait, or drop it."""
        try:
            if self._dropped:
                self._waiting.put_nowait(_dropped_record(self._dropped))
                self._dropped = 0
            self._waiting.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Print what waits, within the limit."""
        super().close()
        try:
            if self._dropped:
                self._waiting.put(_dropped_record(self._dropped), timeout=_LEAVE_SEC)
            self._waiting.put(None, timeout=_LEAVE_SEC)
        except queue.Full:
            return  # nothing is taken any more
        self._writer.join(_LEAVE_SEC)

    def _write_all(self, output: Output) -> None:
        while (record := self._waiting.get()) is not None:
            try:
                _print(output, record)
            except Exception:  # a field of the record may raise what it likes when it is shown
                self.handleError(record)


def _print(output: Output, record: logging.LogRecord) -> None:
    then = datetime.fromtimestamp(record.created, UTC).astimezone()
    level = LogLevel.from_number(record.levelno)
    today = then if output.console is not None else None
    head = (log_time(then, today), level.value, record.name)
    print_line(output, head, without_secrets(record.getMessage()), _data(record))


def _dropped_record(count: int) -> logging.LogRecord:
    values = {"name": "aura.cli", "levelno": logging.WARNING, "msg": "records were not written"}
    return logging.makeLogRecord({**values, "action": "log_dropped", "count": count})


def _data(record: logging.LogRecord) -> dict[str, Any]:
    extras = {key: each for key, each in vars(record).items() if key not in _STANDARD}
    if record.exc_info and record.exc_info[1] is not None:
        extras["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
    return {
        key: without_secrets(each) if isinstance(each, str) else each
        for key, each in extras.items()
    }
