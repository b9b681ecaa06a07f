"""What is in one database, put into another: every row, counted and compared.

May import the rest of `store.relational`, the standard library, msgspec and model only.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from aura_aio.model.errors import DatabaseTooNew
from aura_aio.model.store_migration import NotMigrated
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import Row
from aura_aio.store.relational.schema import migrations

_TABLES: Final = """
    SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'hosts' ORDER BY name
"""
"""Who has shared a database is no part of what is in it: nobody has it while it is moved."""
_MODULUS: Final = 1 << 256
_TYPES: Final = {"INTEGER": int, "REAL": float, "TEXT": str, "BLOB": bytes}
_encode: Final = msgspec.msgpack.Encoder().encode


class Table(NamedTuple):
    """A table of this version, in the words of the shared schema."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    """INTEGER, REAL, TEXT or BLOB: of each column."""
    initial: tuple[Row, ...]
    """What is in it as long as the database is new."""

    @property
    def query(self) -> str:
        """What reads all of it, in any order."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"  # noqa: S608 - ours # nosec B608


class Source(Protocol):
    """A database that nobody else has, as of one moment."""

    @property
    def connection(self) -> Connection:
        """What it is read by."""
        ...

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """Every row of `table`, one by one, in any order."""
        ...


class Target(Source, Protocol):
    """The transaction that fills a database, which nobody else has."""

    def storable(self, row: Row) -> Row:
        """`row` as the database can hold it: the row itself, if it can."""
        ...

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        """Write `rows`, one by one, to the empty `table`."""
        ...

    def settle(self) -> None:
        """Once all rows are there: let what counts go on behind them."""
        ...


class Moved(NamedTuple):
    """A table that is the same in both databases: its rows, and the digest of their contents."""

    table: str
    rows: int
    digest: str


class Transferred(NamedTuple):
    """What was moved, and how many of the rows had a character that the target cannot hold."""

    tables: tuple[Moved, ...]
    changed: int


class Tally:
    """Counts rows, and sums up digests of them: in whichever order they come, the same rows give
    the same.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    @property
    def digest(self) -> str:
        """SHA-256 of each row, added up; in hexadecimal."""
        return f"{self._sum:064x}"

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows; each is counted as it passes."""
        for row in rows:
            self.count += 1
            self._sum += int.from_bytes(sha256(_encode(row)).digest())
            yield row
        self._sum %= _MODULUS


def tables() -> tuple[Table, ...]:
    """Every table that the migrations of this version make, but that of who shares the database."""
    with closing(sqlite3.connect(":memory:")) as new:
        for step in migrations():
            new.executescript(step.sql)
        return tuple(_table(new, name) for (name,) in new.execute(_TABLES).fetchall())


def _table(new: sqlite3.Connection, name: str) -> Table:
    columns = new.execute(f"PRAGMA table_info({name})").fetchall()
    table = Table(name, tuple(each[1] for each in columns), tuple(each[2] for each in columns), ())
    return table._replace(initial=tuple(new.execute(table.query).fetchall()))


def refuse_version(shown: object, version: int) -> None:
    """Return if a database of this version can be read by this program.

    Raises:
        DatabaseTooNew: a newer one has written it.
        NotMigrated: an older one has, or none.
    """
    newest = migrations()[-1].number
    if not version:
        raise NotMigrated(f"{shown} is new: there is nothing in it to move.")
    if version > newest:
        raise DatabaseTooNew(
            f"{shown} was written by a newer version of Aura (its schema is {version}, this "
            f"version knows {newest}): use that one."
        )
    if version < newest:
        raise NotMigrated(
            f"{shown} was written by an older version of Aura (its schema is {version}, not "
            f"{newest}): start a server of this version on it, which brings it up, and stop it."
        )


def refuse_filled(shown: object, target: Source) -> None:
    """Return if there is nothing in the tables of the target but what a new database has.

    Raises:
        NotMigrated: there is something.
    """
    for table in tables():
        some = f"{table.query} LIMIT {len(table.initial) + 1}"
        if set(target.connection.execute(some).fetchall()) != set(table.initial):
            raise NotMigrated(
                f"There is something in {shown} already (in the table {table.name}): name a "
                "database that is new."
            )


def transfer(source: Source, target: Target) -> Transferred:
    """Put every row of `source` into `target`, read all of them again there, and compare. Takes
    memory for a row or two, whatever there is to move.

    Raises:
        NotMigrated: the rows that are found are not those that were put there.
    """
    changed = 0

    def stored(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal changed
        for row in rows:
            storable = target.storable(row)
            changed += storable is not row
            yield storable

    moved: list[Moved] = []
    for table in tables():
        if table.initial:
            target.connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - ours # nosec B608
        sent = Tally()
        with closing(source.rows(table)) as rows:
            target.put(table, sent.counted(stored(_sound(table, rows))))
        moved.append(Moved(table.name, sent.count, sent.digest))
    target.settle()
    for table, sent_rows in zip(tables(), moved, strict=True):
        with closing(target.rows(table)) as rows:
            _compare(table, sent_rows, rows)
    return Transferred(tuple(moved), changed)


def _sound(table: Table, rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows, whose values are of the kinds that the columns say: a file of SQLite may hold
    any in each.
    """
    wanted = [(type(None), _TYPES[kind]) for kind in table.kinds]
    seen: set[tuple[type, ...]] = set()
    for row in rows:
        kinds = tuple(map(type, row))
        if kinds not in seen:
            for column, value, types in zip(table.columns, row, wanted, strict=True):
                if not isinstance(value, types):
                    raise NotMigrated(
                        f"What is to be moved is damaged: in the table {table.name} a row has "
                        f"no {types[1].__name__} in the column {column}. Bring the database back "
                        "from a backup."
                    )
            seen.add(kinds)
        yield row


def _compare(table: Table, sent: Moved, found: Iterable[Row]) -> None:
    tally = Tally()
    for _ in tally.counted(found):
        """It is counted."""
    if (tally.count, tally.digest) == (sent.rows, sent.digest):
        return
    raise NotMigrated(
        f"The table {table.name} is not the same on both sides: {sent.rows:,} rows were read "
        f"(digest {sent.digest[:12]}), {tally.count:,} found (digest {tally.digest[:12]}). "
        "Nothing was kept; both databases are as they were."
    )


def text_of(row: Row, zero: str) -> Row:
    """`row` with `zero` in place of the character 0 in its texts; the row itself, if there is
    none.
    """
    if not any(isinstance(value, str) and "\0" in value for value in row):
        return row
    changed: list[Any] = [
        value.replace("\0", zero) if isinstance(value, str) else value for value in row
    ]
    return tuple(changed)
