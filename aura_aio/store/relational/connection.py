"""What the shared part of a store needs of a database: connections, and who is at fault.

May import the standard library and model only. `sqlite3.Connection` is a Connection as it stands;
the statements are in SQLite's words, with `?`, `?1` or `:name` for values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from aura_aio.model.news import News

Values: TypeAlias = Sequence[Any] | Mapping[str, Any]
Row: TypeAlias = tuple[Any, ...]


class AlikeInsert(NamedTuple):
    """An insert of rows that are numbered, and of which neighbours are alike in some columns."""

    table: str
    number: str
    common: tuple[str, ...]
    own: tuple[str, ...]

    @property
    def into(self) -> str:
        """What the statement begins with."""
        columns = ", ".join((self.number, *self.common, *self.own))
        return f"INSERT INTO {self.table} ({columns})"

    @property
    def one(self) -> str:
        """The insert of one row: its number, its common values, its own."""
        values = ", ".join("?" for _ in (self.number, *self.common, *self.own))
        return f"{self.into} VALUES ({values})"


class Rows(Protocol):
    """What a statement answers."""

    @property
    def rowcount(self) -> int:
        """How many rows it has changed."""
        ...

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None:
        """Let go of those that were not fetched."""
        ...


class Connection(Protocol):
    """A connection to the database, used by one thread at a time. A transaction is begun and ended
    by hand; outside of one each statement is one of its own.
    """

    @property
    def total_changes(self) -> int:
        """Rows that it has written since it was opened."""
        ...

    def execute(self, sql: str, values: Values = ..., /) -> Rows:
        """Carry a statement out."""
        ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Carry a statement out for each of `rows`, in their order; all count as changed by it."""
        ...

    def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class WritingConnection(Connection, Protocol):
    """A connection that writes."""

    def insert(self, sql: str, rows: Sequence[Row], /) -> None:
        """Carry an insert of one row (`VALUES (?, …)`) out for each of `rows`, in their order."""
        ...

    def insert_alike(
        self, insert: AlikeInsert, first: int, common: Sequence[Row], own: Sequence[Row], /
    ) -> None:
        """Insert rows that are numbered from `first` on: the values of each that it may have in
        common with its neighbours, and its own.
        """
        ...


class Database(Protocol):
    """A database that is open, up to date with the schema. One transaction at a time writes to it,
    of whichever server that has it open.
    """

    @property
    def writer(self) -> WritingConnection:
        """The connection that writes; another one, once it had to be made anew."""
        ...

    def begin(self) -> bool:
        """Begin a transaction of the writer, once no other server has one under way; answers
        whether another one may have written since the last.
        """
        ...

    def commit(self, news: News, keep_asking: Callable[[], bool]) -> bool:
        """Make it durable, and let other servers hear the `news` of it; nothing of it has happened
        if this raises. False if its answer was lost, and had to be asked for.

        If the database has gone before it answered, `keep_asking` is called each time that the
        outcome cannot be learnt yet: it waits, and says whether to go on asking. Only when it says
        no, this raises though it may have happened.
        """
        ...

    def rollback(self) -> None:
        """Undo it. Does not raise: if the database refuses even that, the next `begin` fails."""
        ...

    def reader(self) -> Connection:
        """A new connection that cannot write; what it reads in a transaction is of one moment."""
        ...

    def is_lost(self, reader: Connection) -> bool:
        """Whether another one must be made in place of `reader`."""
        ...

    def is_unavailable(self, error: Exception) -> bool:
        """Whether the database is at fault (full, locked, gone, damaged), and not a statement."""
        ...

    def close(self) -> None:
        """Close the writer's connection, and let others open the database."""
        ...


class Health(Protocol):
    """What looks after a database while it is open."""

    @property
    def alive(self) -> bool:
        """Whether the server can go on with it."""
        ...

    async def aclose(self) -> None:
        """End. Idempotent."""
        ...
