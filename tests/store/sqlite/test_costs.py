"""What a statement costs does not grow with the queue: no table is walked, nothing is sorted.

Imports aura_aio.store, model and pytest. Cost is counted in steps of SQLite's machine, not in time.
"""

import asyncio
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_aio.model.audit import AuditFilter
from aura_aio.model.fleet import HostStatus, PlanDigests, worker_name
from aura_aio.model.log import LogFilter, LogLevel
from aura_aio.model.ports import RunFilter, WorkerStatus
from aura_aio.model.run import Limit
from aura_aio.model.states import RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.audit import audit_statement
from aura_aio.store.relational.children import cancel_with_parents
from aura_aio.store.relational.claims import claim
from aura_aio.store.relational.lists import list_statement
from aura_aio.store.relational.logs import entries_statement
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.sqlite.database import SqliteDatabase
from tests.store.opened import ManualClock
from tests.store.sqlite.at import opened_at

# Every row of these small tables is wanted: plans times priorities, states, tasks, keys,
# schedules, pauses; and of an index that has a row for each run under way that holds a limit.
WHOLE_TABLES = {
    "TIDY_QUEUE_COUNTS",
    "QUEUE_COUNTS",
    "FIGURES",
    "FLEET",
    "HOST_IDS",
    "HOST_PLANS",
    "STATE_COUNTS",
    "DEFINITIONS",
    "PLANS_WITH_STATE",
    "SCHEDULES",
    "PAUSES",
    "TOKENS",
}
WHOLE = WHOLE_TABLES | {"HOLDERS"}

NAMED = {
    name: text
    for name, text in vars(sql).items()
    if isinstance(text, str)
    and text.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE"}
}
LISTS = {
    "all": RunFilter(),
    "state": RunFilter(statuses=(RunState.FAILED,)),
    "states": RunFilter(statuses=(RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED)),
    "plan": RunFilter(plan_name="rare"),
    "parent": RunFilter(parent_cid="p"),
    "parent, plan and states": RunFilter(
        parent_cid="p", plan_name="rare", statuses=(RunState.QUEUED, RunState.FAILED)
    ),
    "retries": RunFilter(retry_of="r"),
    "retries, parent, plan and state": RunFilter(
        retry_of="r", parent_cid="p", plan_name="rare", statuses=(RunState.FAILED,)
    ),
    "plan and state": RunFilter(plan_name="rare", statuses=(RunState.QUEUED,)),
    "task": RunFilter(plan_name="rare", task_name="greet", created_after=0.0),
}


# To read the first rows of what is in the wanted order already is no walk.
IN_ORDER = tuple(
    f"USING INDEX {name}"
    for name in ("runs_ready", "runs_limited", "sqlite_autoindex_runs_1", "callbacks_due")
)


def plan(connection: sqlite3.Connection, text: str, values: Any) -> list[str]:
    """How SQLite means to carry it out."""
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]


def walks(connection: sqlite3.Connection, text: str, values: Any) -> list[str]:
    """The steps that look at every row of a table or index, or sort."""
    return [
        step
        for step in plan(connection, text, values)
        if "TEMP B-TREE" in step
        or (
            re.match(r"SCAN (?!json_each|CONSTANT ROW|\(subquery)", step)
            and not ("LIMIT" in text and step.endswith(IN_ORDER))
        )
    ]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A new database."""
    with closing(SqliteDatabase(tmp_path / "aura.db")) as database:
        yield database.writer


@pytest.mark.parametrize("name", sorted(NAMED.keys() - WHOLE))
def test_no_statement_walks_over_a_table_or_sorts(empty: sqlite3.Connection, name: str) -> None:
    values = [None] * len(set(re.findall(r"\?\d", NAMED[name])) or NAMED[name].split("?")[1:])
    assert walks(empty, NAMED[name], values) == []


def test_what_is_held_is_read_along_an_index_that_has_nothing_else(
    empty: sqlite3.Connection,
) -> None:
    assert plan(empty, sql.HOLDERS, ()) == ["SCAN runs USING INDEX runs_holding"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("before", [None, "x"])
def test_a_page_of_runs_is_read_along_an_index(
    empty: sqlite3.Connection, name: str, before: str | None
) -> None:
    statement = list_statement(LISTS[name], before=before, most=10, include=frozenset())
    assert walks(empty, *statement) == []


@pytest.mark.parametrize(
    "where", [LogFilter(), LogFilter(cid="c"), LogFilter(level=LogLevel.ERROR, plan_name="p")]
)
def test_a_page_of_the_log_is_read_along_an_index(
    empty: sqlite3.Connection, where: LogFilter
) -> None:
    statement = entries_statement(where, after=5, up_to=9, limit=10)
    assert walks(empty, *statement) == []
    assert ("logs_by_run" in plan(empty, *statement)[0]) == (where.cid is not None)


def test_a_page_of_the_audit_trail_is_read_in_its_order(empty: sqlite3.Connection) -> None:
    for where in (AuditFilter(), AuditFilter(operation="runTask", after=0.0)):
        steps = plan(empty, *audit_statement(where, number=5, most=10))
        assert steps == ["SEARCH audit USING INTEGER PRIMARY KEY (rowid<?)"]
    of_run = plan(empty, *audit_statement(AuditFilter(cid="c"), number=5, most=10))
    assert not [step for step in of_run if step.startswith("SCAN") or "TEMP B-TREE" in step]


READY = """
    SELECT cid FROM runs INDEXED BY runs_ready
    WHERE state = 'queued' AND delayed = 0 AND limits = '[]'
"""


def test_a_walk_is_seen(empty: sqlite3.Connection) -> None:
    for text in (
        "SELECT * FROM runs",
        "SELECT COUNT(*) FROM runs",
        "SELECT cid FROM runs WHERE state = 'queued' ORDER BY created_at LIMIT 1",
        READY,
        "SELECT cid FROM runs WHERE worker = 'w1' ORDER BY started_at LIMIT 1",
    ):
        assert walks(empty, text, ()), text


@contextmanager
def counted(connection: sqlite3.Connection) -> Iterator[list[int]]:
    """How many steps SQLite's machine takes meanwhile."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    connection.set_progress_handler(count, 1)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 1)


def steps_of(connection: sqlite3.Connection, text: str, values: Any) -> int:
    """The steps that SQLite's machine takes for it, undone afterwards."""
    connection.execute("BEGIN")
    try:
        with counted(connection) as steps:
            connection.execute(text, values).fetchall()
    finally:
        connection.rollback()
    return steps[0]


async def fill(path: Path, queued: int) -> str:
    """A database with so many queued runs of one plan and a few others; a cid in the middle."""
    opened = await opened_at(path)
    try:
        for cid in await opened.enqueue_many(40, priority=100, plan_name="rare"):
            await opened.claim()
            await opened.end(cid)
        cids = [cid for _ in range(queued // 500) for cid in await opened.enqueue_many(500)]
        await opened.enqueue_many(100, delay_sec=500)
        return cids[len(cids) // 2]
    finally:
        await opened.close()


def costs(path: Path, cid: str) -> dict[str, int]:
    """What the operations of the queue cost, statement by statement."""
    now = 2e9
    guard = (cid, 1, "queued")
    statements: dict[str, tuple[str, Any]] = {
        "due": (sql.DUE, (0.0,)),
        "claim, choose": (sql.NEXT, (32,)),
        "claim, take": (sql.CLAIM, ("w1", now, cid, 1)),
        "cancel": (sql.CANCEL, ("cancelled", now, "{}", *guard)),
        "priority": (sql.SET_PRIORITY, (7, *guard)),
        "hold": (sql.HOLD, (f'["{cid}"]',)),
        "end": (sql.END, ("failed", now, None, "{}", *guard)),
        "get": (sql.GET, (cid,)),
        "next due": (sql.NEXT_DUE, ()),
        "counts": (sql.QUEUE_COUNTS, ()),
        "states": (sql.STATE_COUNTS, ()),
        "waits": (sql.WAITS, (0.0,)),
        "oldest": (sql.OLDEST_READY, ()),
        "first unlimited": (sql.FIRST_UNLIMITED, ()),
        "first of a plan": (sql.FIRST_OF_PLAN, ("hello", "")),
        "first of the next plan": (sql.FIRST_OF_NEXT_PLAN, ("", "")),
        "first of the next digest": (sql.FIRST_OF_NEXT_PLAN, ("hello", " ")),
        "first of a lane": (sql.FIRST_OF_LANE, ("hello", "", "x")),
        "first of the next lane": (sql.FIRST_OF_NEXT_LANE, ("hello", "", "[] ")),
        "first of the lanes of the next plan": (sql.FIRST_OF_NEXT_LANE, ("hello", "~", "~")),
        "move": (sql.MOVE, (-1, cid, *guard)),
        "first rank": (sql.FIRST_RANK, (0,)),
        "neighbours": (sql.NEIGHBOURS, (0, cid, 50)),
        "last neighbour": (sql.LAST_NEIGHBOUR, (0, cid)),
        "run at": (sql.RUN_AT, (now, now, 1, *guard)),
        "throughput": (sql.THROUGHPUT, (0,)),
        "ahead by priority": (sql.AHEAD_BY_PRIORITY, (0,)),
        "queue, first page": (sql.FIRST_READY, (100,)),
        "queue, next page": (sql.REST_OF_PRIORITY, (0, 0, cid, 100)),
        "queue, delayed": (sql.NEXT_DELAYED, (0.0, "", 50)),
    }
    for name, where in LISTS.items():
        page = list_statement(where, before=None, most=30, include=frozenset())
        statements[f"list, {name}"] = (page.sql, page.values)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return {
            name: steps_of(connection, text, values) for name, (text, values) in statements.items()
        }


async def test_nothing_costs_more_when_the_queue_is_long(tmp_path: Path) -> None:
    short = costs(tmp_path / "short.db", await fill(tmp_path / "short.db", 1_000))
    long = costs(tmp_path / "long.db", await fill(tmp_path / "long.db", 200_000))
    grown = {name: (short[name], long[name]) for name in short if long[name] > short[name] * 1.1}
    assert grown == {}
    assert max(long.values()) < 50_000


async def test_a_position_costs_no_more_than_its_bound(tmp_path: Path) -> None:
    steps = []
    for queued in (11_000, 22_000):
        path = tmp_path / f"{queued}.db"
        await fill(path, queued)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            steps.append(steps_of(connection, sql.AHEAD_BY_RANK, (0, 0, "z")))
    assert steps[0] == steps[1] > sql.MOST_COUNTED


async def fill_with_blocked(path: Path, blocked: int) -> list[str]:
    """A database with a run that holds a mutex, so many that wait for it, half of them for another
    thing as well, and behind them all two runs that may start; their cids.
    """
    mutex, api = Limit("mutex:site", 1), Limit("resource:api", 2)
    opened = await opened_at(path)
    try:
        await opened.start(limits=(mutex,))
        for _ in range(blocked // 1_000):
            await opened.enqueue_many(500, priority=1, limits=(mutex,))
            await opened.enqueue_many(500, priority=1, limits=(mutex, api))
        return [await opened.enqueue(), await opened.enqueue(limits=(api,))]
    finally:
        await opened.close()


def claim_at(
    path: Path, most: int, host_id: str = "", served: PlanDigests | None = None
) -> tuple[list[str], int, list[str]]:
    """Claim, undone afterwards: the cids, the steps, the statements."""
    worker = worker_name(host_id, 1)
    statements: list[str] = []
    with closing(SqliteDatabase(path)) as database:
        tx = SqlSession(database, ManualClock(), before_commit=cancel_with_parents).begin()
        database.writer.set_trace_callback(statements.append)
        with counted(database.writer) as steps:
            tasklets = claim(tx, [worker] * most, None, 0.0, served) or ()
        return [tasklet.cid for tasklet in tasklets], steps[0], statements


async def test_a_claim_costs_the_same_however_many_runs_are_blocked(tmp_path: Path) -> None:
    costs = []
    for blocked in (1_000, 100_000):
        path = tmp_path / f"{blocked}.db"
        free = await fill_with_blocked(path, blocked)
        cids, steps, _ = await asyncio.to_thread(claim_at, path, 9)
        assert cids == free
        costs.append(steps)
    assert costs[0] == costs[1]


async def fill_with_left(path: Path, left: int) -> list[str]:
    """A database with so many runs that the host `a` leaves to `b`, half of them with a limit, and
    behind them all four that it may take; their cids.
    """
    api = Limit("resource:api", 3)
    opened = await opened_at(path)
    try:
        for _ in range(left // 1_000):
            await opened.enqueue_many(500, priority=1, plan_digest="2")
            await opened.enqueue_many(500, priority=1, plan_digest="2", limits=(api,))
        return [
            await opened.enqueue(plan_digest=digest, limits=limits)
            for digest in ("1", "0")
            for limits in ((), (api,))
        ]
    finally:
        await opened.close()


async def join_with_room(path: Path, *, has_room: bool) -> None:
    """The hosts `a` and `b`, which has room or not."""
    workers = (WorkerStatus("b/worker-1", 1, "ready", slots=int(has_room), busy=0),)
    opened = await opened_at(path)
    try:
        for host_id, digest in (("a", "1"), ("b", "2")):
            status = HostStatus(plans={"hello": digest}, workers=workers)
            await opened.store.fleet.join(host_id, status, may_lead=True)
    finally:
        await opened.close()


async def test_a_claim_costs_the_same_however_many_runs_are_left_to_other_hosts(
    tmp_path: Path,
) -> None:
    costs: dict[bool, list[int]] = {False: [], True: []}
    for left in (1_000, 100_000):
        filled = tmp_path / f"{left}.db"
        free = await fill_with_left(filled, left)
        for has_room, steps_taken in costs.items():
            path = tmp_path / f"{left}-{has_room}.db"
            shutil.copy(filled, path)  # to fill it takes nearly all of the time
            await join_with_room(path, has_room=has_room)
            cids, steps, _ = await asyncio.to_thread(claim_at, path, 9, "a", {"hello": "1"})
            assert cids == free
            steps_taken.append(steps)
    for few, many in costs.values():
        assert few == many


async def test_other_hosts_that_have_the_same_cost_one_look_at_what_they_have(
    tmp_path: Path,
) -> None:
    path, plans = tmp_path / "aura.db", {"hello": "1"}
    opened = await opened_at(path)
    for host_id in "abc":
        await opened.store.fleet.join(host_id, HostStatus(plans=plans), may_lead=True)
    await opened.enqueue_many(9)
    await opened.close()
    cids, _, statements = await asyncio.to_thread(claim_at, path, 9, "a", plans)
    assert len(cids) == 9
    hosts = [each for each in statements if "hosts" in each]
    assert len(hosts) == 2  # which digests they tell of, and the one that is new to this process
    assert not [each for each in statements if "runs_of_plan" in each]


async def test_runs_without_limits_cost_one_statement_to_choose(tmp_path: Path) -> None:
    await fill(tmp_path / "aura.db", 1_000)
    cids, _, statements = await asyncio.to_thread(claim_at, tmp_path / "aura.db", 9)
    assert len(cids) == 9
    assert [each.split()[0] for each in statements] == ["SELECT", "SELECT", *["UPDATE"] * 9]
    assert "UNION ALL" in statements[1]  # the first asks for what is due
