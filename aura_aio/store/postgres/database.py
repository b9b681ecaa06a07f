"""The database: connected to, shared with other servers, brought up to date, and found again.

May import the rest of `store.postgres`, store.relational, psycopg, the standard library and model
only.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from secrets import token_hex
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import DatabaseInUse, DatabaseTooNew, StoreUnavailable
from aura_aio.model.news import News
from aura_aio.store.postgres import custody
from aura_aio.store.postgres.announcement import notices
from aura_aio.store.postgres.connection import SCHEMA, PostgresConnection
from aura_aio.store.postgres.tables import migrate
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.schema import Migration, migrations

_log = logging.getLogger("aura.store.postgres")

LOCK_WAIT_SEC: Final = 2.0
"""How long to wait for who has the database alone: one that was killed is noticed in that time."""

TURN_SEC: Final = 8.0
"""How long a server may have the turn while it says nothing."""

_BEGIN: Final = f"""
    BEGIN;
    SELECT pg_advisory_xact_lock({custody.TURN});
    SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)
"""
"""In one round trip. Between two transactions with numbers that follow each other nobody else has
written. (Who uses the same PostgreSQL for something else leaves gaps, too: they cost a look.)"""
_KEEP_NUMBER: Final = """
    INSERT INTO commits (writer, number) VALUES ({writer}, {{number}})
    ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = now()
"""
_LATEST: Final = "SELECT number FROM commits WHERE writer = ?"
_FORGET: Final = "DELETE FROM commits WHERE at < now() - interval '30 days'"
"""Who has not written for so long is gone, and asks for nothing."""

_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = ?"
_VERSION: Final = "SELECT COALESCE(MAX(number), 0) FROM migrations"

_AT_FAULT: Final = (
    StoreUnavailable,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,  # the server has become a standby
    errors.IdleInTransactionSessionTimeout,
)


def is_unavailable(error: Exception) -> bool:
    """Whether the database is at fault (full, locked, gone), and not the statement.

    psycopg counts a value that is too large for an index as operational.
    """
    return isinstance(error, _AT_FAULT) and not isinstance(error, errors.ProgramLimitExceeded)


def told(url: DatabaseUrl, error: BaseException) -> str:
    """The first line of what a failed connection says, without secrets."""
    lines = url.without_secrets(str(error)).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def version_of(connection: PostgresConnection, url: DatabaseUrl, steps: Sequence[Migration]) -> int:
    """The number of the last migration of a database that is ours; 0 of an empty one.

    Raises:
        DatabaseTooNew: a newer version has written it.
        StoreUnavailable: what is in the schema is not ours.
    """
    tables = {name for (name,) in connection.execute(_TABLES, (SCHEMA,))}
    if not tables:
        return 0
    if "migrations" not in tables or not tables & {"runs"}:
        raise StoreUnavailable(
            f"In {url} the schema {SCHEMA!r} is that of another program: give the server another "
            "database."
        )
    version = int(connection.execute(_VERSION).fetchone()[0])
    if version > steps[-1].number:
        raise DatabaseTooNew(
            f"The database {url} was written by a newer version of Aura (its schema is {version}, "
            f"this version knows {steps[-1].number}): start that version, or give this one "
            "another database."
        )
    return version


class PostgresDatabase:
    """Implements `store.relational.connection.Database`: a database up to date with the migrations
    that servers take turns to write to; `name` is what this one is called by the others.

    Raises (from the constructor, which blocks: call it in a thread):
        DatabaseTooNew: a newer version has written it; it was not touched.
        DatabaseInUse: a command has it alone; or it is to be brought up to date, and servers of an
            older version have it.
        StoreUnavailable: it cannot be reached or used, or is not ours.
        SettingsError: the address cannot be understood.
    """

    def __init__(
        self, url: DatabaseUrl, *, name: str, lock_wait_sec: float = LOCK_WAIT_SEC
    ) -> None:
        self.url = url
        self.name = name
        self._turn = 0
        """The number of the latest transaction."""
        self._keeps_as = name or token_hex(8)
        self._steps = migrations()
        self._keep_number = _KEEP_NUMBER.format(writer=sql.quote(self._keeps_as))
        try:
            self._writer = PostgresConnection(url)
        except psycopg.Error as error:
            raise StoreUnavailable(
                f"The database {url} cannot be reached: {told(url, error)}."
            ) from error
        with ExitStack() as undo:
            undo.callback(self._writer.close)
            try:
                self._bring_up_to_date(lock_wait_sec)
                custody.share(self._writer, url, lock_wait_sec)
                custody.no_longer_alone(self._writer)
                version_of(self._writer, url, self._steps)  # nobody brings it up from now on
                self._writer.execute(_FORGET)
                self._myself = custody.myself(self._writer)
            except psycopg.Error as error:
                raise StoreUnavailable(
                    f"The database {url} cannot be used: {told(url, error)}."
                ) from error
            undo.pop_all()

    @property
    def alive(self) -> bool:
        """Whether the server can go on with it: it waits for it, however long that takes."""
        return True

    async def aclose(self) -> None:
        """Nothing looks after it that would have to end."""

    @property
    def writer(self) -> PostgresConnection:
        """The connection that writes; another one, once it had to be made anew."""
        return self._writer

    def begin(self) -> bool:
        """Begin a transaction of the writer, on a new connection if the one there was is lost, when
        it is this server's turn; answers whether another one may have written since the last.
        """
        if not self._writer.is_lost:
            try:
                return self._begin()
            except psycopg.Error:
                if not self._writer.is_lost:
                    raise
        self._reconnect()
        self._begin()
        return True

    def commit(self, news: News, keep_asking: Callable[[], bool]) -> bool:
        """Make it durable, and announce it. If the answer was lost it is asked for, on a new
        connection, for as long as `keep_asking` says; False then.
        """
        try:
            done = self._commit(notices(self.name, news))
        except psycopg.Error:
            if not self._writer.is_lost or not self._was_committed(keep_asking):
                raise
            return False
        if done != "COMMIT":
            raise RuntimeError(f"the database has answered a commit with {done}")
        return True

    def rollback(self) -> None:
        """Undo it. If the database refuses even that, the next `begin` fails."""
        with suppress(psycopg.Error):
            self._writer.rollback()

    def reader(self) -> PostgresConnection:
        """A new connection that cannot write."""
        return PostgresConnection(self.url, only_reads=True)

    def is_lost(self, reader: Connection) -> bool:
        """Whether there is nobody at the other end of `reader`."""
        return isinstance(reader, PostgresConnection) and reader.is_lost

    def is_unavailable(self, error: Exception) -> bool:
        """See `is_unavailable` of this module."""
        return is_unavailable(error)

    def close(self) -> None:
        """Let others have the database, and close the writer's connection."""
        with suppress(psycopg.Error):
            self._writer.execute("SELECT pg_advisory_unlock_all()")
        self._writer.close()

    def _begin(self) -> bool:
        try:
            cursor = self._writer.raw.execute(_BEGIN)
        except errors.LockNotAvailable:
            self.rollback()
            if not custody.end_turn(self._writer, TURN_SEC):
                raise
            _log.warning("who had the turn says nothing", extra={"action": "turn_ended"})
            cursor = self._writer.raw.execute(_BEGIN)
        (number,) = _last(cursor).fetchone() or (0,)
        before, self._turn = self._turn, number
        return bool(number != before + 1)

    def _commit(self, notices: str) -> str | None:
        keep = self._keep_number.format(number=self._turn)
        return _last(self._writer.raw.execute(f"{keep}; {notices}COMMIT")).statusmessage

    def _reconnect(self) -> None:
        """Connect again, and undo what is left of the connection that was lost.

        Raises:
            psycopg.Error: that is not possible now.
            DatabaseInUse: a command has taken the database meanwhile.
            StoreUnavailable: a newer version has brought it up to date meanwhile.
        """
        self._writer.close()
        fresh = PostgresConnection(self.url)
        with ExitStack() as undo:
            undo.callback(fresh.close)
            custody.end_predecessor(fresh, self._myself)
            custody.share(fresh, self.url, LOCK_WAIT_SEC)
            self._must_be_known(fresh)
            self._myself = custody.myself(fresh)
            undo.pop_all()
        self._writer = fresh
        _log.warning("connected to the database again", extra={"action": "database_found_again"})

    def _must_be_known(self, connection: PostgresConnection) -> None:
        try:
            version_of(connection, self.url, self._steps)
        except DatabaseTooNew as error:
            raise StoreUnavailable(str(error)) from error

    def _was_committed(self, keep_asking: Callable[[], bool]) -> bool:
        """Whether the transaction is durable whose commit was not answered.

        Raises:
            StoreUnavailable: that cannot be known yet, and is not to be asked for any more.
        """
        number, said = self._turn, ""
        while True:
            try:
                return self._latest_number() == number
            except (psycopg.Error, DatabaseInUse) as error:
                reason = told(self.url, error)
            if reason != said:
                extra = {"action": "database_lost", "reason": reason}
                _log.warning("the database does not say what became of a commit", extra=extra)
            said = reason
            if not keep_asking():
                raise StoreUnavailable("It is not known what became of a commit.")

    def _latest_number(self) -> int | None:
        """The number of the latest of this server's transactions that is durable. Who has the turn
        knows that none is under way.
        """
        self._reconnect()
        self._begin()
        row = self._writer.execute(_LATEST, (self._keeps_as,)).fetchone()
        self.rollback()
        return None if row is None else int(row[0])

    def _bring_up_to_date(self, wait_sec: float) -> None:
        """A database with tables is had alone for that: servers of an older version would go on
        with tables that they do not know.
        """
        newest = self._steps[-1].number
        version = version_of(self._writer, self.url, self._steps)
        if version == newest:
            return
        if version:
            try:
                custody.take(self._writer, self.url, wait_sec)
            except DatabaseInUse as error:
                if version_of(self._writer, self.url, self._steps) == newest:
                    return  # another server has been faster, and has it now
                raise DatabaseInUse(
                    f"Servers of an older version have the database {self.url}, which this one "
                    f"would bring up to date (from {version} to {newest}): stop all of them first."
                ) from error
        for step in self._steps:
            self._migrate(step)

    def _migrate(self, step: Migration) -> None:
        """All of it, with its number, or nothing; nothing, if another server has been faster."""
        with self._writer.raw.transaction():
            self._writer.execute("SELECT pg_advisory_xact_lock(?)", (custody.TURN,))
            if version_of(self._writer, self.url, self._steps) < step.number:
                migrate(self._writer, step)


def _last(cursor: psycopg.Cursor[Any]) -> psycopg.Cursor[Any]:
    """At the answer to the last of several statements that were sent as one."""
    while cursor.nextset():
        continue
    return cursor
