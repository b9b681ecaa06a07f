"""What changes the queue from within: delayed runs that are due, claims, priorities.

May import the rest of `store.relational`, the standard library, msgspec and model only.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import msgspec

from aura_aio.model.fleet import PlanDigests, host_of, left_to_others
from aura_aio.model.lanes import Head, Lane, startable
from aura_aio.model.run import Run, RunChanged, Tasklet
from aura_aio.model.states import RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.changes import find_room, read_back, write_guarded
from aura_aio.store.relational.lanes import Lanes
from aura_aio.store.relational.moves import hold_queued
from aura_aio.store.relational.rows import plans_from, plans_with_room_from, tasklet_from
from aura_aio.store.relational.transaction import ALL_PLANS, Place, Transaction


def join_due(tx: Transaction, now: float) -> bool:
    """Let delayed runs that are due join the queue, those that waited longest first.

    Answers whether that was all of them. Their fact says queued → queued.
    """
    if not tx.delayed:
        return True
    rows = tx.connection.execute(sql.DUE, (now,)).fetchall()
    write_guarded(tx, sql.JOIN, [row[:2] for row in rows if not row[-1]])
    for cid, attempt, priority, plan_name, ready_at, is_moved in rows:
        if is_moved:
            find_room(tx, cid, attempt)
            write_guarded(tx, sql.JOIN, [(cid, attempt)])
        tx.leave(Place(priority, plan_name, True))
        tx.join(Place(priority, plan_name, False))
        tx.changed(RunChanged(cid, RunState.QUEUED, RunState.QUEUED, attempt, ready_at))
    return len(rows) < sql.MOST_JOINED


def claim(
    tx: Transaction,
    workers: Sequence[str],
    among: Collection[str] | None,
    now: float,
    served: PlanDigests | None = None,
) -> tuple[Tasklet, ...] | None:
    """See `QueueStore.claim`; None when more delayed runs are due than could join at once.

    Runs that this transaction queues are inserted as running, if no others are ready. Runs without
    limits that go before all others cost nothing more. Only when one with limits is reached, while
    a plan is paused or not here, or while another host has it otherwise, the lanes are looked at.
    """
    if not join_due(tx, now):
        return None
    nothing_ready = ALL_PLANS in tx.pauses or tx.queued == tx.delayed
    closed = None if nothing_ready else _closed(tx, host_of(workers[0]), served)
    if closed is None:
        return ()
    if among is not None:
        return _with_state(tx, tuple(_start_among(tx, closed, among, workers, now)))
    if any(closed):
        return _with_state(tx, tuple(_start_by_lanes(tx, closed, workers, now)))
    tasklets = tx.start_arrivals(workers, now)
    if tasklets:  # and nothing else is ready
        _started(tx, tasklets, now)
        return _with_state(tx, tuple(tasklets))
    tasklets, limits_reached = _next_unlimited(tx, len(workers))
    _start(tx, tasklets, workers, now)
    if limits_reached:
        tasklets += _start_by_lanes(tx, closed, workers[len(tasklets) :], now)
    return _with_state(tx, tuple(tasklets))


class _Closed(NamedTuple):
    """The lanes of which nothing is taken now: see `Lanes`."""

    plans: Collection[str]
    elsewhere: Collection[tuple[str, str]]
    awaited: Collection[tuple[str, str]] = ()


def _closed(tx: Transaction, host_id: str, served: PlanDigests | None) -> _Closed | None:
    """What is closed for a host with the plans `served` (None: it has all, and is alone); None if
    it is not one of the hosts any more: what it claims would belong to nobody.
    """
    closed = set(tx.pauses)
    if served is None:  # nobody looks into the database: what has just come can start as it comes
        return _Closed(closed, ())
    others = _plans_of_others(tx, host_id)
    if others is None:
        return None
    queued = tx.plans_queued()
    closed |= queued - served.keys()
    queued -= closed
    elsewhere = {each for each in left_to_others(served, others) if each[0] in queued}
    return _Closed(closed, elsewhere, elsewhere & _with_room(tx) if elsewhere else ())


def _with_room(tx: Transaction) -> set[tuple[str, str]]:
    """The plans, as they are on hosts that had room at their latest beat."""
    found: set[tuple[str, str]] = set()
    for _, _, _, status, _ in tx.connection.execute(sql.FLEET):
        found |= plans_with_room_from(status).items()
    return found


def _plans_of_others(tx: Transaction, host_id: str) -> list[PlanDigests] | None:
    """The plans of which the other hosts take runs, once for all that have the same; None if
    `host_id` is no host.
    """
    digests = dict(tx.connection.execute(sql.HOST_PLANS).fetchall())
    return None if digests.pop(host_id, None) is None else _read_once(tx, digests)


def plans_of_hosts(tx: Transaction) -> list[PlanDigests]:
    """The plans of which hosts take runs, once for all that have the same."""
    return _read_once(tx, dict(tx.connection.execute(sql.HOST_PLANS).fetchall()))


def _read_once(tx: Transaction, digests: Mapping[str, str]) -> list[PlanDigests]:
    """The plans of these hosts; only what is new to this process is read."""
    known, ids = tx.plans_of_hosts, {digest: id_ for id_, digest in digests.items()}
    for gone in known.keys() - ids:
        del known[gone]
    for new in ids.keys() - known:
        (status,) = tx.connection.execute(sql.HOST_STATUS, (ids[new],)).fetchone()
        known[new] = plans_from(status)
    return list(known.values())


def _next_unlimited(tx: Transaction, most: int) -> tuple[list[Tasklet], bool]:
    """The first of the queue up to a run with limits, and whether there was one."""
    tasklets: list[Tasklet] = []
    with closing(tx.connection.execute(sql.NEXT, (most,))) as rows:
        for row in rows:
            tasklet = tasklet_from(row)
            if tasklet.limits:
                return tasklets, True
            tasklets.append(tasklet)
    return tasklets, False


def _start_by_lanes(
    tx: Transaction, closed: _Closed, workers: Sequence[str], now: float
) -> list[Tasklet]:
    lanes = Lanes(tx.connection, *closed)
    return _start_heads(tx, lanes, lanes.heads(), lanes.head_of, workers, now)


def _start_among(
    tx: Transaction, closed: _Closed, cids: Collection[str], workers: Sequence[str], now: float
) -> list[Tasklet]:
    """Start those of the runs that may, each in a lane of its own."""
    lanes = Lanes(tx.connection, *closed)
    heads = sorted(lanes.heads_among(cids))
    if any(head.limits for head in heads):
        return _start_heads(tx, lanes, heads, lambda _: None, workers, now)
    tasklets = lanes.tasklets(heads[: len(workers)])
    _start(tx, tasklets, workers, now)
    return tasklets


def _start_heads(
    tx: Transaction,
    lanes: Lanes,
    heads: Iterable[Head],
    head_of: Callable[[Lane], Head | None],
    workers: Sequence[str],
    now: float,
) -> list[Tasklet]:
    holders = ((holder.cid, holder.limits) for holder in lanes.holders())
    tasklets: list[Tasklet] = []
    for worker, head in zip(workers, startable(heads, holders, head_of), strict=False):
        (tasklet,) = lanes.tasklets([head])
        _start(tx, [tasklet], [worker], now)
        tasklets.append(tasklet)
    return tasklets


def _start(
    tx: Transaction, tasklets: Sequence[Tasklet], workers: Sequence[str], now: float
) -> None:
    """Let each of `tasklets` run on the worker that stands in its place."""
    taken = [
        (worker, now, tasklet.cid, tasklet.attempt)
        for worker, tasklet in zip(workers, tasklets, strict=False)
    ]
    write_guarded(tx, sql.CLAIM, taken)
    _started(tx, tasklets, now)


def _started(tx: Transaction, tasklets: Sequence[Tasklet], now: float) -> None:
    """Take in that these runs run."""
    for tasklet in tasklets:
        tx.leave(Place(tasklet.priority, tasklet.plan_name, False))
        tx.changed(RunChanged(tasklet.cid, RunState.QUEUED, RunState.RUNNING, tasklet.attempt, now))


def set_priority(tx: Transaction, cid: str, priority: int, now: float) -> Run:
    """See `QueueStore.set_priority`."""
    run = hold_queued(tx, cid)
    write_guarded(tx, sql.SET_PRIORITY, [(priority, cid, run.attempt, run.state)])
    tx.leave(run.place)
    tx.join(run.place._replace(priority=priority))
    tx.changed(RunChanged(cid, run.state, run.state, run.attempt, now))
    return read_back(tx, cid)


def _with_state(tx: Transaction, tasklets: tuple[Tasklet, ...]) -> tuple[Tasklet, ...]:
    """`tasklets` with what their plans keep now."""
    states = {name: tx.state_of(name) for name in {tasklet.plan_name for tasklet in tasklets}}
    if not any(states.values()):
        return tasklets
    return tuple(
        msgspec.structs.replace(tasklet, state=states[tasklet.plan_name]) for tasklet in tasklets
    )
