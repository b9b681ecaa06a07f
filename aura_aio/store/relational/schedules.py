"""Schedules and events: the ports of `model.schedule_store` in tables.

May import store.writer, the rest of `store.relational`, the standard library, msgspec and model
only.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from aura_aio.model.clock import Clock
from aura_aio.model.errors import ScheduleNotFound
from aura_aio.model.event import EventFilter
from aura_aio.model.news import Topic
from aura_aio.model.plan import Definition
from aura_aio.model.ports import Accepted, IdempotencyKey
from aura_aio.model.run import Tasklet
from aura_aio.model.schedule import DueOutcome, ScheduleState
from aura_aio.model.schedule_store import Decision, KeptEvent
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.rows import event_from, row_of_schedule, schedule_from
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer


class SqlSchedules:
    """Implements `model.schedule_store.ScheduleStore`."""

    def __init__(
        self, writer: Writer[Transaction], lists: Reader, acceptance: Acceptance, clock: Clock
    ) -> None:
        self._writer = writer
        self._lists = lists
        self._acceptance = acceptance
        self._clock = clock

    async def load(self) -> tuple[ScheduleState, ...]:
        """All that is kept, by id."""

        def query(connection: Connection) -> tuple[ScheduleState, ...]:
            return tuple(map(schedule_from, connection.execute(sql.SCHEDULES)))

        return await self._lists.ask(query)

    async def put(self, states: Sequence[ScheduleState]) -> None:
        """Keep these in place of what was kept under their ids."""
        if states:
            await self._writer.submit(lambda tx: _put(tx, *(_decided(tx, each) for each in states)))

    async def change(
        self, id_: str, before: ScheduleState | None, after: ScheduleState | None
    ) -> bool:
        """Keep `after` in place of `before`, unless a client wanted something else meanwhile."""

        def operation(tx: Transaction) -> bool:
            if not _is_as_known(_state(tx, id_), before):
                return False
            if after is not None:
                _put(tx, _decided(tx, after))
                return True
            tx.connection.execute(sql.DELETE_SCHEDULE, (id_,))
            tx.tell_of(Topic.SCHEDULES)
            return True

        return await self._writer.submit(operation)

    async def decide(self, decision: Decision) -> ScheduleState | None:
        """Carry out a decision as a whole; None if another came before. Raises QueueFull."""

        def operation(tx: Transaction) -> ScheduleState | None:
            before = _state(tx, decision.id)
            if before is None or before.decided_at != decision.known:
                return None
            state = replace(
                before,
                decided_at=decision.decided_at,
                outcome=decision.outcome,
                message=decision.message,
            )
            if decision.tasklets:
                if decision.unless_busy and _is_busy(tx, before):
                    message = f"The run {before.last_cid} had not ended."
                    state = replace(state, outcome=DueOutcome.SKIPPED, message=message)
                else:
                    state = self._queue(tx, state, decision.tasklets, decision.definitions)
            _put(tx, state)
            return state

        return await self._writer.submit(operation)

    async def run_now(
        self,
        known: ScheduleState,
        tasklet: Tasklet,
        definition: Definition,
        idempotency: IdempotencyKey | None = None,
    ) -> tuple[ScheduleState, Accepted]:
        """Queue a run beside the due times; raises ScheduleNotFound, QueueFull,
        IdempotencyMismatch.
        """

        def operation(tx: Transaction) -> tuple[ScheduleState, Accepted]:
            state = _state(tx, known.id)
            if state is None:
                if known.created is not None:
                    raise ScheduleNotFound(known.id, ())
                state = known
            now = self._clock.now()
            accepted = self._acceptance.accept(tx, (tasklet,), (definition,), idempotency, now)
            if not accepted.replayed:
                state = _with_latest(state, tasklet)
                _put(tx, state)
            return state, accepted

        return await self._writer.submit(operation)

    def _queue(
        self,
        tx: Transaction,
        state: ScheduleState,
        tasklets: Sequence[Tasklet],
        definitions: Sequence[Definition],
    ) -> ScheduleState:
        """Queue runs of a schedule; its state with the last of them."""
        self._acceptance.accept(tx, tasklets, definitions, None, self._clock.now())
        return _with_latest(state, tasklets[-1])


class SqlEvents:
    """Implements `model.schedule_store.EventStore`."""

    def __init__(
        self,
        session: SqlSession,
        writer: Writer[Transaction],
        look_ups: Reader,
        acceptance: Acceptance,
        clock: Clock,
    ) -> None:
        self.listened: tuple[EventFilter, ...] = ()
        """What this host itself waits for."""
        self._elsewhere: tuple[EventFilter, ...] = ()
        self._session = session
        self._writer = writer
        self._look_ups = look_ups
        self._acceptance = acceptance
        self._clock = clock

    def listen(self, filters: Sequence[EventFilter]) -> None:
        """Keep the ends of runs that pass one of `filters` from now on."""
        self.listened = tuple(filters)
        self._keep_ends()

    def listen_for_others(self, filters: Sequence[EventFilter]) -> None:
        """And those that other hosts wait for."""
        self._elsewhere = tuple(filters)
        self._keep_ends()

    def _keep_ends(self) -> None:
        self._session.listened = tuple(dict.fromkeys(self.listened + self._elsewhere))

    async def kept(self, limit: int) -> tuple[KeptEvent, ...]:
        """The oldest events that were not answered, in order."""

        def query(connection: Connection) -> tuple[KeptEvent, ...]:
            return tuple(map(event_from, connection.execute(sql.KEPT_EVENTS, (limit,))))

        return await self._look_ups.ask(query)

    async def answer(
        self, event: KeptEvent, tasklets: Sequence[Tasklet], definitions: Sequence[Definition]
    ) -> bool:
        """Queue the runs and forget the event, in one. Raises QueueFull."""

        def operation(tx: Transaction) -> bool:
            if tx.connection.execute(sql.EVENT, (event.number, event.cid)).fetchone() is None:
                return False
            if tasklets:
                self._acceptance.accept(tx, tasklets, definitions, None, self._clock.now())
            tx.connection.execute(sql.FORGET_EVENT, (event.number,))
            return True

        return await self._writer.submit(operation)


def _with_latest(state: ScheduleState, run: Tasklet) -> ScheduleState:
    return replace(state, last_cid=run.cid, last_run_at=run.accepted_at)


def _state(tx: Transaction, id_: str) -> ScheduleState | None:
    row = tx.connection.execute(sql.SCHEDULE, (id_,)).fetchone()
    return None if row is None else schedule_from(row)


def _is_as_known(kept: ScheduleState | None, known: ScheduleState | None) -> bool:
    """Whether clients want of a schedule what they did when it was `known`. Of a plan's that was
    kept by nobody yet, and of one that its plan has no more, they want nothing.
    """
    if known is None:
        return kept is None or kept.created is None
    if kept is None:
        return known.created is None and known.enabled is None
    return (kept.created, kept.enabled) == (known.created, known.enabled)


def _decided(tx: Transaction, state: ScheduleState) -> ScheduleState:
    """`state`, and what another server has decided meanwhile, unless its due times are others."""
    kept = _state(tx, state.id)
    if kept is None or kept.basis != state.basis or kept.decided_at <= state.decided_at:
        return state
    return replace(
        state,
        decided_at=kept.decided_at,
        last_run_at=kept.last_run_at,
        last_cid=kept.last_cid,
        outcome=kept.outcome,
        message=kept.message,
    )


def _put(tx: Transaction, *states: ScheduleState) -> None:
    tx.connection.executemany(sql.PUT_SCHEDULE, [row_of_schedule(state) for state in states])
    tx.tell_of(Topic.SCHEDULES)


def _is_busy(tx: Transaction, state: ScheduleState) -> bool:
    """Whether the latest run of the schedule has not ended."""
    row = tx.connection.execute(sql.STATE_OF_RUN, (state.last_cid,)).fetchone()
    return row is not None and RunState(row[0]) not in TERMINAL
