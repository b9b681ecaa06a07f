"""The states of a run and the one pure function that changes them.

May import the standard library and `model.errors` only.
"""

from enum import Enum, StrEnum
from typing import Final

from aura_aio.model.errors import IllegalTransition


class RunState(StrEnum):
    """Where a run stands; the value is the spelling on the wire and on the disk."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class RunEvent(StrEnum):
    """What can happen to a run."""

    CLAIM = "claim"
    """A dispatcher takes the run out of the queue for a worker."""
    SUCCEED = "succeed"
    FAIL = "fail"
    TIME_OUT = "time_out"
    STOPPED = "stopped"
    """The worker ended the attempt early: after a cancel, or because it had to."""
    CANCEL = "cancel"
    """Somebody asked for the end of the run."""
    LOST_FOR_GOOD = "lost_for_good"
    """The worker is gone and `on_crash: fail` (or too many attempts) forbids another attempt."""
    LOST = "lost"
    """The worker is gone, or hands the run over; `on_crash: resume|restart` allows another
    attempt.
    """


class Stale(Enum):
    """The answer of `advance` to a message that comes too late to count: drop it and count it."""

    STALE = "stale"


STALE: Final = Stale.STALE

TERMINAL: Final = frozenset(
    {RunState.SUCCEEDED, RunState.FAILED, RunState.TIMED_OUT, RunState.CANCELLED}
)
CANCELLABLE: Final = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING})
HOLDS_A_SLOT: Final = frozenset({RunState.RUNNING, RunState.CANCELLING})

_ILLEGAL: Final = None
_FINISHED: Final[dict[RunEvent, RunState | Stale | None]] = {
    RunEvent.CLAIM: _ILLEGAL,
    RunEvent.SUCCEED: STALE,
    RunEvent.FAIL: STALE,
    RunEvent.TIME_OUT: STALE,
    RunEvent.STOPPED: STALE,
    RunEvent.CANCEL: _ILLEGAL,
    RunEvent.LOST_FOR_GOOD: STALE,
    RunEvent.LOST: STALE,
}

TABLE: Final[dict[RunState, dict[RunEvent, RunState | Stale | None]]] = {
    RunState.QUEUED: {
        RunEvent.CLAIM: RunState.RUNNING,
        RunEvent.SUCCEED: STALE,
        RunEvent.FAIL: STALE,
        RunEvent.TIME_OUT: STALE,
        RunEvent.STOPPED: STALE,
        RunEvent.CANCEL: RunState.CANCELLED,
        RunEvent.LOST_FOR_GOOD: STALE,
        RunEvent.LOST: STALE,
    },
    RunState.RUNNING: {
        RunEvent.CLAIM: _ILLEGAL,
        RunEvent.SUCCEED: RunState.SUCCEEDED,
        RunEvent.FAIL: RunState.FAILED,
        RunEvent.TIME_OUT: RunState.TIMED_OUT,
        RunEvent.STOPPED: RunState.FAILED,
        RunEvent.CANCEL: RunState.CANCELLING,
        RunEvent.LOST_FOR_GOOD: RunState.FAILED,
        RunEvent.LOST: RunState.QUEUED,
    },
    RunState.CANCELLING: {
        RunEvent.CLAIM: _ILLEGAL,
        # Its last step had finished before the cancel arrived: that is the truth.
        RunEvent.SUCCEED: RunState.SUCCEEDED,
        RunEvent.FAIL: RunState.CANCELLED,
        RunEvent.TIME_OUT: RunState.CANCELLED,
        RunEvent.STOPPED: RunState.CANCELLED,
        RunEvent.CANCEL: RunState.CANCELLING,
        RunEvent.LOST_FOR_GOOD: RunState.CANCELLED,
        RunEvent.LOST: RunState.CANCELLED,
    },
    RunState.SUCCEEDED: _FINISHED,
    RunState.FAILED: _FINISHED,
    RunState.TIMED_OUT: _FINISHED,
    RunState.CANCELLED: _FINISHED,
}
"""Every state with every event: the next state, `STALE`, or None for the caller's mistake."""


def advance(state: RunState, event: RunEvent) -> RunState | Stale:
    """The state that follows `state` when `event` happens, or `STALE`.

    Total over both enumerations; the table stands in docs/explanation/states.md.

    Raises:
        IllegalTransition: the event must not happen in this state (a 409 for a client).
    """
    target = TABLE[state][event]
    if target is None:
        raise IllegalTransition(state=state.value, event=event.value)
    return target
