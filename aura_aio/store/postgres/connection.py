"""One connection to PostgreSQL that understands the shared statements.

May import `arrays`, `dialect`, store.relational, psycopg, the standard library and model only.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
from psycopg import conninfo
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumperUnknown

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError
from aura_aio.store.postgres.arrays import Whole, arrays, whole
from aura_aio.store.postgres.dialect import translated
from aura_aio.store.relational.connection import AlikeInsert, Row, Rows, Values

SCHEMA: Final = "aura"
"""All tables are in a schema of this name, so that the database may be shared with others."""
JOBS_SCHEMA: Final = "aura_procrastinate"
"""Procrastinate's tables are as it makes them, in a schema of their own."""

_MOST_PREPARED: Final = 500
_USUAL: Final = {
    "application_name": "aura",
    "connect_timeout": "5",
    "target_session_attrs": "read-write",
    # Whoever is cut off from the server notices within half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What is asked of a connection, unless the address says otherwise (libpq's words)."""

_SETTINGS: Final = f"""
    SET search_path TO {SCHEMA}, {JOBS_SCHEMA};
    SET statement_timeout TO 0;
    SET lock_timeout TO 10000;
    SET idle_in_transaction_session_timeout TO 10000;
    SET default_transaction_isolation TO 'read committed';
    SET tcp_keepalives_idle TO 10;
    SET tcp_keepalives_interval TO 5;
    SET tcp_keepalives_count TO 3;
    SET tcp_user_timeout TO 30000;
    SET jit TO off;
    SET enable_seqscan TO off;
    SET enable_bitmapscan TO off;
    SET enable_hashjoin TO off;
    SET enable_mergejoin TO off;
    SET enable_sort TO off;
    SET enable_incremental_sort TO off
"""
"""Every shared statement has its index, along which it reads a few rows in order. What the planner
knows of a table that has just been filled is wrong; so it is told not to walk, hash or sort. A
server that is stopped in a transaction must not hold up all others for longer than a few seconds,
and who waits for its turn for too long is told that the database is not available."""

_ONLY_READS: Final = """;
    SET default_transaction_isolation TO 'repeatable read';
    SET default_transaction_read_only TO on
"""
_DURABLE: Final = """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'
"""
"""What a commit has acknowledged survives; a server that waits for its standbys goes on to."""

_TYPES: Final = """
    SELECT CAST(type AS text) FROM pg_prepared_statements, unnest(parameter_types)
        WITH ORDINALITY AS types (type, number) WHERE name = 'described' ORDER BY number
"""
_WRITES: Final = ("INSERT", "UPDATE", "DELETE")


class _Text(StrDumperUnknown):
    """Any text: PostgreSQL's cannot hold the character 0, which becomes its picture."""

    def dump(self, obj: str) -> Any:
        """The text in UTF-8."""
        return super().dump(obj.replace("\0", "\u2400") if "\0" in obj else obj)


class PostgresConnection:
    """Implements `store.relational.connection.WritingConnection`.

    Raises (from the constructor):
        SettingsError: the address cannot be understood.
        psycopg.OperationalError: there is no connection to be had.
    """

    def __init__(self, url: DatabaseUrl, *, only_reads: bool = False) -> None:
        self.total_changes = 0
        self._wholes: dict[str, str] = {}
        self.raw = psycopg.connect(
            **parameters(url),
            autocommit=True,  # transactions are begun and ended by hand
            cursor_factory=psycopg.RawCursor,
        )
        self.raw.prepared_max = _MOST_PREPARED
        adapters = self.raw.adapters
        adapters.register_dumper(str, _Text)
        # One type for all numbers, or a statement would be prepared once for each size of each.
        adapters.register_dumper(int, Int8BinaryDumper)
        adapters.register_dumper(bool, Int8BinaryDumper)
        self.raw.execute(_SETTINGS + (_ONLY_READS if only_reads else ""))
        self.raw.execute(_DURABLE)

    @property
    def is_lost(self) -> bool:
        """Whether there is nobody any more at the other end, as far as is known."""
        return bool(self.raw.closed)

    def execute(self, sql: str, values: Values = (), /) -> Rows:
        """Carry a statement out."""
        statement = translated(sql)
        cursor = self.raw.execute(statement.text, statement.values(values), binary=True)
        if (cursor.statusmessage or "").startswith(_WRITES):
            self.total_changes += cursor.rowcount
        return cursor

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Carry a statement out for each of `rows`, in their order. Many go by one statement, if
        none of them comes into another's way; else all are sent at once.
        """
        text, rows = translated(sql).text, list(rows)
        cursor = self.raw.cursor()
        form = whole(text)
        if len(rows) == 1:
            cursor.execute(text, rows[0])
        elif form is None or not form.takes(rows) or (columns := arrays(rows)) is None:
            cursor.executemany(text, rows)
        else:
            cursor.execute(self.with_arrays(form, text), columns)
        self.total_changes += max(0, cursor.rowcount)
        return cursor

    def insert(self, sql: str, rows: Sequence[Row], /) -> None:
        """Insert the rows, by one statement if they are many."""
        self.executemany(sql, rows)

    def insert_alike(
        self, insert: AlikeInsert, first: int, common: Sequence[Row], own: Sequence[Row], /
    ) -> None:
        """Insert the rows, by one statement if they are many."""
        pairs = enumerate(zip(common, own, strict=True), first)
        self.executemany(insert.one, [(number, *alike, *each) for number, (alike, each) in pairs])

    def with_arrays(self, form: Whole, text: str) -> str:
        """What does for many rows what `text` does for one, in the form that it has; the database
        is asked once for the types of its values.
        """
        known = self._wholes.get(text)
        if known is None:
            self._wholes[text] = known = form.of(self._types(text))
        return known

    def _types(self, text: str) -> list[str]:
        """The types of a statement's values, as the database has understood it."""
        prepared = self.raw.execute(f"PREPARE described AS {text}")
        prepared.execute(_TYPES)
        types = [name for (name,) in prepared]
        self.raw.execute("DEALLOCATE described")
        return types

    def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        if self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """End the connection."""
        self.raw.close()


def parameters(url: DatabaseUrl) -> dict[str, Any]:
    """What a connection is made with.

    Raises:
        SettingsError: the address cannot be understood.
    """
    return {**_USUAL, **_understood(url)}


def _understood(url: DatabaseUrl) -> dict[str, Any]:
    """What the address says.

    Raises:
        SettingsError: it cannot be understood; libpq's reason could quote a password.
    """
    try:
        return dict(conninfo.conninfo_to_dict(url.secret))
    except psycopg.Error:
        fault = "--database: this is no address of a PostgreSQL server."
    raise SettingsError(
        f"{fault} It looks like postgresql://user@host:5432/name; what is special in a password "
        "is written as %40 for @, %3A for :, %2F for /."
    )
