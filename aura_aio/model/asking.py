"""The request that the running code answers, as far as the log wants to know it.

May import the standard library only.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final


class _Asking:
    """One request; `over` once it is answered: what has it as its context then is on its own."""

    __slots__ = ("over", "request_id", "trace_id")

    def __init__(self, request_id: str, trace_id: str | None) -> None:
        self.request_id = request_id
        self.trace_id = trace_id
        self.over = False


_current: Final[ContextVar[_Asking | None]] = ContextVar("current_request", default=None)


@contextmanager
def answering(request_id: str, trace_id: str | None) -> Iterator[None]:
    """What is logged meanwhile, by this coroutine and the threads that it waits for, is logged
    because of this request.
    """
    asking = _Asking(request_id, trace_id)
    token = _current.set(asking)
    try:
        yield
    finally:
        _current.reset(token)
        asking.over = True


def forget_request() -> None:
    """What goes on from here goes on by itself, and no longer because of a request."""
    _current.set(None)


class NamesRequest(logging.Filter):
    """Gives records that are made while a request is answered its `request_id` and `trace_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete the record; it always passes."""
        asking = _current.get()
        if asking is not None and not asking.over:
            record.__dict__.setdefault("request_id", asking.request_id)
            if asking.trace_id is not None:
                record.__dict__.setdefault("trace_id", asking.trace_id)
        return True
