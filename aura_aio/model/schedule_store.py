"""The ports of what starts runs by itself: schedules, and the events that tasks wait for.

May import the standard library, msgspec and other modules of `model` only. What a port promises,
tests/store proves for every store.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from aura_aio.model.event import EventFilter
from aura_aio.model.plan import Definition
from aura_aio.model.ports import Accepted, IdempotencyKey
from aura_aio.model.run import Tasklet
from aura_aio.model.schedule import DueOutcome, ScheduleState
from aura_aio.model.states import RunState


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of the due times of a schedule after `known` up to `decided_at`.

    `tasklets` are queued, in order; with `unless_busy` only if the schedule's latest run has ended,
    otherwise the outcome is SKIPPED.
    """

    id: str
    known: float
    decided_at: float
    outcome: DueOutcome
    message: str | None = None
    tasklets: tuple[Tasklet, ...] = ()
    definitions: tuple[Definition, ...] = ()
    unless_busy: bool = False


class ScheduleStore(Protocol):
    """What is kept of schedules. Every write is durable when its call returns."""

    async def load(self) -> tuple[ScheduleState, ...]:
        """All that is kept, by id."""
        ...

    async def put(self, states: Sequence[ScheduleState]) -> None:
        """Keep these, all or none, in place of what was kept under their ids."""
        ...

    async def change(
        self, id_: str, before: ScheduleState | None, after: ScheduleState | None
    ) -> bool:
        """Keep `after` in place of `before`, what is known of the schedule; None stands for there
        being none. False, and nothing happens, if a client wanted something else meanwhile: another
        server has made, changed or removed it.
        """
        ...

    async def decide(self, decision: Decision) -> ScheduleState | None:
        """Carry out a decision as a whole: its runs are queued if and only if its due times are
        decided; answers the state after it. None, and nothing happens, if the schedule is not kept
        any more or `decided_at` is not what the decision knew: each due time is decided once.

        Raises:
            QueueFull: there would be more queued runs than the limit; nothing is decided.
        """
        ...

    async def run_now(
        self,
        known: ScheduleState,
        tasklet: Tasklet,
        definition: Definition,
        idempotency: IdempotencyKey | None = None,
    ) -> tuple[ScheduleState, Accepted]:
        """Queue a run beside the due times of a schedule; it is its latest then. One of a plan is
        kept as it is `known` if it is not yet. With `idempotency` as in `RunStore.enqueue`: a key
        that comes back changes nothing.

        Raises:
            ScheduleNotFound: another server has removed it.
            QueueFull: there would be more queued runs than the limit.
            IdempotencyMismatch: the key was used with something else.
        """
        ...


class KeptEvent(msgspec.Struct, frozen=True):
    """The end of a run that some task waits for; `depth` is that of the run."""

    number: int
    cid: str
    plan_name: str
    task_name: str
    status: RunState
    at: float
    depth: int


class EventStore(Protocol):
    """Events between the end of a run and the start of those that wait for it."""

    def listen(self, filters: Sequence[EventFilter]) -> None:
        """From now on the end of a run that passes one of `filters` is kept, in the transaction
        that ends the run. Costs nothing while there are none.
        """
        ...

    def listen_for_others(self, filters: Sequence[EventFilter]) -> None:
        """The same for those that other hosts wait for."""
        ...

    @property
    def listened(self) -> tuple[EventFilter, ...]:
        """What this host itself waits for."""
        ...

    async def kept(self, limit: int) -> tuple[KeptEvent, ...]:
        """The oldest events that were not answered, in order."""
        ...

    async def answer(
        self, event: KeptEvent, tasklets: Sequence[Tasklet], definitions: Sequence[Definition]
    ) -> bool:
        """Queue the runs and forget the event, in one; False, and nothing happens, if it was
        answered before.

        Raises:
            QueueFull: there would be more queued runs than the limit; the event is still kept.
        """
        ...
