"""The server's own records on their way into the log stream.

May import `model` and `logs` only.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

from aura_aio.logs.extras import extras_of
from aura_aio.logs.hub import LogHub, in_listener
from aura_aio.logs.payload import plain
from aura_aio.logs.repetition import SaysOnceAMinute
from aura_aio.model.access import without_secrets
from aura_aio.model.asking import NamesRequest
from aura_aio.model.log import LogLevel, LogLine

_TEXTS = ("cid", "plan_name", "task_name", "step", "worker")
_TREES = (("aura", logging.NOTSET), ("aiohttp", logging.WARNING))


class LogHubHandler(logging.Handler):
    """Turns records of the logger tree `aura`, and warnings of `aiohttp`, into lines of the log.

    From any thread; never waits: when the log queue is full the record is refused and counted.
    `extra` fields that a line has a place for go there, the others (`action` …) into its `data`.
    What the log listener and the store log while they handle lines does not come back to them.
    Access tokens do not get into the log, whatever part of a record they stand in.
    """

    def __init__(self, hub: LogHub) -> None:
        """Made on the event loop that the hub lives on."""
        super().__init__()
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self.addFilter(SaysOnceAMinute())
        self.addFilter(NamesRequest())

    def attach(self) -> None:
        """Begin to listen to the loggers."""
        for name, _ in _TREES:
            logging.getLogger(name).addHandler(self)

    def detach(self) -> None:
        """Listen no more. Idempotent."""
        for name, _ in _TREES:
            logging.getLogger(name).removeHandler(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record belongs into the log stream; if so, the request is named in it."""
        if in_listener.get():
            return False
        # The store's writer is a thread, which the context variable does not reach.
        if _is_below(record.name, "aura.store") and record.levelno < logging.WARNING:
            return False
        is_ours = any(
            _is_below(record.name, tree) and record.levelno >= level for tree, level in _TREES
        )
        return is_ours and bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Put the record into the log queue."""
        try:
            line = line_of(record)
            self._on_the_loop(lambda: self._hub.put_nowait(line))
        except Exception:  # as logging's own handlers: a record never breaks its author
            self.handleError(record)

    def _on_the_loop(self, call: Callable[[], object]) -> None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            call()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)


def line_of(record: logging.LogRecord) -> LogLine:
    """The record as a line of the log, without access tokens, whatever part of it they stand in."""
    extras = extras_of(record)
    places: dict[str, Any] = {
        key: extras.pop(key) for key in _TEXTS if isinstance(extras.get(key), str)
    }
    if isinstance(extras.get("attempt"), int):
        places["attempt"] = extras.pop("attempt")
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        extras["error"] = "".join(traceback.format_exception_only(error)).strip()
        extras["traceback"] = "".join(traceback.format_exception(error))
    extras = {
        key: without_secrets(each) if isinstance(each, str) else each
        for key, each in extras.items()
    }
    return LogLine(
        timestamp=record.created,
        level=LogLevel.from_number(record.levelno),
        logger=record.name,
        message=without_secrets(record.getMessage()),
        data=plain(extras) if extras else None,
        **places,
    )


def _is_below(name: str, tree: str) -> bool:
    return name == tree or name.startswith(tree + ".")
