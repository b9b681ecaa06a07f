"""The shared statements and the shared schema, as PostgreSQL has them.

Imports aura_aio.store, psycopg and pytest.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from aura_aio.store.postgres.arrays import whole
from aura_aio.store.postgres.dialect import translated
from aura_aio.store.relational import sql
from aura_aio.store.relational.schema import migrations
from tests.postgres_server import clean_database
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at

psycopg = pytest.importorskip("psycopg")

NAMED = {
    name: text
    for name, text in vars(sql).items()
    if isinstance(text, str) and text.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}
}
SMALL = (
    "queue_counts",
    "state_counts",
    "definitions",
    "schedules",
    "pauses",
    "tokens",
    "counters",
    "hosts",
)
"""Tables of which every row is wanted, or that have a row or two."""


@pytest.fixture
async def connection() -> Any:
    """A connection as the store has them, to a database with its tables."""
    from aura_aio.store.postgres.connection import PostgresConnection  # noqa: PLC0415 - as psycopg

    url = clean_database()
    opened = Opened(postgres_at(url))
    await opened.open()
    await opened.close()
    with closing(PostgresConnection(url)) as connection:
        yield connection


def test_no_statement_walks_over_a_table_or_sorts_it(connection: Any) -> None:
    found = {}
    for name, text in NAMED.items():
        explain = f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {translated(text).text}"
        steps = [row[0] for row in connection.raw.execute(explain)]
        walks = [
            step
            for step in steps
            if re.search(r"Seq Scan on (?!" + "|".join(SMALL) + r")|^\s*(->)?\s*Sort$", step)
        ]
        if walks:
            found[name] = steps
    assert found == {}
    walk = connection.raw.execute("EXPLAIN (COSTS OFF) SELECT COUNT(*) FROM steps WHERE tries = 1")
    assert any("Seq Scan on steps" in row[0] for row in walk)


QUEUED = """
    INSERT INTO runs (cid, plan_name, task_name, definition_digest, state, attempt, priority,
        inputs, created_at, ready_at, delayed, on_crash, limits, depth, arrival)
    SELECT 'c' || n, 'p', 't', '', 'queued', 1, 0, '', 0, 0, 0, 'fail', '[]', 0, 'c' || n
    FROM generate_series(1, $1) AS numbers (n)
"""


@pytest.mark.parametrize("size", [0, 5_000])
def test_those_of_a_list_are_looked_up_one_by_one_however_large_the_table_is(
    connection: Any, size: int
) -> None:
    connection.raw.execute(QUEUED, (size,))
    connection.raw.execute("ANALYZE runs")
    index = {}
    for name in (name for name, text in NAMED.items() if "json_each" in text):
        explain = f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {translated(NAMED[name]).text}"
        steps = [row[0].strip() for row in connection.raw.execute(explain)]
        assert not [step for step in steps if "Join" in step or "Nested Loop" in step], name
        index[name] = next(step for step in steps if step.startswith("Index Cond:"))
    assert {"HOLD", "GET_SEVERAL", "ENDED", "HEADS_AMONG"} <= index.keys()
    others = {name: used for name, used in index.items() if "cid = ANY (" not in used}
    assert others == {}


@pytest.mark.parametrize("size", [0, 5_000])
def test_many_changes_are_looked_up_one_by_one_however_large_the_table_is(
    connection: Any, size: int
) -> None:
    connection.raw.execute(QUEUED, (size,))
    connection.raw.execute("ANALYZE runs")
    ways = {}
    for name, shared in NAMED.items():
        text = translated(shared).text
        form = whole(text)
        if form is not None and not text.lstrip().startswith("INSERT"):
            explain = f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {connection.with_arrays(form, text)}"
            steps = [row[0].strip() for row in connection.raw.execute(explain)]
            ways[name] = [step for step in steps if re.search("Scan|Cond:", step)]
    assert {"END", "CLAIM", "JOIN", "CANCEL", "REQUEUE", "MOVE"} <= ways.keys()
    # Of an empty table the planner may think that any index is as good that has the cid.
    index = "runs_pkey" if size else r"\w+"
    for name, (rows, look_up, key) in ways.items():
        assert re.fullmatch("->  Function Scan on (unnest )?rows", rows), name
        assert re.fullmatch(
            rf"->  Index Scan using ({index} on runs|\w+ on (?!runs)\w+)", look_up
        ), name
        assert re.fullmatch(r"Index Cond: \(\w+ = ANY \(ARRAY\[rows\.p\d+\]\)\)", key), name


def test_both_have_the_same_tables_columns_and_indexes(connection: Any) -> None:
    columns = connection.raw.execute(
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'aura' AND table_name NOT IN ('migrations', 'commits')"
    ).fetchall()
    indexes = connection.raw.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'aura' AND indexname !~ '_(pkey|key)$'"
    ).fetchall()
    with closing(sqlite3.connect(":memory:")) as other:
        for step in migrations():
            other.executescript(step.sql)
        assert sorted(columns) == sorted(_columns(other))
        names = other.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    assert sorted(indexes) == sorted(names)


def _columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for _, name, _, is_not_null, _, key in connection.execute(f"PRAGMA table_info({table})"):
            yield table, name, "NO" if is_not_null or key else "YES"


def test_each_branch_of_a_union_has_the_order_of_the_whole() -> None:
    union = "SELECT a FROM t WHERE a IN (1) UNION ALL SELECT a FROM u ORDER BY a LIMIT ?"
    ordered = "SELECT a FROM t WHERE a IN (1)  ORDER BY  a  UNION ALL  SELECT a FROM u  ORDER BY  a"
    words = translated(union).text.replace("(1)", "1").replace("(", "").replace(")", "").split()
    assert words == f"{ordered} ORDER BY a LIMIT $1".replace("(1)", "1").split()
    within = "SELECT a FROM t WHERE a IN (SELECT b FROM u UNION ALL SELECT b FROM v) ORDER BY a"
    assert translated(within).text == within
    three = "SELECT a FROM t UNION ALL SELECT a FROM u UNION ALL SELECT a FROM v ORDER BY a"
    assert " ".join(translated(three).text.split()) == (
        "(SELECT a FROM t ORDER BY a) UNION ALL ( SELECT a FROM u ORDER BY a) UNION ALL "
        "( SELECT a FROM v ORDER BY a) ORDER BY a"
    )
    last = "SELECT a FROM t UNION ALL SELECT a FROM (SELECT a FROM u ORDER BY b LIMIT 1) ORDER BY a"
    assert " ".join(translated(last).text.split()) == (
        "(SELECT a FROM t ORDER BY a) UNION ALL "
        "( SELECT a FROM (SELECT a FROM u ORDER BY b LIMIT 1) ORDER BY a) ORDER BY a"
    )
    unordered = "SELECT a FROM t UNION ALL SELECT a FROM u"
    assert translated(unordered).text == unordered


@pytest.mark.parametrize(
    ("shared", "words", "names"),
    [
        ("SELECT 1 FROM t WHERE a = ? AND b = ?", "SELECT 1 FROM t WHERE a = $1 AND b = $2", ()),
        ("a = ?2 OR b = ?1 OR c = ?2", "a = $2 OR b = $1 OR c = $2", ()),
        ("a = :x AND b = :y AND c = :x", "a = $1 AND b = $2 AND c = $1", ("x", "y")),
        ("FROM runs INDEXED BY runs_ready WHERE", "FROM runs  WHERE", ()),
    ],
)
def test_values_have_their_places(shared: str, words: str, names: tuple[str, ...]) -> None:
    statement = translated(shared)
    assert (statement.text, statement.names) == (words, names)
    assert statement.values({"x": 1, "y": 2}) == ([1, 2] if names else [])
