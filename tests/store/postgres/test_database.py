"""A database on a PostgreSQL server: whose it is, and what happens when the connection is lost.

Imports aura_aio.store, model, psycopg and pytest.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import pytest

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import (
    DatabaseInUse,
    DatabaseTooNew,
    SettingsError,
    StoreUnavailable,
)
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.store.opening import open_store
from aura_aio.store.postgres import custody, database
from aura_aio.store.postgres.connection import PostgresConnection
from aura_aio.store.postgres.database import PostgresDatabase
from aura_aio.store.relational.schema import migrations
from aura_aio.store.relational.store import SqlStore
from aura_aio.store.relational.transaction import Transaction
from tests.postgres_server import new_database
from tests.store.opened import DEFINITION, ManualClock, Opened
from tests.store.postgres.at import postgres_at
from tests.waiting import until

psycopg = pytest.importorskip("psycopg")

STEPS = migrations()


@pytest.fixture
async def opened(url: DatabaseUrl) -> AsyncIterator[Opened]:
    """The store in it."""
    opened = Opened(postgres_at(url))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def admin(url: DatabaseUrl) -> Iterator[Any]:
    """A connection beside the server's."""
    with closing(psycopg.connect(url.secret, autocommit=True)) as connection:
        yield connection


def whole(opened: Opened) -> SqlStore:
    """The store with what is behind its ports."""
    assert isinstance(opened.store, SqlStore)
    return opened.store


def end_connections(admin: Any) -> None:
    """Let the database server end every connection but this one, as when it restarts."""
    admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'aura' AND datname = current_database()"
    )


async def test_who_wants_it_alone_is_refused_while_a_server_has_it(
    opened: Opened, url: DatabaseUrl
) -> None:
    with closing(PostgresConnection(url)) as connection:
        with pytest.raises(DatabaseInUse, match="stop all of them"):
            custody.take(connection, url, 0.01)
        await opened.close()
        custody.take(connection, url, 2.0)
        said = re.escape(f"A command has the database {url} alone: wait for it.")
        with pytest.raises(DatabaseInUse, match=f"^{said}$"):
            await open_store(url, publish=print, clock=ManualClock(), wait_sec=0.01)
    await opened.open()


async def test_who_has_it_alone_is_waited_for(url: DatabaseUrl, admin: Any) -> None:
    def waits() -> bool:
        return bool(admin.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())

    with closing(PostgresConnection(url)) as server:
        with closing(PostgresConnection(url)) as command:
            custody.take(command, url, 2.0)
            shares = asyncio.create_task(asyncio.to_thread(custody.share, server, url, 60.0))
            await until(waits)
        await shares
        assert custody.is_held(server)


async def test_who_opens_what_is_up_to_date_waits_for_no_turn(
    opened: Opened, url: DatabaseUrl
) -> None:
    with closing(PostgresConnection(url)) as other, other.raw.transaction():
        other.execute("SELECT pg_advisory_xact_lock(?)", (custody.TURN,))
        await opened.reopen()


async def test_a_database_of_a_newer_version_is_not_touched(
    opened: Opened, url: DatabaseUrl, admin: Any
) -> None:
    await opened.close()
    admin.execute("INSERT INTO aura.migrations (number, name) VALUES (99, 'later')")
    try:
        with pytest.raises(DatabaseTooNew) as caught:
            await opened.open()
        assert str(caught.value) == (
            f"The database {url} was written by a newer version of Aura (its schema is 99, this "
            f"version knows {STEPS[-1].number}): start that version, or give this one another "
            "database."
        )
    finally:
        admin.execute("DELETE FROM aura.migrations WHERE number = 99")


async def test_servers_that_start_together_make_the_tables_once() -> None:
    url = new_database()
    both = [Opened(postgres_at(url, name=name)) for name in ("one", "two")]
    await asyncio.gather(*(each.open() for each in both))
    for each in both:
        assert await each.enqueue()
        await each.close()
    with closing(psycopg.connect(url.secret, autocommit=True)) as admin:
        numbers = admin.execute("SELECT number, name FROM aura.migrations ORDER BY 1").fetchall()
    assert numbers == [(step.number, step.name) for step in STEPS]


@pytest.mark.parametrize("table", ["runs (distance int)", "migrations (number int)"])
async def test_a_schema_of_another_program_is_refused(table: str) -> None:
    url = new_database()
    with closing(psycopg.connect(url.secret, autocommit=True)) as admin:
        admin.execute("CREATE SCHEMA aura")
        admin.execute(f"CREATE TABLE aura.{table}")
    with pytest.raises(StoreUnavailable) as caught:
        await open_store(url, publish=print, clock=ManualClock())
    assert str(caught.value) == (
        f"In {url} the schema 'aura' is that of another program: give the server another database."
    )


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    url = DatabaseUrl("postgresql://me:geheim@127.0.0.1:1/aura")
    with pytest.raises(StoreUnavailable) as caught:
        await open_store(url, publish=print, clock=ManualClock())
    assert "postgresql://me@127.0.0.1:1/aura cannot be reached: connection " in str(caught.value)
    assert "geheim" not in f"{caught.value} {caught.value.__cause__}"


async def test_an_address_that_is_none_is_told_without_the_password() -> None:
    for address in ("postgresql://me:geheim@db/aura?no=1", "postgresql://me:geheim@[::1/aura"):
        with pytest.raises(SettingsError) as caught:
            await open_store(DatabaseUrl(address), publish=print, clock=ManualClock())
        assert "geheim" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"
        assert str(caught.value) == (
            "--database: this is no address of a PostgreSQL server. It looks like "
            "postgresql://user@host:5432/name; what is special in a password is written as "
            "%40 for @, %3A for :, %2F for /."
        )


async def test_lost_connections_are_made_anew(opened: Opened, admin: Any) -> None:
    cid = await opened.enqueue()
    end_connections(admin)
    assert (await opened.run(cid)).cid == cid
    other = await opened.enqueue()
    assert await opened.claim(9) == [cid, other]
    assert whole(opened).health.alive


async def test_a_command_that_has_taken_the_database_meanwhile_is_waited_for(
    opened: Opened, url: DatabaseUrl, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ours() -> int:
        (count,) = admin.execute(
            "SELECT COUNT(*) FROM pg_stat_activity "
            "WHERE application_name = 'aura' AND datname = current_database()"
        ).fetchone()
        return int(count)

    monkeypatch.setattr(database, "LOCK_WAIT_SEC", 0.01)
    end_connections(admin)
    with closing(PostgresConnection(url)) as command:
        custody.take(command, url, 2.0)
        said = re.escape(f"A command has the database {url} alone: wait for it.")
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=said):
                await opened.enqueue()
        await until(lambda: ours() == 1)  # the command's
    assert await opened.enqueue()


async def test_a_connection_that_is_lost_in_a_transaction_leaves_nothing(
    opened: Opened, admin: Any
) -> None:
    before = await opened.enqueue()

    def operation(tx: Transaction) -> None:
        tx.pause("hello", 1.0)
        end_connections(admin)
        tx.resume("other")

    with pytest.raises(StoreUnavailable, match="does not take writes"):
        await whole(opened)._writer.submit(operation)
    assert await opened.store.queue.pauses() == {}
    assert await opened.claim(9) == [before]


@pytest.mark.parametrize(
    ("part", "how"), [((PostgresDatabase, "reader"), "read"), ((custody, "myself"), "used")]
)
async def test_what_cannot_be_read_or_used_is_not_left_open(
    part: tuple[Any, str], how: str, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> Any:
        raise psycopg.OperationalError("too many of them\nand more")

    said = re.escape(f"The database {url} cannot be {how}: too many of them.")
    with monkeypatch.context() as patch:
        patch.setattr(*part, fail)
        with pytest.raises(StoreUnavailable, match=f"^{said}$"):
            await open_store(url, publish=print, clock=ManualClock())
    with closing(PostgresConnection(url)) as connection:
        custody.take(connection, url, 2.0)


def test_an_error_is_told_by_its_first_line_without_secrets() -> None:
    url = DatabaseUrl("postgresql://me:geheim@db/aura")
    error = psycopg.OperationalError("  no geheim here.\nsecond line")
    assert database.told(url, error) == "no *** here"
    assert database.told(url, psycopg.OperationalError("")) == "OperationalError"


async def test_who_reads_cannot_write(opened: Opened) -> None:
    with closing(whole(opened)._session._database.reader()) as reader:
        assert reader.execute("SELECT COUNT(*) FROM runs").fetchone() == (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("DELETE FROM runs")


async def test_who_waits_for_its_turn_waits_as_long_as_before(url: DatabaseUrl) -> None:
    with closing(PostgresConnection(url)) as connection:
        before = connection.execute("SHOW lock_timeout").fetchone()
        custody.share(connection, url, 0.05)
        assert connection.execute("SHOW lock_timeout").fetchone() == before == ("10s",)


async def test_what_no_text_of_postgresql_can_hold_becomes_its_picture(opened: Opened) -> None:
    await opened.store.logs.append([LogLine(1.0, LogLevel.INFO, "task", "a\0b")])
    (entry,) = await opened.store.logs.read(LogFilter(), after=0, up_to=None, limit=1)
    assert entry.line.message == "a\u2400b"
    cid = await opened.enqueue(labels={"odd": "a\0b"}, inputs=b'"a\\u0000"')
    run = await opened.run(cid)
    assert (run.labels, run.inputs) == ({"odd": "a\0b"}, b'"a\\u0000"')
    assert await opened.store.runs.states(["\0"]) == {}


async def test_a_run_that_is_too_large_for_an_index_fails_alone(opened: Opened) -> None:
    huge = opened.tasklet(plan_name="".join(map(chr, range(0x4E00, 0x9000))))
    answers = await asyncio.gather(
        opened.enqueue(),
        opened.store.runs.enqueue((huge,), (DEFINITION,)),
        opened.enqueue(),
        return_exceptions=True,
    )
    assert [isinstance(each, str) for each in answers] == [True, False, True]
    assert not isinstance(answers[1], StoreUnavailable)
