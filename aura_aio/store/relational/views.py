"""What can be seen of the queue: figures, positions, the list in dispatch order.

May import the rest of `store.relational`, the standard library and model only.
"""

from collections import Counter
from typing import Final

from aura_aio.model.cursors import decode_cursor, encode_cursor
from aura_aio.model.ports import Page
from aura_aio.model.queue_store import Position, QueueCounts
from aura_aio.model.run import Run
from aura_aio.model.states import HOLDS_A_SLOT, RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import Row, run_from
from aura_aio.store.relational.transaction import SLOT_SEC

WAITS_FOR_SEC: Final = 3600.0


def is_due(connection: Connection, now: float) -> bool:
    """Whether a delayed run is due that has not joined the queue yet."""
    return bool(connection.execute(sql.IS_DUE, (now,)).fetchone()[0])


def next_due(connection: Connection) -> float | None:
    """See `QueueStore.next_due`."""
    row = connection.execute(sql.NEXT_DUE).fetchone()
    return None if row is None else float(row[0])


def counts(connection: Connection, now: float) -> QueueCounts:
    """See `QueueStore.counts`."""
    by_plan: Counter[str] = Counter()
    by_priority: Counter[int] = Counter()
    by_delay: Counter[int] = Counter()
    for priority, plan_name, delayed, n in connection.execute(sql.QUEUE_COUNTS):
        by_plan[plan_name] += n
        by_priority[priority] += n
        by_delay[delayed] += n
    by_state = dict.fromkeys(RunState, 0)
    by_state |= {RunState(state): n for state, n in connection.execute(sql.STATE_COUNTS)}
    waits = sorted(wait for (wait,) in connection.execute(sql.WAITS, (now - WAITS_FOR_SEC,)))
    oldest = connection.execute(sql.OLDEST_READY).fetchone()
    return QueueCounts(
        ready=by_delay[0],
        delayed=by_delay[1],
        running=sum(by_state[state] for state in HOLDS_A_SLOT),
        by_plan=dict(by_plan),
        by_priority=dict(by_priority),
        by_state=by_state,
        avg_wait_sec=sum(waits) / len(waits) if waits else None,
        p95_wait_sec=waits[(len(waits) * 95 - 1) // 100] if waits else None,
        oldest_ready_at=None if oldest is None else oldest[0],
        throughput=_throughput(connection, now),
    )


def position(connection: Connection, run: Run) -> Position:
    """See `QueueStore.position`."""
    row = connection.execute(sql.PLACE, (run.cid,)).fetchone()
    if row is None:
        row = RunState.QUEUED, run.priority, run.rank, run.arrival, False, run.created_at
    if row[0] != RunState.QUEUED:
        return Position(ahead=0, delayed_until=None)
    _, priority, rank, arrival, delayed, ready_at = row
    if delayed:
        return Position(ahead=0, delayed_until=ready_at)
    (higher,) = connection.execute(sql.AHEAD_BY_PRIORITY, (priority,)).fetchone()
    (same,) = connection.execute(sql.AHEAD_BY_RANK, (priority, rank, arrival)).fetchone()
    return Position(ahead=higher + same, delayed_until=None, exact=same < sql.MOST_COUNTED)


def pauses(connection: Connection) -> dict[str, float]:
    """See `QueueStore.pauses`."""
    return dict(connection.execute(sql.PAUSES).fetchall())


def list_ready(connection: Connection, limit: int, cursor: str | None) -> Page[tuple[int, Run]]:
    """The queue in dispatch order. The cursor: position, priority, rank, arrival of the last."""
    if cursor is None:
        number = 0
        rows = connection.execute(sql.FIRST_READY, (limit + 1,)).fetchall()
    else:
        position = decode_cursor("queue.ready", tuple[int, int, int, str], cursor)
        number, priority, rank, arrival = position
        rows = _after(connection, priority, rank, arrival, limit + 1)
    runs = [(number, run_from(row)) for number, row in enumerate(rows, number + 1)]
    if len(runs) <= limit:
        return Page(tuple(runs))
    last, run = runs[limit - 1]
    return Page(
        tuple(runs[:limit]),
        encode_cursor("queue.ready", (last, run.priority, run.rank, run.arrival)),
    )


def list_delayed(connection: Connection, limit: int, cursor: str | None) -> Page[tuple[int, Run]]:
    """Delayed runs by the time they are due. The cursor: (position, time, cid) of the last one."""
    number, ready_at, cid = 0, 0.0, ""
    if cursor is not None:
        position = decode_cursor("queue.delayed", tuple[int, float, str], cursor)
        number, ready_at, cid = position
    rows = connection.execute(sql.NEXT_DELAYED, (ready_at, cid, limit + 1)).fetchall()
    runs = [(number, run_from(row)) for number, row in enumerate(rows, number + 1)]
    if len(runs) <= limit:
        return Page(tuple(runs))
    last, run = runs[limit - 1]
    return Page(
        tuple(runs[:limit]), encode_cursor("queue.delayed", (last, rows[limit - 1][-1], run.cid))
    )


def _after(connection: Connection, priority: int, rank: int, arrival: str, most: int) -> list[Row]:
    """The next `most` rows after a place: the rest of its priority, then what is below."""
    rows = connection.execute(sql.REST_OF_PRIORITY, (priority, rank, arrival, most)).fetchall()
    if len(rows) < most:
        rows += connection.execute(sql.LOWER_PRIORITIES, (priority, most - len(rows))).fetchall()
    return rows


def _throughput(connection: Connection, now: float) -> dict[str, int]:
    this = int(now // SLOT_SEC)
    slots = connection.execute(sql.THROUGHPUT, (this - 3600 // SLOT_SEC,)).fetchall()
    return {
        f"m{minutes}": sum(n for slot, n in slots if slot > this - minutes * 60 // SLOT_SEC)
        for minutes in (5, 15, 60)
    }
