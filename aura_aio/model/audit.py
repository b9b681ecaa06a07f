"""The audit trail: who asked for which change, what came of it, and the port that keeps it.

May import the standard library, msgspec and other modules of `model` only.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from aura_aio.model.ports import Page

LOCAL: Final = "local"
"""Who asks without a token, of a server that is open or on its own machine."""


class AuditOutcome(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"
    """It was not possible, or not for who asked; nothing has changed."""
    FAILED = "failed"
    """The server failed; something may have changed."""


class Note:
    """What is known of a request for a change while it is answered, for the audit trail.

    `by_token` is the id of the token of who asks, `by_name` its name or `LOCAL`; `remote` is where
    from. What it is about is added as it becomes known. `written`: a transaction has kept it.
    `over`: the request is answered; what still has it as its context (callbacks of a socket that
    was opened meanwhile) goes on by itself.
    """

    __slots__ = (
        "by_name", "by_token", "cid", "operation", "over", "plan_name", "remote", "request_id",
        "schedule_id", "task_name", "token_id", "written",
    )  # fmt: skip

    def __init__(
        self,
        operation: str,
        *,
        by_token: str | None = None,
        by_name: str = LOCAL,
        remote: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.operation = operation
        self.by_token = by_token
        self.by_name = by_name
        self.remote = remote
        self.request_id = request_id
        self.cid: str | None = None
        self.plan_name: str | None = None
        self.task_name: str | None = None
        self.schedule_id: str | None = None
        self.token_id: str | None = None
        self.written = False
        self.over = False


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the trail; `number` grows with each, `at` is in seconds since the epoch.

    `reason` is the code of the error, of what was not done. `run_count` is the number of runs that
    were changed, and `cid` the run in the address or the only one that was changed. `token_id` is
    the token that was made or revoked.
    """

    number: int
    at: float
    operation: str
    outcome: AuditOutcome
    reason: str | None = None
    by_token: str | None = None
    by_name: str = LOCAL
    remote: str | None = None
    request_id: str | None = None
    cid: str | None = None
    run_count: int = 0
    plan_name: str | None = None
    task_name: str | None = None
    schedule_id: str | None = None
    token_id: str | None = None


class AuditFilter(msgspec.Struct, frozen=True):
    """Which events a list holds: every condition that is set must hold. `cid` is any run that was
    changed, `by_name` who asked; `after` is in, `before` is out.
    """

    operation: str | None = None
    outcome: AuditOutcome | None = None
    by_name: str | None = None
    cid: str | None = None
    plan_name: str | None = None
    after: float | None = None
    before: float | None = None


class AuditStore(Protocol):
    """The audit trail. A change that is made while `noting` is kept with its event, in the same
    transaction, whichever port makes it; so there is no method for that.
    """

    async def append(self, note: Note, outcome: AuditOutcome, reason: str | None = None) -> None:
        """Keep an event of what has changed nothing in the store.

        Raises:
            StoreUnavailable: it could not be made durable.
        """
        ...

    async def list_events(
        self, where: AuditFilter, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        """Events, the newest first.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        ...


_current: Final[ContextVar[Note | None]] = ContextVar("current_note", default=None)


class noting:  # noqa: N801 - reads as what it is: `with noting(note)`
    """While open, what the store is asked to change by this coroutine is because of the request
    that `note` is of. (No generator: this is on the way of every request for a change.)
    """

    __slots__ = ("_note", "_token")

    def __init__(self, note: Note) -> None:
        self._note = note

    def __enter__(self) -> None:
        self._token = _current.set(self._note)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
        self._note.over = True


def current_note() -> Note | None:
    """The note of the request that is answered; None outside of one that asks for a change."""
    note = _current.get()
    return None if note is None or note.over else note


def who() -> str | None:
    """The name of who asks for the change; None if nobody does."""
    note = current_note()
    return None if note is None else note.by_name


def forget() -> None:
    """What goes on from here goes on by itself, and no longer because of a request."""
    _current.set(None)


def cids_of(changed: Sequence[str], note: Note) -> tuple[str | None, tuple[str, ...]]:
    """The run that an event is about, if it is one, and the others that were changed with it."""
    if note.cid is not None:
        return note.cid, tuple(cid for cid in changed if cid != note.cid)
    return (changed[0], ()) if len(changed) == 1 else (None, tuple(changed))
