"""The writer thread of a database: takes all that waits, and makes one transaction of it.

May import the standard library and model only; each store brings its own Session.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, Final, Generic, Protocol, TypeVar

from aura_aio.model.audit import Note, current_note
from aura_aio.model.errors import AuraError, StoreUnavailable
from aura_aio.model.ports import Publish
from aura_aio.model.run import RunChanged

_log = logging.getLogger("aura.store.writer")

T = TypeVar("T")

DOUBT_PAUSE_SEC: Final = 0.5
"""How long to wait, in seconds, before what became of a commit is asked for again."""


class Transaction(Protocol):
    """What the writer must know of a transaction, and no more."""

    @property
    def written(self) -> int:
        """A number that grows with each row written."""
        ...

    @property
    def facts(self) -> Sequence[RunChanged]:
        """What has changed in it so far, in order."""
        ...

    def note_changes(self, note: Note, facts: Sequence[RunChanged]) -> None:
        """Keep in the audit trail that the request of `note` has brought `facts` about."""
        ...


Tx = TypeVar("Tx", bound=Transaction)


class Session(Protocol[Tx]):
    """The one connection that writes; every method is called in the writer's thread."""

    def begin(self, *, one_by_one: bool) -> Tx:
        """Start a transaction. If `one_by_one`, each operation fails by itself if the database does
        not take what it writes; else that may come to light with a later one, or at the commit.
        """
        ...

    def commit(self, transaction: Tx, keep_asking: Callable[[], bool]) -> Sequence[RunChanged]:
        """Make it durable; answers the facts to publish, in order. `keep_asking` waits, and says
        whether to go on, whenever it cannot be learnt yet what became of it.
        """
        ...

    def rollback(self) -> None:
        """Undo what has been done since `begin`; must not raise."""
        ...

    def unavailable(self, error: Exception) -> bool:
        """Whether the database is at fault (full, locked, gone), and not the operation."""
        ...

    def close(self) -> None:
        """Let go of the database; must not raise."""
        ...


class _Waiting(Generic[Tx]):
    """An operation, who waits for it, and what came of it."""

    __slots__ = ("error", "future", "goes_first", "is_noted", "note", "operation", "result")

    def __init__(
        self,
        operation: Callable[[Tx], Any],
        future: asyncio.Future[Any],
        note: Note | None,
        *,
        goes_first: bool,
    ) -> None:
        self.operation = operation
        self.goes_first = goes_first
        self.future = future
        self.note = note
        self.is_noted = False
        self.result: Any = None
        self.error: Exception | None = None

    def run(self, transaction: Tx) -> None:
        """Do it; an AuraError before the first write is an answer like any other."""
        before, changes = transaction.written, len(transaction.facts)
        self.error = None
        self.is_noted = False
        try:
            self.result = self.operation(transaction)
        except AuraError as error:
            if transaction.written != before:
                raise
            self.error = error
            return
        if self.note is not None and transaction.written != before:
            transaction.note_changes(self.note, transaction.facts[changes:])
            self.is_noted = True

    def settle(self) -> None:
        """Tell who waits, on the loop; a caller that was cancelled is not told."""
        if self.note is not None and self.is_noted and self.error is None:
            self.note.written = True
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer(Generic[Tx]):
    """Group commit: operations that wait at the same time share one transaction and one fsync, and
    so do those that come while it is begun: it may have to wait until other servers are done.
    Those of one turn of the event loop are handed over together, in the order of their calls.

    An operation is a plain function of the transaction that depends on nothing but the database
    and its own arguments: it may be called again. It checks first and writes afterwards, so that
    one that raises an AuraError has written nothing, and fails alone. Whatever else an operation
    raises rolls back the transaction; it fails alone all the same, because the others are called
    again in a new one. If the database itself fails, all of them raise StoreUnavailable, and none
    has happened. While it is not known what became of a commit its operations wait, however long
    that takes, and all others are refused.

    Made on the event loop that submits. Threads are not shared: one writer, one thread.
    """

    def __init__(self, session: Session[Tx], publish: Publish, *, name: str = "store") -> None:
        self.commits = 0
        """Transactions so far that were committed."""
        self._session = session
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._turn: list[_Waiting[Tx]] = []
        self._inbox: SimpleQueue[list[_Waiting[Tx]] | None] = SimpleQueue()
        self._closing = Event()
        # A daemon: a process whose loop died without aclose() must end, and has acknowledged
        # nothing that is not on disk.
        self._thread = Thread(target=self._work, name=f"{name}-writer", daemon=True)
        self._thread.start()

    async def submit(self, operation: Callable[[Tx], T], *, goes_first: bool = False) -> T:
        """Return what `operation` returned, once its transaction is durable.

        The facts of the transaction are published before any of its callers goes on; who
        `goes_first` does so before the others. If the caller
        is cancelled while it waits, the operation counts nevertheless. If it answers a request that
        is noted (`model.audit`), the note is kept in the same transaction.

        Raises:
            StoreUnavailable: the database failed, or the writer is closed; nothing has happened
                (unless it was closed before it learnt what became of the commit).
            Exception: whatever `operation` raised; nothing of it has happened.
        """
        if self._closing.is_set():
            raise StoreUnavailable("The store is closed.")
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._turn:
            self._loop.call_soon(self._end_turn)
        self._turn.append(_Waiting(operation, future, current_note(), goes_first=goes_first))
        return await future

    async def aclose(self) -> None:
        """Finish what waits, then end the thread. Idempotent."""
        if not self._closing.is_set():
            self._closing.set()
            self._end_turn()
            self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, []
        if turn:
            self._inbox.put(turn)

    def _work(self) -> None:
        while (first := self._inbox.get()) is not None:
            batch = first + self._waiting()
            facts = self._settle(batch)
            self._call_back(batch, facts)
        self._session.close()

    def _waiting(self) -> list[_Waiting[Tx]]:
        """All that waits by now, in its order; the word that no more will come is left there."""
        found: list[_Waiting[Tx]] = []
        with suppress(Empty):
            while (waiting := self._inbox.get_nowait()) is not None:
                found += waiting
            self._inbox.put(None)
        return found

    def _settle(self, batch: list[_Waiting[Tx]]) -> Sequence[RunChanged]:
        """Give each of `batch` its result or its error; answers the facts to publish. What has come
        while the transaction was begun, which may mean to wait for other servers, joins the batch.
        """
        left, one_by_one = list(batch), False
        while left:
            current: _Waiting[Tx] | None = None
            try:
                transaction = self._session.begin(one_by_one=one_by_one)
                if not one_by_one:
                    batch += self._waiting()
                    left = list(batch)
                for current in left:
                    current.run(transaction)
                current = None
                facts = self._session.commit(transaction, self._refuse_for_a_moment)
            except Exception as error:  # an operation may raise what it likes; it is its answer
                self._session.rollback()
                if self._session.unavailable(error) or (one_by_one and current is None):
                    _fail(left, error)
                    return ()
                if one_by_one and current is not None:
                    current.error = error
                    left.remove(current)
                one_by_one = True  # to see whose fault it is
            else:
                self.commits += 1
                return facts
        return ()

    def _refuse_for_a_moment(self) -> bool:
        """Wait, and refuse who has come meanwhile; False once nobody comes any more."""
        closing = self._closing.wait(DOUBT_PAUSE_SEC)
        if refused := self._waiting():
            _fail(refused, StoreUnavailable("it is not known yet what became of a commit"))
            self._call_back(refused, ())
        return not closing

    def _call_back(self, batch: Sequence[_Waiting[Tx]], facts: Sequence[RunChanged]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._hand_over, batch, facts)
        except RuntimeError:
            _log.warning("nobody waits for the store", extra={"action": "store_loop_closed"})

    def _hand_over(self, batch: Sequence[_Waiting[Tx]], facts: Sequence[RunChanged]) -> None:
        for waiting in batch:
            if waiting.goes_first:
                waiting.settle()
        for waiting in batch:
            if not waiting.goes_first:
                waiting.settle()
        for fact in facts:
            try:
                self._publish(fact)
            except Exception:  # one listener must not keep the fact from the next
                _log.exception(
                    "a fact was not taken", extra={"action": "publish_failed", "cid": fact.cid}
                )


def _fail(waiting: Sequence[_Waiting[Any]], error: Exception) -> None:
    """The database failed: one exception each, for a shared one would collect their tracebacks."""
    reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
    for each in waiting:
        each.error = StoreUnavailable(f"The database does not take writes: {reason}.")
        each.error.__cause__ = error
