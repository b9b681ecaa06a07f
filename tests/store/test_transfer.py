"""Everything that is in one database, moved to another of the other kind.

Imports pytest, psycopg, aura_aio's stores and model, and the fixtures.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from aura_aio.migrate_store import Report, migrate_store
from aura_aio.model.audit import AuditFilter, AuditOutcome, Note
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import AuraError, DatabaseInUse, DatabaseTooNew, StoreUnavailable
from aura_aio.model.event import EventFilter
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.model.ports import Accepted
from aura_aio.model.store_migration import NotMigrated
from aura_aio.store.postgres.connection import PostgresConnection
from aura_aio.store.relational.schema import Migration, migrations
from aura_aio.store.relational.transfer import Tally, refuse_version, tables
from aura_aio.store.sqlite.transfer import SqliteEnd
from tests.postgres_server import clean_database, new_database
from tests.store.opened import DEFINITION, Open, Opened
from tests.store.postgres.at import postgres_at
from tests.store.sqlite.at import sqlite_at
from tests.store.sqlite.damage import damage_rows, filled
from tests.store.whole_store import KEY, fill, portrait

psycopg = pytest.importorskip("psycopg")

NOT_THE_SAME = r"is not the same .* found \(digest .*\)\. Nothing was kept; both databases"
NO_NUMBER = r"no float in the column last_used_at\. Bring the database back from a backup\.$"
SOMETHING = r"something in postgres.*table definitions.*: name a database that is new\.$"
TABLES = [table.name for table in tables()]


@asynccontextmanager
async def opened_by(backend: Open, clock_of: Opened | None = None) -> AsyncIterator[Opened]:
    """A store while the context is open; its time is that of `clock_of`."""
    opened = Opened(backend)
    if clock_of is not None:
        opened.clock.seconds = clock_of.clock.seconds
    await opened.open()
    yield opened
    await opened.close()


async def move(source: Path | DatabaseUrl, target: Path | DatabaseUrl, data: Path) -> Report:
    """What the command does."""
    return await asyncio.to_thread(migrate_store, source, target, data)


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    """A file with a row in each table; nobody has it open."""
    async with opened_by(sqlite_at(tmp_path / "aura.db")) as opened:
        await fill(opened)
    return tmp_path / "aura.db"


async def test_everything_is_the_same_in_either_kind_and_goes_on(
    source: Path, tmp_path: Path
) -> None:
    url, back, data = new_database(), tmp_path / "back" / "aura.db", tmp_path
    (data / "callbacks.key").touch()
    async with opened_by(sqlite_at(source)) as first:
        wanted = await portrait(first)
    there = await move(source, url, data)
    assert [each.table for each in there.transferred.tables] == TABLES
    assert all(each.rows for each in there.transferred.tables)
    assert (there.beside, there.lost_key) == ((data / "callbacks.key",), data / "secrets.key")
    assert there.transferred.changed == 0
    again = await move(url, back, data)
    assert again.transferred == there.transferred
    for backend in (postgres_at(url), sqlite_at(back), sqlite_at(source)):
        async with opened_by(backend, first) as opened:
            assert await portrait(opened) == wanted
            await goes_on(opened, wanted)


async def goes_on(opened: Opened, before: dict[str, Any]) -> None:
    """Numbers follow those that are there, and what was accepted once is not accepted again."""
    (entry,) = await opened.store.logs.append([LogLine(3.0, LogLevel.INFO, "task", "later")])
    assert entry.seq == before["bounds"][1] + 1
    await opened.store.audit.append(Note("later"), AuditOutcome.DONE)
    events = await opened.store.audit.list_events(AuditFilter(), limit=9, cursor=None)
    assert events.items[0].number == before["audit"].items[0].number + 1
    answer = await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), KEY)
    assert isinstance(answer, Accepted)
    assert answer.replayed
    await opened.store.queue.resume("other")
    claimed = await opened.claim(50)
    waited = [run.cid for _, run in before["queued"][False].items]
    assert [cid for cid in waited if cid in claimed] == claimed
    opened.store.events.listen((EventFilter(),))
    await opened.end(claimed[0])
    kept = await opened.store.events.kept(9)
    assert [event.number for event in kept] == [1, 2]
    await opened.store.runs.recover()
    assert await opened.store.runs.list_active() == ()


async def test_what_postgresql_cannot_hold_is_its_picture_and_is_counted(tmp_path: Path) -> None:
    path, url = tmp_path / "aura.db", clean_database()
    async with opened_by(sqlite_at(path)) as opened:
        await opened.store.logs.append([LogLine(1.0, LogLevel.INFO, "task", "a\0b")] * 2)
    assert (await move(path, url, tmp_path)).transferred.changed == 2
    async with opened_by(postgres_at(url)) as opened:
        entries = await opened.store.logs.read(LogFilter(), after=0, up_to=None, limit=9)
    assert [entry.line.message for entry in entries] == ["a\u2400b"] * 2


def tables_in(url: DatabaseUrl) -> list[str]:
    """What is there of ours."""
    with closing(psycopg.connect(url.secret)) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'aura'")
        return [name for (name,) in found.fetchall()]


def lose_the_connection(monkeypatch: pytest.MonkeyPatch, _: Path, url: DatabaseUrl) -> None:
    """It is lost when half of it is there."""
    whole = SqliteEnd.rows

    def cut(end: SqliteEnd, table: Any) -> Any:
        yield from whole(end, table)
        if table.name == "runs":
            with closing(psycopg.connect(url.secret, autocommit=True)) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE application_name = 'aura' AND datname = current_database()"
                )

    monkeypatch.setattr(SqliteEnd, "rows", cut)


def break_a_row(_: pytest.MonkeyPatch, source: Path, __: DatabaseUrl) -> None:
    """In one of the last tables."""
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute("UPDATE tokens SET last_used_at = 'yesterday' WHERE name = 'wall'")


@pytest.mark.parametrize(
    ("make", "said"),
    [(lose_the_connection, "cannot be used"), (break_a_row, NO_NUMBER)],
)
async def test_a_failure_in_the_midst_leaves_nothing(
    make: Callable[..., None],
    said: str,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, file = new_database(), tmp_path / "new" / "aura.db"
    make(monkeypatch, source, url)
    with pytest.raises(AuraError, match=said):
        await move(source, url, tmp_path)
    assert tables_in(url) == []
    if make is break_a_row:
        with pytest.raises(NotMigrated, match=said):
            await move(source, file, tmp_path)
        assert [path.name for path in file.parent.iterdir()] == ["aura.db.lock"]
    async with opened_by(sqlite_at(source)) as opened:
        assert await opened.store.runs.list_active()


async def test_what_cannot_be_read_to_the_end_is_told_with_its_database(tmp_path: Path) -> None:
    url = new_database()
    async with opened_by(postgres_at(url)):
        """Its tables are made."""
    with closing(psycopg.connect(url.secret, autocommit=True)) as admin:
        admin.execute("DROP TABLE aura.tokens")
    said = re.escape(f'The database {url} cannot be used: relation "tokens" does not exist')
    with pytest.raises(StoreUnavailable, match=said):
        await move(url, tmp_path / "new.db", tmp_path)
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("is_lost", [True, False])
async def test_a_last_step_that_is_not_answered_may_have_happened(
    is_lost: bool, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database()
    monkeypatch.setattr(PostgresConnection, "is_lost", is_lost)
    execute = psycopg.Connection.execute

    def cut(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        if query == "COMMIT":
            raise psycopg.OperationalError("geheim, the server is gone\nfor good")
        return execute(self, query, *values, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", cut)
    if not is_lost:
        with pytest.raises(StoreUnavailable, match="cannot be used: geheim, the server is gone"):
            await move(source, url, tmp_path)
        return
    with pytest.raises(NotMigrated) as caught:
        await move(source, url, tmp_path)
    assert str(caught.value) == (
        f"The connection to {url} was lost with the last step, when all was there and compared "
        "(geheim, the server is gone). Do the same again: if it says that there is something in it "
        "already, all of it is there."
    )


@pytest.mark.parametrize(
    "alters", ["RETURN NULL;", "NEW.message = NEW.message || '.'; RETURN NEW;"]
)
async def test_what_does_not_arrive_as_it_was_is_noticed(
    alters: str, source: Path, tmp_path: Path
) -> None:
    url = clean_database()
    async with opened_by(postgres_at(url)):
        """Its tables are made."""
    with closing(psycopg.connect(url.secret, autocommit=True)) as admin:
        admin.execute(
            f"CREATE FUNCTION aura.alter() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {alters} "
            "END $$; CREATE TRIGGER alter BEFORE INSERT ON aura.logs FOR EACH ROW "
            "WHEN (NEW.seq = 2) EXECUTE FUNCTION aura.alter()"
        )
        try:
            with pytest.raises(NotMigrated, match=f"table logs {NOT_THE_SAME}"):
                await move(source, url, tmp_path)
            (count,) = admin.execute("SELECT COUNT(*) FROM aura.runs").fetchone() or (None,)
            assert count == 0
        finally:
            admin.execute("DROP FUNCTION aura.alter CASCADE")


async def test_a_database_that_a_server_has_is_left_alone(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = clean_database()
    monkeypatch.setattr("aura_aio.store.postgres.transfer.LOCK_WAIT_SEC", 0.05)
    async with opened_by(sqlite_at(source)):
        with pytest.raises(DatabaseInUse):
            await move(source, url, tmp_path)
    async with opened_by(postgres_at(url)) as opened:
        with pytest.raises(DatabaseInUse):
            await move(source, url, tmp_path)
        with pytest.raises(DatabaseInUse):
            await move(url, tmp_path / "new.db", tmp_path)
        await opened.enqueue()
    with pytest.raises(NotMigrated, match=SOMETHING):
        await move(source, url, tmp_path)


def a_new(path: Path) -> None:
    """One whose tables are still to be made."""
    filled(path)
    set_version(path, 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA application_id = 0x41757261")


def set_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def a_newer(path: Path) -> None:
    """One that is not known yet."""
    filled(path)
    set_version(path, 99)


def damaged(path: Path) -> None:
    """A page of it is lost."""
    damage_rows(filled(path))


def lacking(path: Path) -> None:
    """An index of it is gone."""
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP INDEX runs_ready")


def foreign(path: Path) -> None:
    """Another program's."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE recipes (name)")


def text(path: Path) -> None:
    """No database at all."""
    path.write_text("It is a text, and longer than the head of a database is. " * 9, "utf-8")


def missing(_: Path) -> None:
    """Nothing there."""


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (a_new, NotMigrated, "nothing in it to move"),
        (a_newer, DatabaseTooNew, "newer version"),
        (damaged, StoreUnavailable, "is damaged"),
        (lacking, StoreUnavailable, "lacks runs_ready"),
        (foreign, StoreUnavailable, "another program"),
        (text, StoreUnavailable, "damaged|cannot be read"),
        (missing, StoreUnavailable, "There is no database"),
    ],
)
def test_what_cannot_be_moved_is_refused(
    make: Callable[[Path], None], error: type[AuraError], said: str, tmp_path: Path
) -> None:
    source, target = tmp_path / "old.db", tmp_path / "new.db"
    make(source)
    before = source.read_bytes() if source.exists() else None
    with pytest.raises(error, match=said):
        migrate_store(source, target, tmp_path)
    assert not target.exists()
    assert before == (source.read_bytes() if source.exists() else None)


def test_a_file_that_cannot_be_read_to_the_end_is_told(tmp_path: Path) -> None:
    path = filled(tmp_path / "old.db")
    with closing(sqlite3.connect(path)) as connection:
        end = SqliteEnd(connection, path)
    with pytest.raises(StoreUnavailable, match=re.escape(f"{path} cannot be read as a database")):
        list(end.rows(tables()[0]))


def test_an_older_version_is_to_be_brought_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    later = Migration(2, "0002_later.sql", "")
    monkeypatch.setattr(
        "aura_aio.store.relational.transfer.migrations", lambda: (*migrations(), later)
    )
    with pytest.raises(NotMigrated, match="start a server of this version on it"):
        refuse_version("aura.db", 1)
    refuse_version("aura.db", 2)


async def test_where_something_is_nothing_is_moved_to(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine", "utf-8")
    with pytest.raises(NotMigrated, match="is a file"):
        await move(source, there, tmp_path)
    assert there.read_text("utf-8") == "mine"
    with pytest.raises(NotMigrated, match="to itself"):
        await move(source, source, tmp_path)
    with pytest.raises(NotMigrated, match="nothing in it"):
        await move(new_database(), tmp_path / "new.db", tmp_path)


def test_rows_are_counted_and_summed_up_in_any_order() -> None:
    rows = [(1, "a", None), (2, "b", 0.5), (2, "b", 0.5)]

    def tallied(rows: list[tuple[Any, ...]]) -> tuple[int, str]:
        tally = Tally()
        assert list(tally.counted(rows)) == rows
        return tally.count, tally.digest

    count, digest = tallied(rows)
    single = [int(tallied([row])[1], 16) for row in rows]
    assert (count, digest) == (3, f"{sum(single) % 2**256:064x}")
    assert tallied(rows[::-1]) == (count, digest)
    assert tallied([])[0] == 0
    assert tallied(rows[:2])[1] != tallied(rows[1:])[1]
