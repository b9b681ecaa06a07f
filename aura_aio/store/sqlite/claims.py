"""What changes the queue from within: delayed runs that are due, claims, priorities.

May import the rest of `store.sqlite`, the standard library, msgspec and model only.
"""

from collections.abc import Sequence

import msgspec

from aura_aio.model.errors import NotQueued
from aura_aio.model.run import Run, RunChanged, Tasklet
from aura_aio.model.states import RunState
from aura_aio.store.sqlite import sql
from aura_aio.store.sqlite.changes import hold_one, read_back, write_guarded
from aura_aio.store.sqlite.rows import tasklet_from
from aura_aio.store.sqlite.transaction import Place, Transaction


def join_due(tx: Transaction, now: float) -> bool:
    """Let delayed runs that are due join the queue, those that waited longest first.

    Answers whether that was all of them. Their fact says queued → queued.
    """
    rows = tx.connection.execute(sql.DUE, (now,)).fetchall()
    write_guarded(tx, sql.JOIN, [row[:2] for row in rows])
    for cid, attempt, priority, plan_name, ready_at in rows:
        tx.leave(Place(priority, plan_name, True))
        tx.join(Place(priority, plan_name, False))
        tx.changed(RunChanged(cid, RunState.QUEUED, RunState.QUEUED, attempt, ready_at))
    return len(rows) < sql.MOST_JOINED


def claim(tx: Transaction, workers: Sequence[str], now: float) -> tuple[Tasklet, ...] | None:
    """See `QueueStore.claim`; None when more delayed runs are due than could join at once."""
    if not join_due(tx, now):
        return None
    tasklets = tuple(map(tasklet_from, tx.connection.execute(sql.NEXT, (len(workers),))))
    taken = [
        (worker, now, tasklet.cid, tasklet.attempt)
        for worker, tasklet in zip(workers, tasklets, strict=False)
    ]
    write_guarded(tx, sql.CLAIM, taken)
    for tasklet in tasklets:
        tx.leave(Place(tasklet.priority, tasklet.plan_name, False))
        tx.changed(RunChanged(tasklet.cid, RunState.QUEUED, RunState.RUNNING, tasklet.attempt, now))
    return _with_state(tx, tasklets)


def set_priority(tx: Transaction, cid: str, priority: int) -> Run:
    """See `QueueStore.set_priority`."""
    run = hold_one(tx, cid)
    if run.state is not RunState.QUEUED:
        raise NotQueued(cid, run.state)
    write_guarded(tx, sql.SET_PRIORITY, [(priority, cid, run.attempt, run.state)])
    tx.leave(run.place)
    tx.join(run.place._replace(priority=priority))
    return read_back(tx, cid)


def _with_state(tx: Transaction, tasklets: tuple[Tasklet, ...]) -> tuple[Tasklet, ...]:
    """`tasklets` with what their plans keep now."""
    states = {name: tx.state_of(name) for name in {tasklet.plan_name for tasklet in tasklets}}
    if not any(states.values()):
        return tasklets
    return tuple(
        msgspec.structs.replace(tasklet, state=states[tasklet.plan_name]) for tasklet in tasklets
    )
