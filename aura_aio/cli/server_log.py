"""The log of `aura serve`: a line for each record, for people or as JSON, by a thread of its own.

May import `cli`, logs, the model and the standard library.
"""

import logging
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TextIO

from aura_aio.cli.log_lines import print_line
from aura_aio.cli.screen import Output
from aura_aio.cli.stray_lines import stray_lines_logged
from aura_aio.cli.text import log_time, safe_json
from aura_aio.logs.extras import extras_of
from aura_aio.logs.repetition import SaysOnceAMinute
from aura_aio.model import json
from aura_aio.model.access import without_secrets
from aura_aio.model.asking import NamesRequest
from aura_aio.model.clock import rfc3339
from aura_aio.model.errors import AuraError
from aura_aio.model.log import LogLevel

_log = logging.getLogger("aura.cli")

_MOST_WAITING: Final = 10_000
_STUCK_SEC: Final = 2.0
_LEAVE_SEC: Final = 10.0
_SHOWN: Final = (
    "level", "logger", "message", "cid", "plan_name", "task_name", "step", "attempt", "worker",
)  # fmt: skip


@contextmanager
def server_log(log_format: str, why: Callable[[Exception], str]) -> Iterator[None]:
    """Write what any logger has to say to the standard error output while the context is open.

    As `json`, whatever else is written there becomes a line of it, too; also why the server ends,
    if it does so with an error, for which `why` has a sentence.
    """
    if log_format != "json":
        with log_to(sys.stderr):
            yield
        return
    with stray_lines_logged() as stream, log_to(stream, as_json=True):
        try:
            yield
        except Exception as error:  # it would be told in lines that are no JSON
            unexpected = not isinstance(error, AuraError | OSError)
            _log.critical(
                why(error),
                extra={"action": "server_ends"},
                exc_info=error if unexpected else None,
            )
            raise SystemExit(1) from error


@contextmanager
def log_to(stream: TextIO, *, as_json: bool = False) -> Iterator[None]:
    """Write what any logger has to say to `stream` while the context is open.

    A terminal that takes nothing (Ctrl-S, a stuck pipe) never holds up the server: records wait,
    up to a bound, and are dropped and counted beyond it. What goes on being wrong is written once a
    minute. The end waits ten seconds for them, and
    two for a terminal that takes nothing at all.
    """
    handler = _WaitingHandler(_json_to(stream) if as_json else _text_to(stream))
    handler.addFilter(SaysOnceAMinute())
    if as_json:
        handler.addFilter(NamesRequest())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


class _WaitingHandler(logging.Handler):
    """Puts records into a bounded queue, from which a thread takes and prints them."""

    def __init__(self, write: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(_MOST_WAITING)
        self._dropped = 0
        # A daemon: it may hang in a write for good, and the process shall end all the same. It is
        # started with the first record: the fork server keeps the second core busy until then.
        self._writer = threading.Thread(
            target=self._write_all, args=(write,), name="server-log", daemon=True
        )
        self._is_writing = False

    def emit(self, record: logging.LogRecord) -> None:
        """Let `record` wait, or drop it. Called by one thread at a time."""
        if not self._is_writing:
            self._writer.start()
            self._is_writing = True
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
        if not self._is_writing:
            return
        try:
            if self._dropped:
                self._waiting.put(_dropped_record(self._dropped), timeout=_STUCK_SEC)
            self._waiting.put(None, timeout=_STUCK_SEC)
        except queue.Full:
            return  # nothing is taken any more
        end, before = time.monotonic() + _LEAVE_SEC, -1
        while before != (left := self._waiting.qsize()) and time.monotonic() < end:
            before = left
            self._writer.join(_STUCK_SEC)

    def _write_all(self, write: Callable[[logging.LogRecord], None]) -> None:
        while (record := self._waiting.get()) is not None:
            try:
                write(record)
            except Exception:  # a field of the record may raise what it likes when it is shown
                self.handleError(record)


def _text_to(stream: TextIO) -> Callable[[logging.LogRecord], None]:
    return partial(_print, Output(stream))


def _json_to(stream: TextIO) -> Callable[[logging.LogRecord], None]:
    from aura_aio.logs.handler import line_of  # noqa: PLC0415 - seldom needed

    def write(record: logging.LogRecord) -> None:
        line = line_of(record)
        values = {
            "timestamp": rfc3339(line.timestamp),
            **{name: getattr(line, name) for name in _SHOWN},
        }
        data = dict(line.data or {})
        values |= {name: data.pop(name, None) for name in ("request_id", "trace_id")}
        values["data"] = data or None
        text = json.dumps({name: value for name, value in values.items() if value is not None})
        stream.write(safe_json(text.decode()) + "\n")
        stream.flush()

    return write


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
    extras = extras_of(record)
    if record.exc_info and record.exc_info[1] is not None:
        extras["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
    return {
        key: without_secrets(each) if isinstance(each, str) else each
        for key, each in extras.items()
    }
