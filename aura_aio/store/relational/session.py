"""The writer's session: each transaction is begun, completed and committed here.

May import the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Callable, Sequence

from aura_aio.model.clock import Clock
from aura_aio.model.event import EventFilter
from aura_aio.model.run import RunChanged
from aura_aio.store.relational.connection import Database
from aura_aio.store.relational.ends import keep_callbacks, keep_ends
from aura_aio.store.relational.transaction import Ledger, Transaction


class SqlSession:
    """Implements `store.writer.Session` over the database's writing connection.

    `before_commit` completes each transaction: it is called when all else is done.
    """

    def __init__(
        self, database: Database, clock: Clock, *, before_commit: Callable[[Transaction], None]
    ) -> None:
        self._before_commit = before_commit
        self._database = database
        self._connection = database.writer
        self._clock = clock
        self._has_to_learn = False
        self._ledger = Ledger(self._connection)
        self.listened: tuple[EventFilter, ...] = ()
        """Which ends of runs are kept; replaced as a whole, from the loop's thread."""
        self.commit_sec = 0.0
        """How long all commits so far have taken that were answered, in seconds."""

    @property
    def delayed(self) -> int:
        """How many queued runs are delayed, as of the last commit; may be asked by any thread."""
        return self._ledger.delayed

    @property
    def queued(self) -> int:
        """How many runs are queued, as of the last commit; may be asked by any thread."""
        return self._ledger.queued

    def begin(self, *, one_by_one: bool = True) -> Transaction:
        """Start a transaction; see `store.writer.Session`."""
        self._has_to_learn |= self._database.begin()
        if self._connection is not self._database.writer:
            self._ledger = Ledger(self._database.writer)
            self._connection = self._database.writer
        elif self._has_to_learn:
            self._ledger.learn(self._connection)
        self._has_to_learn = False
        return Transaction(self._connection, self._ledger, one_by_one=one_by_one)

    def commit(
        self, transaction: Transaction, keep_asking: Callable[[], bool]
    ) -> Sequence[RunChanged]:
        """Make it durable; answers its facts."""
        self._before_commit(transaction)
        now = self._clock.now()
        keep_ends(self._connection, transaction.facts, self.listened)
        keep_callbacks(self._connection, transaction.facts, now)
        transaction.flush(now)
        began = self._clock.monotonic()
        if self._database.commit(transaction.news, keep_asking):
            self.commit_sec += self._clock.monotonic() - began
        transaction.committed()
        return transaction.facts

    def rollback(self) -> None:
        """Undo; see `store.writer.Session`."""
        self._database.rollback()

    def unavailable(self, error: Exception) -> bool:
        """Whether the database is at fault."""
        return self._database.is_unavailable(error)

    def close(self) -> None:
        """Close the database."""
        self._database.close()
