"""The file: its schema and versions, who may open it, what a killed process leaves.

Imports aura_aio.store, model and pytest.
"""

import asyncio
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

import pytest

from aura_aio.model.errors import DatabaseTooNew, StoreUnavailable
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.store.relational.schema import Migration, migrations
from aura_aio.store.sqlite import open_sqlite
from aura_aio.store.sqlite.connection import SqliteConnection
from aura_aio.store.sqlite.database import (
    APPLICATION_ID,
    Opening,
    SqliteDatabase,
    locked,
)
from tests.store.opened import ManualClock
from tests.store.sqlite.at import opened_at
from tests.store.sqlite.schemas import schema

REPOSITORY = Path(__file__).parents[3]

ENQUEUE_AND_WAIT = """
import asyncio, sys
from pathlib import Path
from tests.store.sqlite.at import opened_at
from tests.store.sqlite.schemas import schema

async def main():
    opened = await opened_at(Path(sys.argv[1]))
    print(await opened.start(), await opened.enqueue(), flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


@contextmanager
def database_of(path: Path, steps: list[Migration] | None = None) -> Iterator[SqliteDatabase]:
    """The database, closed at the end."""
    with closing(SqliteDatabase(path, steps)) as database:
        yield database


@contextmanager
def another_server(path: Path) -> Iterator[list[str]]:
    """A process has the database open until the end of the context, where it is killed.

    Gives the cids of a started and of a queued run.
    """
    command = [sys.executable, "-c", ENQUEUE_AND_WAIT, str(path)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=REPOSITORY) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()
        finally:
            process.kill()


def test_schema_sql_is_the_sum_of_the_migrations(tmp_path: Path) -> None:
    text = (files("aura_aio.store.relational") / "schema.sql").read_text(encoding="utf-8")
    with (
        database_of(tmp_path / "aura.db") as database,
        closing(sqlite3.connect(":memory:")) as read,
    ):
        read.executescript(text)
        assert schema(read) == schema(database.writer)
        for pragma in ("PRAGMA user_version", "PRAGMA application_id"):
            assert read.execute(pragma).fetchone() == database.writer.execute(pragma).fetchone()
        for table in ("counters", "state_counts", "queue_counts"):
            rows = f"SELECT * FROM {table}"  # noqa: S608
            assert read.execute(rows).fetchall() == database.writer.execute(rows).fetchall()


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))
    assert all(step.name.startswith(f"{step.number:04}_") for step in migrations())


def test_a_new_database_is_ours_and_safe(tmp_path: Path) -> None:
    with database_of(tmp_path / "new folder" / "aura.db") as database:
        for pragma, value in [
            ("application_id", APPLICATION_ID),
            ("user_version", migrations()[-1].number),
            ("journal_mode", "wal"),
            ("synchronous", 2),
        ]:
            assert database.writer.execute(f"PRAGMA {pragma}").fetchone() == (value,)


@pytest.mark.skipif(sys.platform == "win32", reason="files there have no such mode")
def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with database_of(tmp_path / "new folder" / "aura.db"):
        assert (tmp_path / "new folder").stat().st_mode & 0o777 == 0o700


def test_folders_that_are_missing_are_made(tmp_path: Path) -> None:
    with database_of(tmp_path / "new" / "in a new" / "aura.db") as database:
        assert database.path.is_file()


class NoSharedMemory(SqliteConnection):
    """A connection as on a file system of another host."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """The same, but for the journal."""
        if sql.upper() == "PRAGMA JOURNAL_MODE = WAL":
            sql = "SELECT 'delete'"
        return super().execute(sql, *values)


def test_a_place_without_shared_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "aura.db"
    monkeypatch.setattr("aura_aio.store.sqlite.database.SqliteConnection", NoSharedMemory)
    with pytest.raises(StoreUnavailable) as caught:
        SqliteDatabase(path)
    assert str(caught.value) == (
        f"The database {path.resolve()} is on a file system that cannot share memory between "
        "connections (WAL): give the server a database on a local disk."
    )


def test_an_older_database_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    first = Migration(1, "0001_first.sql", "CREATE TABLE a (n); INSERT INTO a VALUES (7);")
    second = Migration(2, "0002_second.sql", "ALTER TABLE a ADD COLUMN m DEFAULT 8;")
    with database_of(tmp_path / "aura.db", [first]):
        pass
    with database_of(tmp_path / "aura.db", [first, second]) as database:
        assert database.writer.execute("SELECT n, m FROM a").fetchall() == [(7, 8)]
        assert database.writer.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    first = Migration(1, "0001_first.sql", "CREATE TABLE a (n);")
    broken = Migration(2, "0002_broken.sql", "CREATE TABLE b (n); SELECT * FROM nowhere;")
    with (
        pytest.raises(StoreUnavailable, match="nowhere"),
        database_of(tmp_path / "aura.db", [first, broken]),
    ):
        pass
    with database_of(tmp_path / "aura.db", [first]) as database:
        tables = database.writer.execute("SELECT name FROM sqlite_master").fetchall()
        assert tables == [("a",)]


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"
    with database_of(path) as database:
        database.writer.execute("PRAGMA user_version = 999")
        database.writer.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with pytest.raises(
        DatabaseTooNew, match=r"aura\.db .*999.*start that .*one another database\.$"
    ):
        SqliteDatabase(path)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["aura.db", "aura.db.lock"]


@pytest.mark.parametrize("kind", ["sqlite", "version", "application", "text", "folder"])
def test_what_is_not_ours_is_refused_untouched(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "aura.db"
    match kind:
        case "sqlite":
            with closing(sqlite3.connect(path)) as other:
                other.execute("CREATE TABLE notes (text)")
        case "version" | "application":
            with closing(sqlite3.connect(path)) as other:
                name = "user_version" if kind == "version" else "application_id"
                other.execute(f"PRAGMA {name} = 7")
        case "text":
            path.write_text("Dear diary, " * 1_000)
        case _:
            path.mkdir()
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreUnavailable, match=r"aura\.db"):
        SqliteDatabase(path)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_place_where_nothing_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "aura.db"
    with pytest.raises(StoreUnavailable, match=re.escape(f"{path} cannot be opened: ")):
        SqliteDatabase(path)


def test_what_cannot_be_undone_is_told_by_the_next_transaction(tmp_path: Path) -> None:
    with database_of(tmp_path / "aura.db") as database:
        database.begin()
        database.writer.close()
        database.rollback()
        with pytest.raises(sqlite3.ProgrammingError):
            database.begin()


async def test_what_cannot_be_read_is_not_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "aura.db"

    def fail(_: SqliteDatabase) -> Any:
        raise sqlite3.OperationalError("too many of them")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteDatabase, "reader", fail)
        said = re.escape(f"{path} cannot be read: too many of them.")
        with pytest.raises(StoreUnavailable, match=f"^{said}$"):
            await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    store = await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    await store.aclose()


async def test_a_second_opener_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"
    store = await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    try:
        said = (
            rf"^Another server has .*{re.escape(path.name)} open: .* this one another database\.$"
        )
        with pytest.raises(StoreUnavailable, match=said):
            await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    finally:
        await store.aclose()
    again = await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    await again.aclose()


def test_who_has_the_database_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"
    opened: list[SqliteDatabase] = []

    def wait() -> None:
        opened.append(SqliteDatabase(path, how=Opening(lock_wait_sec=20)))

    with closing(locked(path)):
        waiting = Thread(target=wait)
        waiting.start()
        with pytest.raises(StoreUnavailable, match="Another server has"):
            SqliteDatabase(path, how=Opening(lock_wait_sec=0))
        assert opened == []
    waiting.join()
    opened[0].close()


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"

    def enqueue_elsewhere_and_kill() -> tuple[str, str]:
        with (
            another_server(path) as (started, queued),
            pytest.raises(StoreUnavailable, match="Another server has"),
        ):
            SqliteDatabase(path)
        return started, queued

    started, queued = await asyncio.to_thread(enqueue_elsewhere_and_kill)
    opened = await opened_at(path)
    try:
        assert (await opened.run(queued)).state == "queued"
        assert (await opened.run(started)).state == "running"
        assert await opened.store.runs.recover() == {
            "requeued": (),
            "failed": (started,),
            "cancelled": (),
        }
        assert await opened.claim(9) == [queued]
    finally:
        await opened.close()


async def test_log_numbers_are_not_given_again_when_entries_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"
    line = LogLine(0.0, LogLevel.INFO, "aura", "a line")
    store = await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    await store.logs.append([line] * 5)
    await store.aclose()
    for remaining, bounds in ((2, (4, 5)), (0, (6, 5))):
        with closing(sqlite3.connect(path)) as pruning, pruning:
            pruning.execute("DELETE FROM logs WHERE seq <= ?", (5 - remaining,))
        store = await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
        assert await store.logs.bounds() == bounds
        await store.aclose()
    store = await open_sqlite(path, publish=lambda fact: None, clock=ManualClock())
    written = await store.logs.append([line])
    assert [entry.seq for entry in written] == [6]
    assert await store.logs.read(LogFilter(), after=0, up_to=None, limit=9) == written
    await store.aclose()
