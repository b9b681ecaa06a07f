"""The database file: opened once, brought up to date, and connected to.

May import `soundness` and `connection` of `store.sqlite`, the schema of `store.relational`, the
standard library and model only.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from aura_aio.model.errors import DatabaseInUse, DatabaseTooNew, StoreUnavailable
from aura_aio.model.news import News
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.schema import Migration, migrations
from aura_aio.store.sqlite import soundness
from aura_aio.store.sqlite.connection import SqliteConnection

APPLICATION_ID: Final = 0x41757261
"""`PRAGMA application_id` of our files: "Aura"."""

BUSY_TIMEOUT_SEC: Final = 5.0
"""Only foreign tools (a backup, a shell) can be in the way: one server has one writer."""

LOCK_WAIT_SEC: Final = 0.25
"""How long to wait for who has the database: as long as it takes who only looks (`aura doctor`)."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",  # what a commit has acknowledged survives a power cut,
    "PRAGMA fullfsync = ON",  # on macOS too, where fsync stops at the drive's cache
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)
_WRITER_CACHE: Final = "PRAGMA cache_size = -8192"  # KiB
_READER_CACHE: Final = "PRAGMA cache_size = -4096"

_AT_FAULT: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


class Opening(NamedTuple):
    """How a database is opened: up to which size it is checked first, and how long to wait for who
    has it open.
    """

    checked_bytes: int = soundness.CHECKED_AT_START_BYTES
    lock_wait_sec: float = LOCK_WAIT_SEC


AT_ONCE: Final = Opening()


def is_unavailable(error: Exception) -> bool:
    """Whether the database is at fault (full, locked, gone, damaged), and not the statement."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _AT_FAULT


def locked(database: Path, wait_sec: float = LOCK_WAIT_SEC) -> sqlite3.Connection:
    """Hold an exclusive lock on a file beside the database until the connection is closed.

    SQLite's own lock on an empty database works on every system, and ends with the process.

    Raises:
        DatabaseInUse: another process holds it, and has for `wait_sec`.
    """
    guard = sqlite3.connect(
        f"{database}.lock", timeout=wait_sec, isolation_level=None, check_same_thread=False
    )
    try:
        guard.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        guard.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise DatabaseInUse(
            f"Another server has the database {database} open: stop it first, "
            "or give this one another database."
        ) from error
    return guard


def refuse_others(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> None:
    """Return if the database at `path` is ours, or empty, and not newer than `steps`; it is only
    read.

    Raises:
        DatabaseTooNew: a newer version has written it.
        StoreUnavailable: it is not ours.
    """
    version = _number(connection, "PRAGMA user_version")
    application = _number(connection, "PRAGMA application_id")
    tables = _number(connection, "SELECT COUNT(*) FROM sqlite_master")
    if application != APPLICATION_ID and (tables or version or application):
        raise StoreUnavailable(
            f"{path} is the database of another program: give the server another one."
        )
    newest = steps[-1].number
    if version > newest:
        raise DatabaseTooNew(
            f"The database {path} was written by a newer version of Aura (its schema is "
            f"{version}, this version knows {newest}): start that version, or give this one "
            "another database."
        )


class SqliteDatabase:
    """Implements `store.relational.connection.Database`: an SQLite file that this server alone has
    open, up to date with `migrations`.

    Raises (from the constructor, which blocks: call it in a thread):
        DatabaseTooNew: a newer version has written it; it was not touched.
        DatabaseInUse: another server has it open.
        StoreUnavailable: it cannot be opened, is damaged, or is not ours.
    """

    def __init__(
        self,
        path: Path,
        steps: Sequence[Migration] | None = None,
        how: Opening = AT_ONCE,
    ) -> None:
        self.path = path.resolve()
        self.is_unchecked = False
        """Whether it was not closed by whoever had it last, and is too large to be checked before
        it is used."""
        steps = migrations() if steps is None else steps
        with ExitStack() as undo:
            try:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._guard = undo.enter_context(closing(locked(self.path, how.lock_wait_sec)))
                was_left = _size(self.path.with_name(self.path.name + "-wal")) > 0
                self._writer = undo.enter_context(closing(self._connect()))
                refuse_others(self.writer, self.path, steps)
                if _size(self.path) <= how.checked_bytes:
                    self._check_pages()
                else:
                    self.is_unchecked = was_left
                self._bring_up_to_date(steps)
            except (sqlite3.Error, OSError) as error:
                if soundness.is_damage(error):
                    raise soundness.damaged(self.path, error) from error
                raise StoreUnavailable(
                    f"The database {self.path} cannot be opened: {error}."
                ) from error
            undo.pop_all()

    @property
    def writer(self) -> SqliteConnection:
        """The connection that writes."""
        return self._writer

    def begin(self) -> bool:
        """Begin a transaction of the writer; nobody else has written, since nobody else has it."""
        self.writer.execute("BEGIN IMMEDIATE")
        return False

    def commit(self, _news: News, _keep_asking: Callable[[], bool]) -> bool:
        """Make it durable; there is nobody to hear of it, and no answer that could be lost."""
        self.writer.execute("COMMIT")
        return True

    def rollback(self) -> None:
        """Undo it. If the database refuses even that, the next `begin` fails."""
        with suppress(sqlite3.Error):
            self.writer.rollback()

    def is_lost(self, _: Connection) -> bool:
        """Never: a file is there, or it is not."""
        return False

    def is_unavailable(self, error: Exception) -> bool:
        """See `is_unavailable` of this module."""
        return is_unavailable(error)

    def reader(self) -> SqliteConnection:
        """A new connection that cannot write."""
        connection = self._connect()
        connection.execute(_READER_CACHE)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def close(self) -> None:
        """Close the writer's connection, and let others open the file."""
        self.writer.close()
        self._guard.close()

    def _connect(self) -> SqliteConnection:
        connection = SqliteConnection(
            self.path,
            timeout=BUSY_TIMEOUT_SEC,
            isolation_level=None,  # transactions are begun and ended by hand
            check_same_thread=False,  # opened in one thread, used in one other
            cached_statements=256,
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    def _check_pages(self) -> None:
        """Refuse what is damaged, before anything is written."""
        if verdict := soundness.damage_of(self.writer):
            raise soundness.damaged(self.path, verdict)

    def _bring_up_to_date(self, steps: Sequence[Migration]) -> None:
        mode = self.writer.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreUnavailable(
                f"The database {self.path} is on a file system that cannot share memory between "
                "connections (WAL): give the server a database on a local disk."
            )
        self.writer.execute(_WRITER_CACHE)
        version = _number(self.writer, "PRAGMA user_version")
        for step in steps:
            if step.number > version:
                self._migrate(step)

    def _migrate(self, step: Migration) -> None:
        """All of it, with its number, or nothing."""
        try:
            self.writer.executescript(
                f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {step.number};\nCOMMIT;"
            )
        except sqlite3.Error:
            self.writer.rollback()
            raise


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
