"""Changes of a run's state after it was claimed, or instead: end, loss, cancel.

May import the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from aura_aio.model.arrival import between
from aura_aio.model.errors import IllegalTransition, RunFinished, RunNotFound
from aura_aio.model.fleet import host_of
from aura_aio.model.run import (
    CancelRequest,
    OnCrash,
    Outcome,
    Run,
    RunChanged,
    RunEnd,
    RunError,
    StepRecord,
)
from aura_aio.model.states import (
    CANCELLABLE,
    HOLDS_A_SLOT,
    TERMINAL,
    RunEvent,
    RunState,
    Stale,
    advance,
)
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import Row, cancel_from, json_text, row_of_step, run_from
from aura_aio.store.relational.transaction import Place, Transaction

UNSAID: Final = {
    RunEvent.FAIL: RunError("Failed", "The attempt failed without saying why."),
    RunEvent.TIME_OUT: RunError("TimedOut", "The attempt took longer than it may."),
    RunEvent.STOPPED: RunError("Stopped", "The worker ended the attempt early."),
}
"""The errors of outcomes that carry none: a run that has failed always says why."""


_STATES: Final = {state.value: state for state in RunState}
_ON_CRASH: Final = {each.value: each for each in OnCrash}
_TEXTS: Final = {state: state.value for state in RunState}
"""A text that is an enum's is bound by asking it first what it would rather be."""


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
    task_name: str
    started_at: float | None
    calls_back: bool
    is_moved: bool
    """Its arrival is a text between those of others."""


def hold(tx: Transaction, cids: Iterable[str]) -> dict[str, Held]:
    """Those of the runs that exist, by cid."""
    return {
        row[0]: Held(
            cid=row[0],
            state=_STATES[row[1]],
            attempt=row[2],
            place=Place(priority=row[3], plan_name=row[4], delayed=bool(row[5])),
            on_crash=_ON_CRASH[row[6]],
            cancel=row[7],
            task_name=row[8],
            started_at=row[9],
            calls_back=bool(row[10]),
            is_moved=bool(row[11]),
        )
        for row in tx.connection.execute(sql.HOLD, (json_text(list(cids)),))
    }


def hold_one(tx: Transaction, cid: str) -> Held:
    """The run.

    Raises:
        RunNotFound: there is none.
    """
    held = hold(tx, (cid,)).get(cid)
    if held is None:
        raise RunNotFound(cid)
    return held


def read_back(tx: Transaction, cid: str) -> Run:
    """The run after a change, with neither inputs nor result."""
    return run_from(tx.connection.execute(sql.GET_BARE, (cid,)).fetchone())


def record_steps(tx: Transaction, records: Sequence[StepRecord]) -> None:
    """See `RunStore.record_steps`."""
    if records:
        _keep_steps(tx, records, hold(tx, dict.fromkeys(record.cid for record in records)))


def finish(
    tx: Transaction, outcomes: Sequence[Outcome], steps: Sequence[StepRecord]
) -> tuple[RunState | None, ...]:
    """See `RunStore.finish`."""
    cids = [*(step.cid for step in steps), *(outcome.cid for outcome in outcomes)]
    held = hold(tx, dict.fromkeys(cids))
    if steps:
        _keep_steps(tx, steps, held)
    targets: list[RunState | None] = []
    ends: list[Row] = []
    for outcome in outcomes:
        run = held.get(outcome.cid)
        target = None
        if run is not None and run.attempt == outcome.attempt:
            target = _next(run.state, outcome.event)
            if target is not None:
                error = outcome.error or UNSAID.get(outcome.event)
                ends.append(_end(run, target, outcome.finished_at, error, outcome.result))
                _note(tx, run, target, outcome.finished_at)
                held[run.cid] = run._replace(state=target)
        targets.append(target)
    write_guarded(tx, sql.END, ends)
    return tuple(targets)


def lose(
    tx: Transaction, attempts: Sequence[tuple[str, int]], loss: Loss
) -> tuple[RunState | None, ...]:
    """See `RunStore.lose`."""
    held = hold(tx, (cid for cid, _ in attempts))
    targets: list[RunState | None] = []
    ends: list[Row] = []
    again: list[Held] = []
    for cid, attempt in attempts:
        run = held.get(cid)
        target = None
        if run is not None and run.attempt == attempt:
            target, error = _after(run, loss)
            if target is RunState.QUEUED:
                again.append(run)
                tx.join(run.place)
                _note(tx, run._replace(attempt=run.attempt + 1), target, loss.now)
            elif target is not None:
                ends.append(_end(run, target, loss.now, error))
                _note(tx, run, target, loss.now)
            if target is not None:
                del held[cid]
        targets.append(target)
    write_guarded(tx, sql.END, ends)
    _queue_again(tx, again, loss.now)
    return tuple(targets)


def recover(tx: Transaction, loss: Loss) -> dict[str, tuple[str, ...]]:
    """See `RunStore.recover`."""
    attempts = orphans(tx.connection)
    cids: dict[RunState | None, list[str]] = {}
    for (cid, _), target in zip(attempts, lose(tx, attempts, loss), strict=True):
        cids.setdefault(target, []).append(cid)
    return {
        "requeued": tuple(cids.get(RunState.QUEUED, ())),
        "failed": tuple(cids.get(RunState.FAILED, ())),
        "cancelled": tuple(cids.get(RunState.CANCELLED, ())),
    }


def host_ids(connection: Connection) -> set[str]:
    """Who shares the database."""
    return {id_ for (id_,) in connection.execute(sql.HOST_IDS)}


def orphans(connection: Connection) -> list[tuple[str, int]]:
    """The attempts under way (cid, number) that belong to no host, in the order of their cids."""
    hosts = host_ids(connection)
    return sorted(
        (cid, attempt)
        for cid, attempt, worker in connection.execute(sql.ATTEMPTS_UNDER_WAY)
        if host_of(worker) not in hosts
    )


def cancel(tx: Transaction, cid: str, request: CancelRequest, now: float) -> Run:
    """See `RunStore.request_cancel`."""
    run = hold_one(tx, cid)
    cancels = Cancels()
    try:
        cancels.cancel(tx, run, request, now)
    except IllegalTransition as error:
        raise RunFinished(cid, run.state) from error
    cancels.write(tx)
    return read_back(tx, cid)


def cancel_each(
    tx: Transaction, cids: Sequence[str], request: CancelRequest, now: float, *, only_queued: bool
) -> tuple[RunState | None, ...]:
    """See `RunStore.request_cancel_each`."""
    wanted = {RunState.QUEUED} if only_queued else CANCELLABLE
    held = hold(tx, cids)
    states: list[RunState | None] = []
    cancels = Cancels()
    for cid in cids:
        run, state = held.get(cid), None
        if run is not None and run.state in wanted:
            held[cid] = cancels.cancel(tx, run, request, now)
            state = held[cid].state
        states.append(state)
    cancels.write(tx)
    return tuple(states)


class Cancels:
    """What requests make of several runs, which is written at once."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def cancel(self, tx: Transaction, run: Held, request: CancelRequest, now: float) -> Held:
        """The run as it is from now on.

        Raises:
            IllegalTransition: it has ended.
        """
        target = _next(run.state, RunEvent.CANCEL)
        if target is RunState.CANCELLED:
            tx.leave(run.place)
            _note(tx, run, target, now)
            return self._changed(run, target, now, request)
        if target is RunState.CANCELLING and (target is not run.state or _escalates(run, request)):
            _note(tx, run, target, now, request.actions_grace_sec)
            return self._changed(run, target, None, request)
        return run

    def write(self, tx: Transaction) -> None:
        """Change the rows: none may be looked at before."""
        write_guarded(tx, sql.CANCEL, self._rows)

    def _changed(
        self, run: Held, target: RunState, finished_at: float | None, request: CancelRequest
    ) -> Held:
        asked = json_text(request)
        self._rows.append((_TEXTS[target], finished_at, asked, *_guard(run)))
        return run._replace(state=target, cancel=asked)


def write_guarded(tx: Transaction, update: str, rows: Sequence[Row]) -> None:
    """Change each row as it was decided: a compare-and-set, of which none may miss.

    In a transaction of the only writer none can; if one does, nothing of it happens.
    """
    if rows:
        done = tx.connection.executemany(update, rows)
        if done.rowcount != len(rows):
            raise RuntimeError("a run is not as it was when its change was decided")


def find_room(tx: Transaction, cid: str, attempt: int) -> None:
    """To be called before a run that was moved comes (back) among the ready ones: if one of them
    was put into its very place meanwhile, it goes behind that one.

    No two may have the same place: a list would pass over one of them at the end of a page.
    """
    state, priority, rank, arrival, *_ = tx.connection.execute(sql.PLACE, (cid,)).fetchone()
    others = tx.connection.execute(sql.FROM_PLACE, (priority, rank, arrival)).fetchall()
    if others and others[0][0] == arrival:
        after = others[1][0] if len(others) > 1 else None
        write_guarded(tx, sql.MOVE, [(rank, between(arrival, after), cid, attempt, state)])


def _keep_steps(tx: Transaction, records: Sequence[StepRecord], held: Mapping[str, Held]) -> None:
    """Keep the records of attempts that are under way: neither over, nor lost."""
    rows = []
    for record in records:
        run = held.get(record.cid)
        if run is not None and run.attempt == record.attempt and run.state in HOLDS_A_SLOT:
            rows.append(row_of_step(record))
            if record.state:
                tx.keep_state(record)
    tx.connection.insert(sql.PUT_STEP, rows)


def _after(run: Held, loss: Loss) -> tuple[RunState | None, RunError | None]:
    """What becomes of a run whose attempt is lost, and its error if it ends."""
    once_more = loss.retry and run.on_crash is not OnCrash.FAIL
    poison = once_more and run.attempt >= loss.max_attempts
    event = RunEvent.LOST if once_more and not poison else RunEvent.LOST_FOR_GOOD
    error = _poison(run.attempt, loss.reason) if poison else _worker_lost(run, loss)
    return _next(run.state, event), error


def _queue_again(tx: Transaction, runs: Sequence[Held], now: float) -> None:
    """Queue them for another attempt; those that were moved one by one, for each may have to make
    room for the one before it.
    """

    def row(run: Held) -> Row:
        return (_TEXTS[RunState.QUEUED], now, *_guard(run))

    write_guarded(tx, sql.REQUEUE, [row(run) for run in runs if not run.is_moved])
    for run in runs:
        if run.is_moved:
            find_room(tx, run.cid, run.attempt)
            write_guarded(tx, sql.REQUEUE, [row(run)])


def _end(
    run: Held, target: RunState, at: float, error: RunError | None, result: bytes | None = None
) -> Row:
    """The row for sql.END: a result is kept of a run that has succeeded, an error of one that
    failed.
    """
    kept = result if target is RunState.SUCCEEDED else None
    told = error if target in {RunState.FAILED, RunState.TIMED_OUT} else None
    return (_TEXTS[target], at, kept, None if told is None else json_text(told), *_guard(run))


def _guard(run: Held) -> Row:
    return run.cid, run.attempt, _TEXTS[run.state]


def _note(
    tx: Transaction, run: Held, target: RunState, at: float, grace_sec: float | None = None
) -> None:
    ended = None
    if target in TERMINAL:
        ended = RunEnd(run.place.plan_name, run.task_name, run.started_at, run.calls_back)
    tx.changed(RunChanged(run.cid, run.state, target, run.attempt, at, ended, grace_sec))


def _next(state: RunState, event: RunEvent) -> RunState | None:
    """The state after `event`, or None if the event is stale.

    Raises:
        IllegalTransition: see `model.states.advance`.
    """
    target = advance(state, event)
    return None if isinstance(target, Stale) else target


def _escalates(run: Held, request: CancelRequest) -> bool:
    """Whether `request` is the first that does not want to wait for the action."""
    earlier = cancel_from(run.cancel)
    return request.mode == "kill" and (earlier is None or earlier.mode != "kill")


def _worker_lost(run: Held, loss: Loss) -> RunError:
    told = loss.reason
    if loss.retry and run.on_crash is OnCrash.FAIL:
        told = (
            f"{told.removesuffix('.')}. "
            "With on_crash: resume (or restart) in its task's meta it would have gone on; "
            f"to run it again: aura retry {run.cid}"
        )
    return RunError("WorkerLost", told)


def _poison(attempts: int, reason: str) -> RunError:
    return RunError(
        "PoisonRun", f"It has lost its worker {attempts} time(s), and may not more often: {reason}"
    )
