"""The store as a whole: its ports over one file and one writer.

May import store.writer, the rest of `store.sqlite`, the standard library and model only.
"""

import asyncio
import sqlite3
from pathlib import Path

from aura_aio.model.audit import AuditStore
from aura_aio.model.callback import CallbackStore
from aura_aio.model.children import ChildStore
from aura_aio.model.clock import Clock
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.ports import LogStore, Publish, RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.retention import RetentionStore
from aura_aio.model.schedule_store import EventStore, ScheduleStore
from aura_aio.model.token_store import TokenStore
from aura_aio.store.sqlite.accept import Acceptance
from aura_aio.store.sqlite.audit import SqliteAudit
from aura_aio.store.sqlite.callbacks import SqliteCallbacks
from aura_aio.store.sqlite.children import SqliteChildren, cancel_with_parents
from aura_aio.store.sqlite.database import AT_ONCE, Database, Opening
from aura_aio.store.sqlite.logs import SqliteLogs
from aura_aio.store.sqlite.queue import SqliteQueue
from aura_aio.store.sqlite.reader import Reader
from aura_aio.store.sqlite.retention import SqliteRetention
from aura_aio.store.sqlite.runs import SqliteRuns
from aura_aio.store.sqlite.schedules import SqliteEvents, SqliteSchedules
from aura_aio.store.sqlite.soundness import Inspection
from aura_aio.store.sqlite.tokens import SqliteTokens
from aura_aio.store.sqlite.transaction import SqliteSession, Transaction
from aura_aio.store.writer import Writer


class Parts:
    """What is opened, in a thread, before there is a store."""

    def __init__(self, path: Path, clock: Clock, how: Opening) -> None:
        database = Database(path, how=how)
        self.clock = clock
        self.inspection = Inspection(database.path)
        try:
            self.session = SqliteSession(database, clock, before_commit=cancel_with_parents)
            self.look_ups = Reader(database, "look-ups")
            self.lists = Reader(database, "lists")
            self.entries = Reader(database, "entries")
            if database.is_unchecked:
                self.inspection.start(database.reader())
        except sqlite3.Error as error:
            database.close()
            raise StoreUnavailable(f"{database.path} cannot be read: {error}.") from error


class SqliteStore:
    """An open store; made by `open_sqlite`."""

    def __init__(
        self, parts: Parts, publish: Publish, acceptance: Acceptance, max_attempts: int
    ) -> None:
        self._session = parts.session
        self._writer: Writer[Transaction] = Writer(parts.session, publish)
        self._readers = (parts.look_ups, parts.lists, parts.entries)
        self.inspection = parts.inspection
        self.runs: RunStore = SqliteRuns(
            self._writer,
            parts.look_ups,
            parts.lists,
            parts.clock,
            acceptance=acceptance,
            max_attempts=max_attempts,
        )
        self.queue: QueueStore = SqliteQueue(
            self._writer, parts.look_ups, acceptance, parts.clock, parts.session
        )
        self.children: ChildStore = SqliteChildren(
            self._writer, parts.look_ups, acceptance, parts.clock
        )
        self.logs: LogStore = SqliteLogs(self._writer, parts.look_ups, parts.entries)
        self.schedules: ScheduleStore = SqliteSchedules(
            self._writer, parts.lists, acceptance, parts.clock
        )
        self.events: EventStore = SqliteEvents(
            parts.session, self._writer, parts.look_ups, acceptance, parts.clock
        )
        self.callbacks: CallbackStore = SqliteCallbacks(self._writer, parts.look_ups)
        self.audit: AuditStore = SqliteAudit(self._writer, parts.lists)
        self.retention: RetentionStore = SqliteRetention(self._writer)
        self.tokens: TokenStore = SqliteTokens(self._writer, parts.look_ups)

    @property
    def commits(self) -> int:
        """Transactions so far: with group commit fewer than writes."""
        return self._writer.commits

    @property
    def commit_sec(self) -> float:
        """How long they have taken together, in seconds."""
        return self._session.commit_sec

    async def aclose(self) -> None:
        """Finish every write that waits, then close the file. Idempotent.

        What is asked afterwards raises StoreUnavailable.
        """
        await self.inspection.aclose()
        for reader in self._readers:
            await reader.aclose()
        await self._writer.aclose()


async def open_sqlite(
    path: Path,
    *,
    publish: Publish,
    clock: Clock,
    queue_limit: int = 1_000_000,
    max_attempts: int = 3,
    idempotency_retention_sec: float = 86_400.0,
    how: Opening = AT_ONCE,
) -> SqliteStore:
    """Open the database at `path`, making or migrating it as needed. It is checked first; one that
    is larger than `how.checked_bytes` afterwards (`inspection`), if it was not closed properly.

    `publish` is called on this event loop with every fact, after its commit and before the call
    that caused it returns. At the most `queue_limit` runs are queued, a run has at the most
    `max_attempts` attempts, and an Idempotency-Key is known for `idempotency_retention_sec`.

    Raises:
        DatabaseTooNew: a newer version has written it; it was not touched.
        StoreUnavailable: it cannot be opened, is in use, is damaged, or is not ours.
    """
    parts = await asyncio.to_thread(Parts, path, clock, how)
    acceptance = Acceptance(queue_limit, idempotency_retention_sec)
    return SqliteStore(parts, publish, acceptance, max_attempts)
