"""A database that is brought up to date, while servers are on it that do not know what comes.

Imports aura_aio.store, model and pytest.
"""

import asyncio
from contextlib import closing
from typing import Any

import pytest

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import DatabaseInUse, StoreUnavailable
from aura_aio.store.postgres import database
from aura_aio.store.postgres.database import PostgresDatabase
from aura_aio.store.relational.schema import Migration, migrations
from tests.postgres_server import new_database
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at

psycopg = pytest.importorskip("psycopg")

OLDER = migrations()
LATER = Migration(OLDER[-1].number + 1, "later.sql", "CREATE TABLE later (n INTEGER PRIMARY KEY);")


async def newer(url: DatabaseUrl, name: str) -> PostgresDatabase:
    """The same database by a version with one migration more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrations", lambda: (*OLDER, LATER))
        return await asyncio.to_thread(PostgresDatabase, url, name=name, lock_wait_sec=0.2)


def ask(url: DatabaseUrl, query: str) -> list[Any]:
    """What the database answers."""
    with closing(psycopg.connect(url.secret, autocommit=True)) as admin:
        return list(admin.execute(query).fetchall())


async def test_nothing_changes_below_servers_of_an_older_version() -> None:
    url = new_database()
    old = Opened(postgres_at(url, name="old"))
    await old.open()
    with pytest.raises(DatabaseInUse) as caught:
        await newer(url, "new")
    assert str(caught.value) == (
        f"Servers of an older version have the database {url}, which this one would bring up to "
        f"date (from {OLDER[-1].number} to {LATER.number}): stop all of them first."
    )
    assert ask(url, "SELECT MAX(number) FROM aura.migrations") == [(OLDER[-1].number,)]
    assert await old.enqueue()
    await old.close()
    first = await newer(url, "new")
    second = await newer(url, "another")  # which is of the same version
    assert ask(url, "SELECT COUNT(*) FROM aura.later") == [(0,)]
    first.close()
    second.close()


async def test_a_server_that_finds_a_newer_version_when_it_comes_back_does_nothing_more() -> None:
    url = new_database()
    old = Opened(postgres_at(url, name="old"))
    await old.open()
    cut_off = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    ask(url, f"{cut_off} WHERE application_name = 'aura' AND datname = current_database()")
    new = await newer(url, "new")
    with pytest.raises(StoreUnavailable, match="was written by a newer version of Aura"):
        await old.enqueue()
    assert ask(url, "SELECT COUNT(*) FROM aura.runs") == [(0,)]
    new.close()
    await old.close()


async def test_of_two_that_bring_it_up_to_date_together_both_go_on() -> None:
    url = new_database()
    old = Opened(postgres_at(url, name="old"))
    await old.open()
    await old.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrations", lambda: (*OLDER, LATER))
        both = await asyncio.gather(
            *(asyncio.to_thread(PostgresDatabase, url, name=name) for name in ("one", "two"))
        )
    for each in both:
        each.close()
    assert ask(url, "SELECT COUNT(*) FROM aura.migrations") == [(LATER.number,)]
