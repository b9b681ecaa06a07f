"""Rows that are inserted together: by few statements, and as if one by one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from aura_aio.store.sqlite.connection import SqliteConnection

INSERT = "INSERT INTO kept (text, n) VALUES (?, ?) ON CONFLICT (text) DO UPDATE SET n = excluded.n"


@pytest.fixture
def connection() -> Iterator[SqliteConnection]:
    with closing(SqliteConnection(":memory:", isolation_level=None)) as opened:
        opened.execute(
            "CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT UNIQUE, n CHECK (n < 9000))"
        )
        yield opened


def _kept(connection: SqliteConnection) -> list[tuple[str, int]]:
    return list(connection.execute("SELECT text, n FROM kept ORDER BY id"))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 64, 200])
def test_rows_are_inserted_in_their_order(connection: SqliteConnection, count: int) -> None:
    rows = [(f"row {n}", n) for n in range(count)]
    connection.insert(INSERT, rows)
    assert _kept(connection) == rows
    assert connection.total_changes == count


def test_many_rows_are_few_statements(connection: SqliteConnection) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    connection.insert(INSERT, [(f"row {n}", n) for n in range(64 + 32 + 16 + 8 + 7)])
    assert len(statements) == 4 + 7


def test_the_last_of_two_rows_with_one_key_counts(connection: SqliteConnection) -> None:
    connection.insert(INSERT, [(f"row {n % 8}", n) for n in range(16)])
    assert _kept(connection) == [(f"row {n}", n + 8) for n in range(8)]


def test_a_statement_has_no_more_values_than_the_database_takes(
    connection: SqliteConnection,
) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 20)
    rows = [(f"row {n}", n) for n in range(100)]
    connection.insert(INSERT, rows)
    assert _kept(connection) == rows


def test_a_row_that_is_refused_fails_all_of_its_statement(connection: SqliteConnection) -> None:
    rows = [(f"row {n}", n) for n in range(16)]
    rows[12] = ("too many", 9000)
    with pytest.raises(sqlite3.IntegrityError):
        connection.insert(INSERT, rows)
    assert _kept(connection) == []


def test_an_insert_without_a_row_of_values_is_a_mistake(connection: SqliteConnection) -> None:
    with pytest.raises(ValueError, match="no row of values"):
        connection.insert("INSERT INTO kept (text) SELECT ?", [("a",)] * 8)
