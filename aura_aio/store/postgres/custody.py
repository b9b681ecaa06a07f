"""Who has a database: any number of servers together, or one command alone; and whose turn it is.

May import `connection`, psycopg, the standard library and model only.
"""

from typing import Final, NamedTuple

from psycopg import errors

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import DatabaseInUse
from aura_aio.store.postgres.connection import PostgresConnection

LOCK: Final = 0x41757261
"""The key of the advisory lock of who has the database: "Aura". Servers share it; it ends with
their connections."""

TURN: Final = LOCK + 1
"""The key of the lock of who writes: it ends with the transaction."""

_SHARE: Final = "SELECT pg_advisory_lock_shared(?)"
_TAKE: Final = "SELECT pg_advisory_lock(?)"
_LEAVE: Final = """
    SELECT pg_advisory_unlock(?) FROM pg_locks
    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND pid = pg_backend_pid()
    AND classid = 0 AND objid = ? AND objsubid = 1
"""
_HOLDERS: Final = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = ? AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_MYSELF: Final = """
    SELECT pid, CAST(backend_start AS text) FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""
_END_TURN: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = ? AND objsubid = 1
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND wait_event_type = 'Client'
    AND xact_start < clock_timestamp() - CAST(? AS float8) * interval '1 second'
"""
_END: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = CAST(? AS int) AND CAST(backend_start AS text) = ?
"""


class Backend(NamedTuple):
    """The server's end of a connection; `began` tells it from another one with the same number."""

    pid: int
    began: str


def share(connection: PostgresConnection, url: DatabaseUrl, wait_sec: float) -> None:
    """Have the database until the connection ends, as others may.

    Raises:
        DatabaseInUse: a command has it alone, and has for `wait_sec`.
    """
    _lock(connection, _SHARE, wait_sec, f"A command has the database {url} alone: wait for it.")


def take(connection: PostgresConnection, url: DatabaseUrl, wait_sec: float) -> None:
    """Have the database alone until the connection ends.

    Raises:
        DatabaseInUse: servers have it, and have for `wait_sec`.
    """
    told = f"A server has the database {url} open: stop all of them first."
    _lock(connection, _TAKE, wait_sec, told)


def no_longer_alone(connection: PostgresConnection) -> None:
    """Let others share it again, if this connection has taken it; it still shares it."""
    connection.execute(_LEAVE, (LOCK, LOCK))


def _lock(connection: PostgresConnection, lock: str, wait_sec: float, told: str) -> None:
    before = connection.execute("SHOW lock_timeout").fetchone()[0]
    connection.raw.execute(f"SET lock_timeout TO {max(1, int(wait_sec * 1000))}")
    try:
        connection.execute(lock, (LOCK,))
    except errors.LockNotAvailable as error:
        raise DatabaseInUse(told) from error
    connection.raw.execute(f"SET lock_timeout TO '{before}'")


def is_held(connection: PostgresConnection) -> bool:
    """Whether anybody has the database."""
    return bool(connection.execute(_HOLDERS, (LOCK,)).fetchone()[0])


def end_predecessor(connection: PostgresConnection, predecessor: Backend) -> None:
    """End what is left of a connection whose client is gone, though the server may not have
    noticed: what it had not committed is undone.
    """
    connection.execute(_END, predecessor)


def end_turn(connection: PostgresConnection, longer_than_sec: float) -> bool:
    """End the connection that has had the turn for longer than that and waits for its client, which
    was stopped or cut off in the midst of it; answers whether there was one.

    What the server itself has for that does not see who was cut off between the statements that it
    had sent at once.
    """
    return bool(connection.execute(_END_TURN, (TURN, longer_than_sec)).fetchall())


def myself(connection: PostgresConnection) -> Backend:
    """The server's end of this connection."""
    return Backend(*connection.execute(_MYSELF).fetchone())
