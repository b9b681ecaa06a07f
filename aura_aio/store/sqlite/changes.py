"""Changes of a run's state after it was claimed, or instead: end, loss, cancel.

May import the rest of `store.sqlite`, the standard library and model only.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aura_aio.model.errors import IllegalTransition, RunFinished, RunNotFound
from aura_aio.model.run import CancelRequest, OnCrash, Outcome, Run, RunChanged, RunError
from aura_aio.model.states import RunEvent, RunState, Stale, advance
from aura_aio.store.sqlite import sql
from aura_aio.store.sqlite.rows import Row, cancel_from, json_text, run_from
from aura_aio.store.sqlite.transaction import Place, Transaction

UNSAID: Final = {
    RunEvent.FAIL: RunError("Failed", "The attempt failed without saying why."),
    RunEvent.TIME_OUT: RunError("TimedOut", "The attempt took longer than it may."),
    RunEvent.STOPPED: RunError("Stopped", "The worker ended the attempt early."),
}
"""The errors of outcomes that carry none: a run that has not succeeded always says why."""


class Loss(NamedTuple):
    """Why attempts were lost, when, and whether another attempt may follow."""

    reason: str
    retry: bool
    max_attempts: int
    now: float


class Held(NamedTuple):
    """A run as the transaction sees it, as far as changes depend on it."""

    cid: str
    state: RunState
    attempt: int
    place: Place
    on_crash: OnCrash
    cancel: str | None


def hold(tx: Transaction, cid: str) -> Held | None:
    """The run, or None."""
    row = tx.connection.execute(sql.HOLD, (cid,)).fetchone()
    if row is None:
        return None
    state, attempt, priority, plan_name, delayed, on_crash, cancel_text = row
    place = Place(priority, plan_name, bool(delayed))
    return Held(cid, RunState(state), attempt, place, OnCrash(on_crash), cancel_text)


def read_back(tx: Transaction, cid: str) -> Run:
    """The run after a change, with neither inputs nor result."""
    return run_from(tx.connection.execute(sql.GET_BARE, (cid,)).fetchone())


def finish(tx: Transaction, outcomes: Sequence[Outcome]) -> tuple[RunState | None, ...]:
    """See `RunStore.finish`."""
    return tuple(_finish(tx, outcome) for outcome in outcomes)


def lose(
    tx: Transaction, attempts: Sequence[tuple[str, int]], loss: Loss
) -> tuple[RunState | None, ...]:
    """See `RunStore.lose`."""
    return tuple(_lose(tx, cid, attempt, loss) for cid, attempt in attempts)


def recover(tx: Transaction, loss: Loss) -> dict[str, tuple[str, ...]]:
    """See `RunStore.recover`."""
    cids: dict[RunState | None, list[str]] = {}
    for cid, attempt in sorted(tx.connection.execute(sql.ATTEMPTS_UNDER_WAY)):
        cids.setdefault(_lose(tx, cid, attempt, loss), []).append(cid)
    return {
        "requeued": tuple(cids.get(RunState.QUEUED, ())),
        "failed": tuple(cids.get(RunState.FAILED, ())),
        "cancelled": tuple(cids.get(RunState.CANCELLED, ())),
    }


def cancel(tx: Transaction, cid: str, request: CancelRequest, now: float) -> Run:
    """See `RunStore.request_cancel`."""
    held = hold(tx, cid)
    if held is None:
        raise RunNotFound(cid)
    try:
        target = _next(held, RunEvent.CANCEL)
    except IllegalTransition as error:
        raise RunFinished(cid, held.state) from error
    if target is RunState.CANCELLED:
        tx.leave(held.place)
        _change(tx, held, target, sql.CANCEL, (target, now, json_text(request)), at=now)
    elif target is RunState.CANCELLING and (target is not held.state or _escalates(held, request)):
        _change(tx, held, target, sql.CANCEL, (target, None, json_text(request)), at=now)
    return read_back(tx, cid)


def _finish(tx: Transaction, outcome: Outcome) -> RunState | None:
    held = hold(tx, outcome.cid)
    if held is None or held.attempt != outcome.attempt:
        return None
    target = _next(held, outcome.event)
    if target is not None:
        error = outcome.error or UNSAID.get(outcome.event)
        _end(tx, held, target, outcome.finished_at, result=outcome.result, error=error)
    return target


def _lose(tx: Transaction, cid: str, attempt: int, loss: Loss) -> RunState | None:
    held = hold(tx, cid)
    if held is None or held.attempt != attempt:
        return None
    once_more = loss.retry and held.on_crash is not OnCrash.FAIL
    poison = once_more and attempt >= loss.max_attempts
    event = RunEvent.LOST if once_more and not poison else RunEvent.LOST_FOR_GOOD
    target = _next(held, event)
    if target is RunState.QUEUED:
        _change(tx, held, target, sql.REQUEUE, (target, loss.now), at=loss.now, attempt=attempt + 1)
        tx.join(held.place)
    elif target is not None:
        error = _poison(attempt, loss.reason) if poison else RunError("WorkerLost", loss.reason)
        _end(tx, held, target, loss.now, error=error)
    return target


def _end(
    tx: Transaction,
    held: Held,
    target: RunState,
    at: float,
    *,
    result: bytes | None = None,
    error: RunError | None = None,
) -> None:
    """End the run: a result is kept of one that has succeeded, an error of one that failed."""
    if target is not RunState.SUCCEEDED:
        result = None
    if target not in {RunState.FAILED, RunState.TIMED_OUT}:
        error = None
    values = (target, at, result, None if error is None else json_text(error))
    _change(tx, held, target, sql.END, values, at=at)


def _change(
    tx: Transaction,
    held: Held,
    target: RunState,
    update: str,
    values: Row,
    *,
    at: float,
    attempt: int | None = None,
) -> None:
    """One compare-and-set, and its fact."""
    done = tx.connection.execute(update, (*values, held.cid, held.attempt, held.state))
    if done.rowcount != 1:
        raise RuntimeError(f"run {held.cid} is not as it was a moment ago")
    tx.changed(RunChanged(held.cid, held.state, target, attempt or held.attempt, at))


def _next(held: Held, event: RunEvent) -> RunState | None:
    """The state after `event`, or None if the event is stale.

    Raises:
        IllegalTransition: see `model.states.advance`.
    """
    target = advance(held.state, event)
    return None if isinstance(target, Stale) else target


def _escalates(held: Held, request: CancelRequest) -> bool:
    """Whether `request` is the first that does not want to wait for the action."""
    earlier = cancel_from(held.cancel)
    return request.mode == "kill" and (earlier is None or earlier.mode != "kill")


def _poison(attempts: int, reason: str) -> RunError:
    return RunError(
        "PoisonRun", f"It has lost its worker {attempts} time(s), and may not more often: {reason}"
    )
