"""What is told of a database on a PostgreSQL server from outside: read, never changed.

Imports aura_aio.store, model, psycopg and pytest.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from aura_aio.model.access import NewToken, Scope, make_token
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import DatabaseTooNew, StoreUnavailable
from aura_aio.store.relational.examination import Examined
from aura_aio.store.relational.schema import migrations
from tests.postgres_server import connected, new_database
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at
from tests.waiting import until

pytest.importorskip("psycopg")

from psycopg.conninfo import conninfo_to_dict

from aura_aio.store.postgres.condition import Condition, condition_of
from aura_aio.store.postgres.connection import PostgresConnection
from aura_aio.store.postgres.examination import (
    _whoever_is_there,
    examined,
    is_in_use,
    usable_tokens,
)

NEWEST = migrations()[-1].number
NOWHERE = DatabaseUrl("postgresql://me:geheim@127.0.0.1:1/aura")


@pytest.fixture
def admin(url: DatabaseUrl) -> Iterator[Any]:
    """A connection beside the server's."""
    with closing(connected(url)) as connection:
        yield connection


def test_of_a_new_database_all_is_known_and_nothing_is_in_it() -> None:
    url = new_database()
    with closing(connected(url)) as admin:
        began, release = admin.execute(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8), "
            "current_setting('server_version')"
        ).fetchone()
        found = examined(url)
        (ended,) = admin.execute(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)"
        ).fetchone()
        tables = admin.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'aura'").fetchall()
    assert found.examined == Examined(is_ours=True, version=0, newest_version=NEWEST)
    assert found.release == release.split()[0]
    assert began <= found.time <= ended
    assert found.refusal == ""
    assert (usable_tokens(url), is_in_use(url), tables) == ((), False, [])


async def test_of_a_database_in_use_what_is_committed_is_told(url: DatabaseUrl) -> None:
    opened = Opened(postgres_at(url))
    await opened.open()
    token, _ = make_token(NewToken(scope=Scope.RUN, name="ada"), opened.clock.now())
    await opened.store.tokens.add(token)
    await opened.enqueue(sealed=b"sealed")
    found = await asyncio.to_thread(examined, url)
    assert found.examined == Examined(
        is_ours=True,
        version=NEWEST,
        newest_version=NEWEST,
        latest_at=opened.clock.now(),
        tokens=(token,),
        has_sealed=True,
    )
    assert await asyncio.to_thread(usable_tokens, url) == (token,)
    assert await asyncio.to_thread(is_in_use, url)
    await opened.close()
    assert not await asyncio.to_thread(is_in_use, url)


async def test_a_newer_version_is_told_and_nothing_of_it_is_used(
    url: DatabaseUrl, admin: Any
) -> None:
    opened = Opened(postgres_at(url))
    await opened.open()
    await opened.close()
    admin.execute("INSERT INTO aura.migrations (number, name) VALUES (99, 'later')")
    try:
        found = await asyncio.to_thread(examined, url)
        with pytest.raises(DatabaseTooNew, match=r"database postgres.* \(its schema is 99"):
            await asyncio.to_thread(usable_tokens, url)
    finally:
        admin.execute("DELETE FROM aura.migrations WHERE number = 99")
    assert f"The database {url} was written by a newer version" in found.refusal
    assert found.condition is not None
    assert found.examined == Examined(is_ours=True, version=0, newest_version=NEWEST)


def test_a_server_that_takes_no_writes_says_so(url: DatabaseUrl) -> None:
    found = examined(DatabaseUrl(f"{url.secret}&options=-c%20default_transaction_read_only%3Don"))
    assert found.refusal.startswith(str(url).partition("?")[0])
    assert "takes no writes: default_transaction_read_only is on" in found.refusal
    assert found.condition is None
    assert found.examined.version == 0


@pytest.mark.parametrize("look", [examined, usable_tokens, is_in_use])
@pytest.mark.parametrize("more", ["", "?application_name=me"])
def test_one_that_cannot_be_reached_is_told_without_the_password(look: Any, more: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        look(DatabaseUrl(NOWHERE.secret + more))
    assert f"The database {NOWHERE} cannot be read: " in str(caught.value)
    assert "onnection" in str(caught.value).partition("cannot be read: ")[2]
    assert "geheim" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("more", ["", "?application_name=me"])
def test_whoever_answers_is_asked_why_it_takes_no_writes(more: str) -> None:
    url = _whoever_is_there(DatabaseUrl(f"postgresql://db/aura{more}"))
    assert (
        conninfo_to_dict(url.secret).items()
        >= {"host": "db", "dbname": "aura", "target_session_attrs": "any"}.items()
    )


async def test_how_the_server_is_doing(url: DatabaseUrl, admin: Any) -> None:
    opened = Opened(postgres_at(url))
    await opened.open()
    await opened.close()
    admin.execute("SET application_name TO 'a report'")
    with closing(PostgresConnection(url, only_reads=True)) as connection:
        before = await until(lambda: idle(connection))
        admin.execute("BEGIN")
        (age,) = admin.execute(
            "SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        after = condition_of(connection)
        admin.execute("COMMIT")
    assert before is not None
    assert (before.standbys, before.vacuums) == ((), True)
    assert before.dead is not None
    assert after.oldest is not None
    assert after.oldest.whose == f"process {admin.info.backend_pid} of a report"
    assert after.oldest.since_sec >= 0.0
    assert before.age <= age <= after.age
    assert 0 < after.left < 100


def idle(connection: PostgresConnection) -> Condition | None:
    """Its condition while nobody works at it."""
    found = condition_of(connection)
    return found if found.oldest is None else None
