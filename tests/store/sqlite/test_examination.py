"""What is told of a database from outside, and a copy of it: read, never changed, never trusted.

Imports aura_aio.store, model and pytest.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from aura_aio.model.access import NewToken, Scope, make_token
from aura_aio.model.audit import AuditOutcome, Note
from aura_aio.model.errors import DatabaseInUse, DatabaseTooNew, StoreUnavailable
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.store.relational.examination import Examined
from aura_aio.store.relational.schema import migrations
from aura_aio.store.sqlite.backup import check_database, copy_database, no_server_has
from aura_aio.store.sqlite.database import SqliteDatabase
from aura_aio.store.sqlite.examination import examined, is_in_use, usable_tokens
from tests.store.sqlite.at import opened_at
from tests.store.sqlite.damage import damage_rows, filled

NEWEST = migrations()[-1].number
SOUND = Examined(True, NEWEST, NEWEST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound database that nobody has open."""
    return filled(tmp_path / "aura.db")


def changed(path: Path, *statements: str) -> Path:
    """The database after something was done to it by hand."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


def of_another_program(path: Path) -> Path:
    """A database in its place that is none of ours."""
    path.unlink()
    return changed(path, "CREATE TABLE notes (text)")


def lacking_in_an_index(path: Path) -> None:
    """Let an index lack the row of the table, which its pages do not show."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE INDEX few ON definitions (digest) WHERE digest = 'small'")
        connection.execute("PRAGMA writable_schema = ON")
        update = "UPDATE sqlite_schema SET sql = replace(sql, 'small', 'large') WHERE name = 'few'"
        connection.execute(update)


def test_of_a_new_database_all_is_known_and_nothing_is_in_it(path: Path) -> None:
    before = path.read_bytes()
    assert examined(path) == SOUND
    assert usable_tokens(path) == ()
    assert path.read_bytes() == before


async def test_of_a_database_in_use_what_is_committed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"
    opened = await opened_at(path)
    began, store = opened.clock.now(), opened.store

    async def now() -> Examined:
        return await asyncio.to_thread(examined, path)

    assert await now() == SOUND
    token, _ = make_token(NewToken(scope=Scope.RUN, name="ada"), began)
    await store.tokens.add(token)
    assert await asyncio.to_thread(usable_tokens, path) == (token,)
    for after in (0, 1):
        opened.clock.seconds = began + after
        await opened.enqueue()
    assert await now() == SOUND._replace(tokens=(token,), latest_at=began + 1)
    await store.logs.append([LogLine(began + n, LogLevel.INFO, "x", "y") for n in (1, 3)])
    assert (await now()).latest_at == began + 3
    for after in (4, 5):
        opened.clock.seconds = began + after
        await store.audit.append(Note("startSystem"), AuditOutcome.DONE)
    assert await now() == SOUND._replace(tokens=(token,), latest_at=began + 5)
    await opened.enqueue(sealed="secret")
    assert (await now()).has_sealed is True
    await opened.close()


def test_a_database_is_in_use_while_somebody_has_it_open(path: Path) -> None:
    assert is_in_use(path) is False
    with closing(SqliteDatabase(path)):
        assert is_in_use(path) is True
        with pytest.raises(DatabaseInUse), no_server_has(path):
            pass
    assert is_in_use(path) is False
    with no_server_has(path):
        assert is_in_use(path) is True
        with pytest.raises(DatabaseInUse):
            SqliteDatabase(path)
    assert is_in_use(path) is False


def test_whether_it_is_in_use_may_not_be_told(path: Path) -> None:
    lock = path.with_name("aura.db.lock")
    lock.unlink()
    assert (is_in_use(path), lock.exists()) == (False, False)
    lock.mkdir()
    with pytest.raises(StoreUnavailable, match=r"aura\.db\.lock cannot be opened: .*unable"):
        is_in_use(path)
    refused = f"^{re.escape(str(path.parent))} cannot be used: .*unable"
    with pytest.raises(StoreUnavailable, match=refused), no_server_has(path):
        pass


def test_what_should_be_there_and_is_not_is_named(path: Path) -> None:
    changed(path, "DROP INDEX runs_ready", "DROP TABLE logs", "CREATE TABLE notes (text)")
    missing = examined(path).missing
    assert {"runs_ready", "logs"} < set(missing)
    assert list(missing) == sorted(missing)
    assert not any(name.startswith("sqlite_") for name in missing)
    changed(path, "CREATE TABLE logs (seq, timestamp)", f"PRAGMA user_version = {NEWEST - 1}")
    assert examined(path) == Examined(True, NEWEST - 1, NEWEST)


def test_of_what_cannot_be_used_no_more_is_told(path: Path) -> None:
    assert examined(changed(path, "PRAGMA user_version = 999")) == Examined(True, 999, NEWEST)
    with pytest.raises(DatabaseTooNew, match="999"):
        usable_tokens(path)
    assert examined(of_another_program(path)) == Examined(False, 0, NEWEST)
    with pytest.raises(StoreUnavailable, match=r"aura\.db is the database of another program"):
        usable_tokens(path)
    path.unlink()
    assert usable_tokens(changed(path, "VACUUM")) == ()


def test_damage_is_told_indexes_included(path: Path) -> None:
    lacking_in_an_index(path)
    found = examined(path)
    assert found == SOUND._replace(damage=found.damage)
    assert "index few" in str(found.damage)
    with pytest.raises(StoreUnavailable, match=r"aura\.db is damaged: .*index few\.$"):
        check_database(path)


@pytest.mark.parametrize("look", [examined, usable_tokens, check_database])
def test_what_is_no_database_cannot_be_read_and_nothing_is_made(
    tmp_path: Path, look: Callable[[Path], object]
) -> None:
    path = tmp_path / "a b?c.db"
    with pytest.raises(StoreUnavailable, match=r"a b\?c\.db cannot be read as a database: .*open"):
        look(path)
    assert not path.exists()
    path.write_text("Dear diary, " * 1_000, "utf-8")
    with pytest.raises(StoreUnavailable, match="cannot be read as a database: file is not a"):
        look(path)


def test_a_copy_is_what_is_there_at_one_moment(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(SqliteDatabase(path)) as database:
        database.writer.execute("INSERT INTO definitions VALUES ('a', '{}')")
        database.writer.execute("BEGIN")
        database.writer.execute("INSERT INTO definitions VALUES ('b', '{}')")
        copy_database(path, copy)
        database.writer.execute("ROLLBACK")
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT digest FROM definitions ORDER BY digest").fetchall()
    assert found == [("a",), ("large",)]
    assert examined(copy) == SOUND
    with pytest.raises(StoreUnavailable, match=r"aura\.db cannot be copied: .*exists"):
        copy_database(path, copy)


def test_what_cannot_be_used_is_no_copy(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"^There is no database .*where\.db: .*--data-dir"):
        copy_database(tmp_path / "nowhere.db", tmp_path / "a.db")
    changed(path, "PRAGMA user_version = 999")
    with pytest.raises(DatabaseTooNew, match=r"b\.db .*newer .*999\): use that one\.$"):
        copy_database(path, tmp_path / "b.db")
    with pytest.raises(StoreUnavailable, match=r"c\.db is the database of another program\.$"):
        copy_database(of_another_program(path), tmp_path / "c.db")
    path.unlink()
    of_it = (damage_rows(filled(path)), tmp_path / "d.db")
    with pytest.raises(StoreUnavailable, match=r"aura\.db is damaged: .* aura restore"):
        copy_database(*of_it)
    assert not of_it[1].exists()
    path.write_text("Dear diary, " * 1_000, "utf-8")
    with pytest.raises(StoreUnavailable, match=r"aura\.db is damaged: file is not a"):
        copy_database(*of_it)
