"""How a PostgreSQL server is doing: what may make it slow, full or lossy before it fails.

May import `connection`, psycopg, the standard library and model only.
"""

from typing import Any, Final, NamedTuple

from aura_aio.store.postgres.connection import SCHEMA, PostgresConnection

_STANDBYS: Final = """
    SELECT application_name, state,
        CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS bigint),
        CAST(extract(epoch FROM replay_lag) AS float8)
    FROM pg_stat_replication
    ORDER BY application_name
"""
_OLDEST: Final = """
    SELECT CAST(extract(epoch FROM clock_timestamp() - began) AS float8), whose
    FROM (
        SELECT xact_start AS began,
            'process ' || pid || ' of ' || COALESCE(NULLIF(application_name, ''), usename) AS whose
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        UNION ALL SELECT prepared, 'the prepared transaction ' || gid FROM pg_prepared_xacts
        WHERE database = current_database()
    ) AS transactions
    ORDER BY began LIMIT 1
"""
_DEAD: Final = """
    SELECT relname, n_live_tup, n_dead_tup, CAST(extract(epoch FROM clock_timestamp()
        - GREATEST(last_autovacuum, last_vacuum)) AS float8)
    FROM pg_stat_all_tables WHERE schemaname = ? ORDER BY n_dead_tup DESC LIMIT 1
"""
_AGE: Final = "SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()"
_VACUUMS: Final = "SELECT current_setting('autovacuum') = 'on'"
_LEFT: Final = """
    SELECT least(
        CAST(current_setting('max_connections') AS bigint)
            - CAST(current_setting('superuser_reserved_connections') AS bigint)
            - CAST(COALESCE(current_setting('reserved_connections', true), '0') AS bigint)
            - (SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        (SELECT NULLIF(datconnlimit, -1) - COUNT(pid) FROM pg_database LEFT JOIN pg_stat_activity
            USING (datname) WHERE datname = current_database() GROUP BY datconnlimit),
        (SELECT NULLIF(rolconnlimit, -1) - COUNT(pid) FROM pg_roles LEFT JOIN pg_stat_activity
            ON usename = rolname WHERE rolname = current_user GROUP BY rolconnlimit)
    )
"""


class Standby(NamedTuple):
    """A server that follows this one, by how many bytes and seconds it is behind; None where there
    is nothing to follow. Without a state, none of it is shown to this user.
    """

    name: str
    state: str | None
    behind_bytes: int | None
    behind_sec: float | None


class Open(NamedTuple):
    """A transaction that is open, for how many seconds, and whose it is."""

    since_sec: float
    whose: str


class Dead(NamedTuple):
    """The table with the most dead rows, and how long ago it was vacuumed, if ever."""

    table: str
    live: int
    dead: int
    vacuumed_sec: float | None


class Condition(NamedTuple):
    """What the server says of itself, as far as the user may see it."""

    standbys: tuple[Standby, ...]
    oldest: Open | None
    """Of the transactions in this database but the one that asks."""
    dead: Dead | None
    vacuums: bool
    """Whether autovacuum is on."""
    age: int
    """How many transactions ago the oldest one was whose number is still in use: of two thousand
    million the server takes no writes any more."""
    left: int
    """Connections that this user can still make to this database."""


def condition_of(connection: PostgresConnection) -> Condition:
    """How the server is doing whom `connection` leads to."""

    def one(query: str, *values: object) -> Any:
        return connection.execute(query, values).fetchone()

    standbys = tuple(Standby(*row) for row in connection.execute(_STANDBYS))
    oldest, dead = one(_OLDEST), one(_DEAD, SCHEMA)
    (vacuums,), (age,), (left,) = map(one, (_VACUUMS, _AGE, _LEFT))
    return Condition(
        standbys=standbys,
        oldest=None if oldest is None else Open(*oldest),
        dead=None if dead is None else Dead(*dead),
        vacuums=vacuums,
        age=age,
        left=left,
    )
