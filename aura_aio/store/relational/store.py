"""The store as a whole: its ports over one database and one writer.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from typing import Final, NamedTuple

from aura_aio.model.audit import AuditStore
from aura_aio.model.callback import CallbackStore
from aura_aio.model.children import ChildStore
from aura_aio.model.clock import Clock
from aura_aio.model.fleet import FleetStore
from aura_aio.model.job_queue import OfferStore
from aura_aio.model.ports import LogStore, Publish, RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.retention import RetentionStore
from aura_aio.model.schedule_store import EventStore, ScheduleStore
from aura_aio.model.token_store import TicketStore, TokenStore
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.audit import SqlAudit
from aura_aio.store.relational.callbacks import SqlCallbacks
from aura_aio.store.relational.children import SqlChildren, cancel_with_parents
from aura_aio.store.relational.connection import Database, Health
from aura_aio.store.relational.fleet import SqlFleet
from aura_aio.store.relational.logs import SqlLogs
from aura_aio.store.relational.offers import Put, SqlOffers
from aura_aio.store.relational.queue import SqlQueue
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.retention import SqlRetention
from aura_aio.store.relational.runs import SqlRuns
from aura_aio.store.relational.schedules import SqlEvents, SqlSchedules
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.relational.tickets import SqlTickets
from aura_aio.store.relational.tokens import SqlTokens
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer


class Rules(NamedTuple):
    """How many runs are queued at the most, how many attempts a run has, and how long, in seconds,
    an Idempotency-Key is known.
    """

    queue_limit: int = 1_000_000
    max_attempts: int = 3
    idempotency_retention_sec: float = 86_400.0


USUAL: Final = Rules()


class Parts:
    """What is opened, in a thread, before there is a store."""

    def __init__(self, database: Database, health: Health, clock: Clock) -> None:
        self.clock = clock
        self.health = health
        self.session = SqlSession(database, clock, before_commit=cancel_with_parents)
        self.look_ups = Reader(database, "look-ups")
        self.lists = Reader(database, "lists")
        self.entries = Reader(database, "entries")


class SqlStore:
    """An open store; made by its backend."""

    def __init__(self, parts: Parts, publish: Publish, rules: Rules) -> None:
        self._session = parts.session
        self._clock = parts.clock
        self._writer: Writer[Transaction] = Writer(parts.session, publish)
        self._readers = (parts.look_ups, parts.lists, parts.entries)
        self.health = parts.health
        acceptance = Acceptance(rules.queue_limit, rules.idempotency_retention_sec)
        self.runs: RunStore = SqlRuns(
            self._writer,
            parts.look_ups,
            parts.lists,
            parts.clock,
            acceptance=acceptance,
            max_attempts=rules.max_attempts,
        )
        self.queue: QueueStore = SqlQueue(
            self._writer, parts.look_ups, acceptance, parts.clock, parts.session
        )
        self.children: ChildStore = SqlChildren(
            self._writer, parts.look_ups, acceptance, parts.clock
        )
        self.logs: LogStore = SqlLogs(self._writer, parts.look_ups, parts.entries)
        self.schedules: ScheduleStore = SqlSchedules(
            self._writer, parts.lists, acceptance, parts.clock
        )
        self.events: EventStore = SqlEvents(
            parts.session, self._writer, parts.look_ups, acceptance, parts.clock
        )
        self.callbacks: CallbackStore = SqlCallbacks(self._writer, parts.look_ups)
        self.audit: AuditStore = SqlAudit(self._writer, parts.lists)
        self.retention: RetentionStore = SqlRetention(self._writer)
        self.tokens: TokenStore = SqlTokens(self._writer, parts.look_ups)
        self.tickets: TicketStore = SqlTickets(self._writer)
        self.fleet: FleetStore = SqlFleet(
            self._writer, parts.look_ups, parts.clock, rules.max_attempts
        )

    @property
    def commits(self) -> int:
        """Transactions so far: with group commit fewer than writes."""
        return self._writer.commits

    @property
    def commit_sec(self) -> float:
        """How long those of them that were answered have taken together, in seconds."""
        return self._session.commit_sec

    def offers(self, put: Put) -> OfferStore:
        """What offers runs to all hosts: `put` does it, in the writer's transactions."""
        return SqlOffers(self._writer, self._session, put, self._clock)

    async def aclose(self) -> None:
        """Finish every write that waits, then close the database. Idempotent.

        What is asked afterwards raises StoreUnavailable.
        """
        await self.health.aclose()
        for reader in self._readers:
            await reader.aclose()
        await self._writer.aclose()
