"""A database in a file as one end of a move: the one that is read, or a new one.

May import the rest of `store.sqlite`, `store.relational`, the standard library and model only.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.store_migration import NotMigrated
from aura_aio.store.relational.rows import Row
from aura_aio.store.relational.schema import migrations
from aura_aio.store.relational.transfer import Table, refuse_version
from aura_aio.store.sqlite.backup import no_server_has
from aura_aio.store.sqlite.database import SqliteDatabase, refuse_others
from aura_aio.store.sqlite.examination import examined
from aura_aio.store.sqlite.soundness import damaged, is_damage


class SqliteEnd:
    """Implements `store.relational.transfer.Target` over a connection in a transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self._path = path

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """Every row, one by one."""
        with _readable(self._path):
            yield from self.connection.execute(table.query)

    def storable(self, row: Row) -> Row:
        """A text may hold any character here."""
        return row

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        """Write `rows`, one by one."""
        places = ", ".join("?" * len(table.columns))
        columns = ", ".join(table.columns)
        self.connection.executemany(
            f"INSERT INTO {table.name} ({columns}) VALUES ({places})",  # noqa: S608 - ours # nosec B608
            rows,
        )

    def settle(self) -> None:
        """Numbers are one more than the largest there is."""


@contextmanager
def leaving(path: Path) -> Iterator[SqliteEnd]:
    """The database at `path`, which is sound, and which no server can open while the context is
    open. It is only read.

    Raises:
        NotMigrated, DatabaseTooNew: there is nothing in it, or it is of another version.
        DatabaseInUse: a server has it open.
        StoreUnavailable: it is missing, damaged, or not ours.
    """
    if not path.is_file():
        raise StoreUnavailable(f"There is no database {path}.")
    with no_server_has(path), closing(_read_only(path)) as connection:
        with _readable(path):
            refuse_others(connection, path, migrations())
        found = examined(path)
        refuse_version(path, found.version)
        if found.damage is not None:
            raise damaged(path, found.damage)
        if found.missing:
            raise damaged(path, f"it lacks {', '.join(found.missing)}")
        connection.execute("BEGIN")
        yield SqliteEnd(connection, path)


@contextmanager
def arriving(path: Path) -> Iterator[SqliteEnd]:
    """A new database, which is at `path` once the context has ended without an error, and else
    nowhere.

    Raises:
        NotMigrated: there is a file of that name, or it cannot be written.
        DatabaseInUse: a server is about to make one.
    """
    if path.exists():
        raise NotMigrated(f"There is a file {path} already: name one that is not there.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            no_server_has(path),
            TemporaryDirectory(prefix=f".{path.name}", dir=path.parent) as folder,
        ):
            new = Path(folder, path.name)
            with closing(SqliteDatabase(new)) as database:
                database.begin()
                yield SqliteEnd(database.writer, path)
                database.writer.execute("COMMIT")
            new.replace(path)
    except (sqlite3.Error, OSError) as error:
        raise NotMigrated(f"{path} cannot be written: {error}.") from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            raise damaged(path, error) from error
        raise StoreUnavailable(f"{path} cannot be read as a database: {error}.") from error


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
