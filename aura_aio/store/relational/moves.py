"""Where queued runs stand within their priority, when somebody moves them; and pauses.

May import the rest of `store.relational`, the standard library and model only.
"""

from collections import Counter
from collections.abc import Sequence

from aura_aio.model.arrival import between
from aura_aio.model.errors import NotQueued, ReorderRejected
from aura_aio.model.run import Run, RunChanged
from aura_aio.model.states import RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.changes import (
    Held,
    find_room,
    hold,
    hold_one,
    read_back,
    write_guarded,
)
from aura_aio.store.relational.transaction import Transaction


def hold_queued(tx: Transaction, cid: str) -> Held:
    """The run, which must be queued.

    Raises:
        RunNotFound: there is none.
        NotQueued: it is not queued any more.
    """
    run = hold_one(tx, cid)
    if run.state is not RunState.QUEUED:
        raise NotQueued(cid, run.state)
    return run


def move_to_front(tx: Transaction, cid: str, now: float) -> Run:
    """See `QueueStore.move_to_front`."""
    run = hold_queued(tx, cid)
    _move(tx, now, (run, _first_rank(tx, run.place.priority) - 1, cid))
    return read_back(tx, cid)


def move_to_position(tx: Transaction, cid: str, position: int, now: float) -> Run:
    """See `QueueStore.move_to_position`."""
    if position <= 1:
        return move_to_front(tx, cid, now)
    run = hold_queued(tx, cid)
    others = (run.place.priority, cid)
    found = tx.connection.execute(sql.NEIGHBOURS, (*others, position - 2)).fetchall()
    if not found:
        found = tx.connection.execute(sql.LAST_NEIGHBOUR, others).fetchall()
    if found:
        rank, before = found[0]
        after = found[1][1] if len(found) > 1 and found[1][0] == rank else None
        _move(tx, now, (run, rank, between(before, after)))
    return read_back(tx, cid)


def reorder(tx: Transaction, cids: Sequence[str], now: float) -> None:
    """See `QueueStore.reorder`."""
    held = hold(tx, cids)
    faults = [
        (f"/cid_order/{index}", fault)
        for index, cid in enumerate(cids)
        if (fault := _fault(cid, held.get(cid), named_before=cid in cids[:index]))
    ]
    if faults:
        raise ReorderRejected(faults)
    named = Counter(held[cid].place.priority for cid in cids)
    ranks = {priority: _first_rank(tx, priority) - count for priority, count in named.items()}
    moved = []
    for cid in cids:
        run = held[cid]
        moved.append((run, ranks[run.place.priority], cid))
        ranks[run.place.priority] += 1
    _move(tx, now, *moved)


def set_run_at(tx: Transaction, cid: str, run_at: float, now: float) -> Run:
    """See `QueueStore.set_run_at`."""
    run = hold_queued(tx, cid)
    delayed = run_at > now
    ready_at = max(run_at, now)
    if run.is_moved and run.place.delayed and not delayed:
        find_room(tx, cid, run.attempt)
    guard = (cid, run.attempt, run.state)
    write_guarded(tx, sql.RUN_AT, [(run_at, ready_at, delayed, *guard)])
    tx.leave(run.place)
    tx.join(run.place._replace(delayed=delayed))
    tx.changed(RunChanged(cid, run.state, run.state, run.attempt, now))
    return read_back(tx, cid)


def _fault(cid: str, run: Held | None, *, named_before: bool) -> str | None:
    if run is None:
        return f"There is no run with the cid {cid!r}."
    if run.state is not RunState.QUEUED:
        return f"Run {cid} is not queued any more ({run.state})."
    return f"Run {cid} is named twice." if named_before else None


def _first_rank(tx: Transaction, priority: int) -> int:
    row = tx.connection.execute(sql.FIRST_RANK, (priority,)).fetchone()
    return 0 if row is None else int(row[0])


def _move(tx: Transaction, now: float, *moved: tuple[Held, int, str]) -> None:
    """Give each of these runs its rank, and its arrival."""
    rows = [(rank, arrival, run.cid, run.attempt, run.state.value) for run, rank, arrival in moved]
    write_guarded(tx, sql.MOVE, rows)
    for run, _, _ in moved:
        tx.changed(RunChanged(run.cid, run.state, run.state, run.attempt, now))
