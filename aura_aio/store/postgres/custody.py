"""Who has a database: one server at a time, by an advisory lock that ends with its connection.

May import `connection`, psycopg, the standard library and model only.
"""

from typing import Final, NamedTuple

from psycopg import errors

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import DatabaseInUse
from aura_aio.store.postgres.connection import PostgresConnection

LOCK: Final = 0x41757261
"""The key of the lock: "Aura"."""

_TAKE: Final = "SELECT pg_advisory_lock(?)"
_HOLDER: Final = """
    SELECT pid, CAST(backend_start AS text) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = ? AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_MYSELF: Final = """
    SELECT pid, CAST(backend_start AS text) FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""


class Backend(NamedTuple):
    """The server's end of a connection; `began` tells it from another one with the same number."""

    pid: int
    began: str


def take(connection: PostgresConnection, url: DatabaseUrl, wait_sec: float) -> None:
    """Have the database until the connection ends.

    Raises:
        DatabaseInUse: another server has it, and has for `wait_sec`.
    """
    connection.raw.execute(f"SET lock_timeout TO {max(1, int(wait_sec * 1000))}")
    try:
        connection.execute(_TAKE, (LOCK,))
    except errors.LockNotAvailable as error:
        raise DatabaseInUse(
            f"Another server has the database {url} open: stop it first, or give this one another "
            "database. Several servers on one database are not possible yet."
        ) from error
    connection.raw.execute("SET lock_timeout TO 0")


def end_predecessor(connection: PostgresConnection, predecessor: Backend) -> None:
    """If it is `predecessor` that has the database still, end it: its client is gone, only the
    server has not noticed.
    """
    if holder(connection) == predecessor:
        connection.execute("SELECT pg_terminate_backend(CAST(? AS int))", (predecessor.pid,))


def holder(connection: PostgresConnection) -> Backend | None:
    """Who has the database."""
    row = connection.execute(_HOLDER, (LOCK,)).fetchone()
    return None if row is None else Backend(*row)


def myself(connection: PostgresConnection) -> Backend:
    """The server's end of this connection."""
    return Backend(*connection.execute(_MYSELF).fetchone())
