"""A transaction of the writer: rows, facts, and the figures that must stay exact beside them.

May import the rest of `store.relational`, the standard library, msgspec and model only.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from aura_aio.model.audit import AuditOutcome, Note, cids_of
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.news import News, Topic
from aura_aio.model.plan import Definition
from aura_aio.model.run import RunChanged, StepRecord, Tasklet
from aura_aio.model.states import HOLDS_A_SLOT, TERMINAL, RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection, WritingConnection
from aura_aio.store.relational.rows import (
    Row,
    can_start,
    is_limited,
    place_of,
    row_of_note,
    started,
)

K = TypeVar("K")

SLOT_SEC: Final = 10
"""How finely ended runs are counted by time."""

KEPT_SLOTS: Final = 3600 // SLOT_SEC + 1


ALL_PLANS: Final = ""
"""Stands for every plan where a pause names one."""


class Place(NamedTuple):
    """What queued runs are counted by."""

    priority: int
    plan_name: str
    delayed: bool


class Ledger:
    """What the writer knows by heart, as of the last commit."""

    def __init__(self, connection: Connection) -> None:
        connection.execute(sql.TIDY_QUEUE_COUNTS)
        self.definitions = {digest for (digest,) in connection.execute(sql.DEFINITIONS)}
        """Those of which it is known that they are kept: others may keep more."""
        self.plans_of_hosts: dict[str, PlanDigests] = {}
        """Of which plans hosts take runs, by the digest that they tell of them: read once."""
        self.learn(connection)

    def learn(self, connection: Connection) -> None:
        """Learn anew what another server may have changed."""
        figures = connection.execute(sql.FIGURES).fetchone()
        self.queued: int = figures[0]
        self.delayed: int = figures[1]
        self.newest_seq: int = figures[2]
        self.plans_with_state = {name for (name,) in connection.execute(sql.PLANS_WITH_STATE)}
        self.pauses: dict[str, float] = dict(connection.execute(sql.PAUSES).fetchall())


class Transaction:
    """One transaction under way; operations write through `connection` and report here."""

    def __init__(
        self, connection: WritingConnection, ledger: Ledger, *, one_by_one: bool = True
    ) -> None:
        self._connection = connection
        self._one_by_one = one_by_one
        self._arrivals: list[Row] = []
        self._started = 0
        self.facts: list[RunChanged] = []
        self.queued: int = ledger.queued
        """Runs in the queue, this transaction's included."""
        self.delayed: int = ledger.delayed
        """How many of them have not joined those that can be claimed."""
        self.newest_seq: int = ledger.newest_seq
        """The newest number of a log entry, this transaction's included."""
        self.definitions: list[str] = []
        """Digests that this transaction has added."""
        self.pauses = dict(ledger.pauses)
        """Since when which plans are paused, this transaction's changes included."""
        self.plans_of_hosts = ledger.plans_of_hosts
        """See `Ledger`."""
        self._plans_with_state: set[str] = set()
        self._topics: list[Topic] = []
        self._ledger = ledger
        self._notes: list[tuple[Row, tuple[str, ...]]] = []
        self._places: Counter[Place] = Counter()
        self._states: Counter[RunState] = Counter()
        self._slots: Counter[int] = Counter()

    @property
    def connection(self) -> WritingConnection:
        """The database, with all that was written so far."""
        self._insert_arrivals()
        return self._connection

    @property
    def written(self) -> int:
        """Rows that the connection has written since it was opened."""
        return self._connection.total_changes + len(self._arrivals) + self._started

    def insert_runs(self, rows: Sequence[Row]) -> None:
        """Insert runs (sql.INSERT_RUN), with those of other operations at once: when somebody looks
        into the database, or at the end.
        """
        self._arrivals += rows
        if self._one_by_one:
            self._insert_arrivals()

    def start_arrivals(self, workers: Sequence[str], now: float) -> list[Tasklet]:
        """Let runs start on `workers` that this transaction has queued and nobody has looked at
        yet, in the order of the queue: they are inserted as running, and never enter the indexes of
        the queue. None if others are ready as well, or any of them has limits.
        """
        ready = [index for index, row in enumerate(self._arrivals) if can_start(row)]
        if len(ready) != self.queued - self.delayed:
            return []
        arrivals = self._arrivals
        if any(is_limited(arrivals[index]) for index in ready):
            return []
        ready.sort(key=lambda index: place_of(arrivals[index]))
        tasklets = []
        for worker, index in zip(workers, ready, strict=False):
            arrivals[index], tasklet = started(arrivals[index], worker, now)
            tasklets.append(tasklet)
        self._started += len(tasklets)
        return tasklets

    def _insert_arrivals(self) -> None:
        if self._arrivals:
            arrivals, self._arrivals = self._arrivals, []
            self._connection.insert(sql.INSERT_RUN, arrivals)

    def define(self, definitions: Iterable[Definition]) -> None:
        """Keep those of `definitions` that are not kept yet."""
        for definition in definitions:
            digest = definition.digest
            if digest not in self._ledger.definitions and digest not in self.definitions:
                self.connection.execute(sql.KEEP_DEFINITION, (digest, definition.document))
                self.definitions.append(digest)

    def keep_state(self, record: StepRecord) -> None:
        """Change what the plan of a run keeps as a step of it says; nothing, if it is stale."""
        for key, text in record.state.items():
            if text is None:
                self.connection.execute(sql.DROP_STATE, (key, record.cid, record.attempt))
                continue
            kept = self.connection.execute(sql.PUT_STATE, (key, text, record.cid, record.attempt))
            self._plans_with_state.update(plan_name for (plan_name,) in kept)

    def state_of(self, plan_name: str) -> bytes | None:
        """The JSON text of what a plan keeps; None if that is nothing."""
        if plan_name not in self._ledger.plans_with_state | self._plans_with_state:
            return None
        kept = dict(self.connection.execute(sql.STATE, (plan_name,)).fetchall())
        raw = {key: msgspec.Raw(value) for key, value in kept.items()}
        return msgspec.json.encode(raw) if raw else None

    def pause(self, plan_name: str, now: float) -> None:
        """Let nothing of a plan, or of `ALL_PLANS`, start from now on; again: nothing."""
        self.connection.execute(sql.PAUSE, (plan_name, now))
        self.pauses.setdefault(plan_name, now)

    def resume(self, plan_name: str) -> None:
        """Take the pause of a plan, or that of `ALL_PLANS`, away."""
        self.connection.execute(sql.RESUME, (plan_name,))
        self.tell_of(Topic.QUEUE)
        self.pauses.pop(plan_name, None)

    def join(self, place: Place, count: int = 1) -> None:
        """`count` runs have come into the queue at `place`."""
        self._places[place] += count
        self.queued += count
        if place.delayed:
            self.delayed += count

    def plans_queued(self) -> set[str]:
        """The plans that have runs in the queue; some more, when their last ones have just left."""
        before = {row[1] for row in self.connection.execute(sql.QUEUE_COUNTS)}
        return before | {place.plan_name for place in self._places}

    def leave(self, place: Place) -> None:
        """A run has gone from `place` in the queue."""
        self._places[place] -= 1
        self.queued -= 1
        if place.delayed:
            self.delayed -= 1

    def changed(self, fact: RunChanged) -> None:
        """A run has gone from one state to another: count it, and publish it after the commit."""
        self.facts.append(fact)

    def tell_of(self, topic: Topic) -> None:
        """Something has changed that other servers hold in memory."""
        self._topics.append(topic)

    @property
    def news(self) -> News:
        """What other servers are to hear of it."""
        newest_seq = self.newest_seq if self.newest_seq != self._ledger.newest_seq else 0
        return News(tuple(self.facts), newest_seq, tuple(dict.fromkeys(self._topics)))

    def forget(self, state: RunState) -> None:
        """A run that has ended is gone from the store."""
        self._states[state] -= 1

    def note_changes(self, note: Note, facts: Sequence[RunChanged]) -> None:
        """Keep an event of the audit trail: of the first change of a request, and of each further
        one that changes runs.
        """
        if facts or not note.written:
            self.note(note, [fact.cid for fact in facts])

    def note(
        self,
        note: Note,
        changed: Iterable[str] = (),
        outcome: AuditOutcome = AuditOutcome.DONE,
        reason: str | None = None,
    ) -> None:
        """Keep an event of the audit trail; `changed` are the cids of the runs that it changed."""
        cids = tuple(changed)
        if len(cids) > 1:
            cids = tuple(dict.fromkeys(cids))
        cid, others = cids_of(cids, note)
        self._notes.append((row_of_note(note, outcome, reason, cid, len(cids)), others))

    def flush(self, now: float) -> None:
        """Write what has been counted, as the last thing before the commit."""
        write = self.connection
        self._count_facts()
        if self._places:
            write.executemany(sql.ADD_TO_QUEUE, [(*place, n) for place, n in _moved(self._places)])
        if self._states:
            write.executemany(sql.ADD_TO_STATE, _moved(self._states))
        if self._slots:
            write.executemany(sql.ADD_TO_SLOT, list(self._slots.items()))
            write.execute(sql.PRUNE_SLOTS, (int(now // SLOT_SEC) - KEPT_SLOTS,))
        if self.newest_seq != self._ledger.newest_seq:
            write.execute(sql.KEEP_SEQ, (self.newest_seq,))
        if self._notes:
            self._flush_notes(now)

    def _count_facts(self) -> None:
        states, slots = self._states, self._slots
        for fact in self.facts:
            source, target = fact.source, fact.target
            if source is not None:
                states[source] -= 1
            states[target] += 1
            if target in TERMINAL and source in HOLDS_A_SLOT:
                slots[int(fact.at // SLOT_SEC)] += 1

    def _flush_notes(self, now: float) -> None:
        write = self.connection
        alone = [(now, *row) for row, others in self._notes if not others]
        write.insert(sql.KEEP_AUDIT_EVENT, alone)
        for row, others in self._notes:
            if others:
                [(number,)] = write.execute(sql.KEEP_NUMBERED_EVENT, (now, *row)).fetchall()
                write.insert(sql.KEEP_AUDITED_RUN, [(cid, number) for cid in others])

    def committed(self) -> None:
        """It is durable: what the writer knows by heart follows."""
        self._ledger.queued = self.queued
        self._ledger.delayed = self.delayed
        self._ledger.newest_seq = self.newest_seq
        self._ledger.definitions.update(self.definitions)
        self._ledger.plans_with_state.update(self._plans_with_state)
        self._ledger.pauses = self.pauses


def _moved(counts: Counter[K]) -> list[tuple[K, int]]:
    return [(key, n) for key, n in counts.items() if n]
