"""A database on a PostgreSQL server as one end of a move: the one that is read, or an empty one.

May import the rest of `store.postgres`, store.relational, psycopg, the standard library and model
only.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import psycopg

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.store_migration import NotMigrated
from aura_aio.store.postgres import custody
from aura_aio.store.postgres.connection import SCHEMA, PostgresConnection
from aura_aio.store.postgres.database import LOCK_WAIT_SEC, told, version_of
from aura_aio.store.postgres.tables import make_tables
from aura_aio.store.relational.rows import Row
from aura_aio.store.relational.schema import migrations
from aura_aio.store.relational.transfer import Table, refuse_filled, refuse_version, text_of

_TYPES: Final = {"INTEGER": "int8", "REAL": "float8", "TEXT": "text", "BLOB": "bytea"}
_ZERO: Final = "\u2400"
_NUMBERED: Final = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = ? AND is_identity = 'YES'
"""


class PostgresEnd:
    """Implements `store.relational.transfer.Target` over a connection in a transaction."""

    def __init__(self, connection: PostgresConnection, url: DatabaseUrl) -> None:
        self.connection = connection
        self._url = url

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """Every row, one by one."""
        statement = f"COPY ({table.query}) TO STDOUT (FORMAT BINARY)"
        with (
            _reached(self._url),
            self.connection.raw.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            copy.set_types(_types(table))
            yield from copy.rows()

    def storable(self, row: Row) -> Row:
        """No text can hold the character 0, which becomes its picture."""
        return text_of(row, _ZERO)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        """Write `rows`, one by one."""
        columns = ", ".join(table.columns)
        statement = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
        with self.connection.raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(_types(table))
            for row in rows:
                copy.write_row(row)

    def settle(self) -> None:
        """Let the numbers that the database gives go on behind those that are there."""
        for table, column in self.connection.execute(_NUMBERED, (SCHEMA,)).fetchall():
            newest = f"SELECT MAX({column}) AS newest FROM {table}"  # noqa: S608 - ours # nosec B608
            self.connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608 # nosec B608
                f"COALESCE(newest, 1), newest IS NOT NULL) FROM ({newest}) AS latest"
            )


@contextmanager
def leaving(url: DatabaseUrl) -> Iterator[PostgresEnd]:
    """The database at `url`, which no server can have while the context is open. It is only read.

    Raises:
        NotMigrated, DatabaseTooNew: there is nothing in it, or it is of another version.
        DatabaseInUse: a server has it.
        StoreUnavailable: it cannot be reached or read, or is not ours.
        SettingsError: the address cannot be understood.
    """
    with _reached(url), closing(PostgresConnection(url, only_reads=True)) as connection:
        custody.take(connection, url, LOCK_WAIT_SEC)
        refuse_version(url, version_of(connection, url, migrations()))
        connection.execute("BEGIN")
        yield PostgresEnd(connection, url)


@contextmanager
def arriving(url: DatabaseUrl) -> Iterator[PostgresEnd]:
    """The empty database at `url`, which no server can have while the context is open; it is filled
    in one transaction, and if the context ends with an error nothing has happened.

    Raises:
        NotMigrated: there is something in it; or it is not known whether the last step has
            happened.
        DatabaseInUse, DatabaseTooNew, StoreUnavailable, SettingsError: as `leaving`.
    """
    with _reached(url), closing(PostgresConnection(url)) as connection:
        custody.take(connection, url, LOCK_WAIT_SEC)
        connection.raw.execute("BEGIN")
        end = PostgresEnd(connection, url)
        version = version_of(connection, url, migrations())
        if version:
            refuse_version(url, version)
            refuse_filled(url, end)
        else:
            make_tables(connection, migrations())
        yield end
        _commit(connection, url)


def _commit(connection: PostgresConnection, url: DatabaseUrl) -> None:
    try:
        connection.raw.execute("COMMIT")
    except psycopg.Error as error:
        if not connection.is_lost:
            raise
        raise NotMigrated(
            f"The connection to {url} was lost with the last step, when all was there and compared "
            f"({told(url, error)}). Do the same again: if it says that there is something in it "
            "already, all of it is there."
        ) from error


@contextmanager
def _reached(url: DatabaseUrl) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        reason = told(url, error)
        raise StoreUnavailable(f"The database {url} cannot be used: {reason}.") from error


def _types(table: Table) -> list[str]:
    return [_TYPES[kind] for kind in table.kinds]
