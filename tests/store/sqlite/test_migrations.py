"""Databases of every released version are opened and brought up to date, and keep their rows.

`schema.sql` of a release is kept in `released/` when it is made (CONTRIBUTING.md); that of today is
tried like one, so that the test is there before the first. Imports aura_aio.store and pytest.
"""

import re
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from aura_aio.store.relational.schema import migrations
from aura_aio.store.sqlite.database import SqliteDatabase
from tests.store.sqlite.at import opened_at
from tests.store.sqlite.schemas import schema

HERE = Path(__file__).resolve().parent
RELEASED = HERE / "released"
CHANGELOG = HERE.parents[2] / "CHANGELOG.md"
TODAY = files("aura_aio.store.relational") / "schema.sql"

SCHEMAS = {
    "today": TODAY.read_text("utf-8"),
    **{
        path.stem.removeprefix("schema-"): path.read_text("utf-8")
        for path in sorted(RELEASED.glob("schema-*.sql"))
    },
}


def releases(changelog: str) -> set[str]:
    """The versions that were released."""
    return set(re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE))


def test_the_schema_of_each_release_is_kept() -> None:
    missing = releases(CHANGELOG.read_text("utf-8")) ^ (SCHEMAS.keys() - {"today"})
    assert missing == set(), "a release without its schema in released/, or the other way round"


def test_releases_are_read_from_the_changelog() -> None:
    assert releases("## Unreleased\n\n## 1.10.0\n\n## 0.1.0 (2027-01-01)\n") == {"1.10.0", "0.1.0"}


@pytest.fixture(params=SCHEMAS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database of a release, with a row in each table."""
    path = tmp_path / "aura.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(f"PRAGMA synchronous = OFF;\n{SCHEMAS[request.param]}")
        for table in _tables(connection):
            _fill(connection, table)
    return path


def test_a_database_of_a_release_is_brought_up_to_date(old: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        tables = _tables(connection)
    with (
        closing(SqliteDatabase(old)) as database,
        closing(SqliteDatabase(tmp_path / "new.db")) as new,
    ):
        assert schema(database.writer) == schema(new.writer)
        (version,) = database.writer.execute("PRAGMA user_version").fetchone()
        assert version == migrations()[-1].number
        counts = {table: _count(database.writer, table) for table in _tables(new.writer)}
    assert {table for table, count in counts.items() if not count} == counts.keys() - tables


async def test_a_database_of_a_release_takes_runs(old: Path) -> None:
    opened = await opened_at(old)
    cid = await opened.enqueue()
    assert (await opened.run(cid)).state == "queued"
    await opened.close()


_VALUES = {"TEXT": "[]", "INTEGER": 1, "REAL": 1.0, "BLOB": b"{}"}


def _tables(connection: sqlite3.Connection) -> set[str]:
    names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {name for (name,) in connection.execute(names)}


def _count(connection: sqlite3.Connection, table: str) -> int:
    (count,) = connection.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()  # noqa: S608
    return int(count)


def _fill(connection: sqlite3.Connection, table: str) -> None:
    """Put a row into `table`: of each column a value of its type, or the first that it may have."""
    (text,) = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE name = ?", (table,)
    ).fetchone()
    allowed = dict(re.findall(r"CHECK \((\w+) IN \(\s*'(\w+)'", text))
    columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    row = {name: allowed.get(name, _VALUES[kind]) for _, name, kind, *_ in columns}
    places = ", ".join("?" * len(row))
    names = ", ".join(f'"{name}"' for name in row)
    insert = f'INSERT INTO "{table}" ({names}) VALUES ({places})'  # noqa: S608
    connection.execute(insert, tuple(row.values()))
