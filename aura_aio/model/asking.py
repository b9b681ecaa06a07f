"""The request that the running code answers, as far as the log wants to know it.

May import the standard library only.
"""

import logging
from contextvars import ContextVar
from typing import Final


class answering:  # noqa: N801 - reads as what it is: `with answering(…)`
    """While open, what is logged by this coroutine and the threads that it waits for is logged
    because of this request. (No generator: this is on the way of every request.)
    """

    __slots__ = ("_token", "over", "request_id", "trace_id")

    def __init__(self, request_id: str, trace_id: str | None) -> None:
        self.request_id = request_id
        self.trace_id = trace_id
        self.over = False
        """It is answered: what has it as its context still is on its own."""

    def __enter__(self) -> None:
        self._token = _current.set(self)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
        self.over = True


_current: Final[ContextVar[answering | None]] = ContextVar("current_request", default=None)


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
