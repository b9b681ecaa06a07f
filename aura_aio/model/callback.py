"""Callbacks: what a client is told of the end of its run, and how that went.

May import the standard library, msgspec and other modules of `model` only.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from aura_aio.model.errors import AuraError


class CallbackRefused(AuraError):
    """The server does not call this address (a 400). `faults` as `RequestInvalid`."""

    code = "callback-refused"

    def __init__(self, fault: str) -> None:
        super().__init__(f"This server would not call the callback_url: {fault}")
        self.faults = (("/callback_url", fault),)


class CallbackStatus(StrEnum):
    """How a callback stands."""

    WAITING = "waiting"
    """Its run has not ended."""
    PENDING = "pending"
    """It is tried until it is delivered, or given up."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was given up."""


class DueCallback(msgspec.Struct, frozen=True):
    """A callback that is to be tried at `due_at` (seconds since the epoch) for the next time, after
    `tries` that have failed.
    """

    cid: str
    url: str
    due_at: float
    tries: int


class CallbackTry(msgspec.Struct, frozen=True):
    """One try to deliver a callback: `number` counts from 1, times are seconds since the epoch.

    `status_code` is what the receiver answered, if it did. `error` is a sentence, None if it was
    delivered. `next_at` is when it is tried again; None: never.
    """

    cid: str
    number: int
    started_at: float
    duration_sec: float
    status_code: int | None = None
    error: str | None = None
    next_at: float | None = None

    @property
    def status(self) -> CallbackStatus:
        """How the callback stands after it."""
        if self.error is None:
            return CallbackStatus.DELIVERED
        return CallbackStatus.FAILED if self.next_at is None else CallbackStatus.PENDING


class Callback(msgspec.Struct, frozen=True):
    """The callback of a run, with its tries, the oldest first."""

    url: str
    status: CallbackStatus
    next_at: float | None = None
    tries: tuple[CallbackTry, ...] = ()


class CallbackStore(Protocol):
    """The callbacks that are due. One becomes so in the transaction in which its run ends."""

    async def upcoming(self, limit: int) -> Sequence[DueCallback]:
        """Those that are to be tried next, the first due first, also when that is still to come."""
        ...

    async def record(self, tried: CallbackTry) -> None:
        """Keep how a try went, and what follows from it, in one transaction.

        Raises:
            StoreUnavailable: it could not be made durable.
        """
        ...

    async def of_run(self, cid: str) -> Callback | None:
        """The callback of a run; None if it has none.

        Raises:
            RunNotFound: no such run.
        """
        ...
