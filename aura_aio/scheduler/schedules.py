"""Schedules as clients see them: list, create, change, remove, run now.

May import the rest of `scheduler`, catalog and model; stores come in as ports.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from aura_aio.catalog.due_times import Timing, TimingFault, UnknownZone, timing_of
from aura_aio.model.clock import Clock
from aura_aio.model.cursors import decode_cursor, encode_cursor
from aura_aio.model.errors import (
    RequestInvalid,
    ScheduleExists,
    ScheduleNotFound,
    ScheduleReadOnly,
)
from aura_aio.model.origin import FromSchedule
from aura_aio.model.ports import IdempotencyKey, Page
from aura_aio.model.schedule import Schedule, ScheduleState
from aura_aio.model.trace import TraceContext
from aura_aio.scheduler.admission import Admission, RunRequest
from aura_aio.scheduler.schedule_book import (
    Entry,
    ScheduleBook,
    Source,
    basis_of,
    entry_of,
    is_enabled,
)

_LIST = "schedules"
_task = msgspec.json.Decoder(tuple[str, str])


class RunNow(msgspec.Struct, frozen=True):
    """A run of a schedule; `replayed` when an earlier request with the same key has queued it."""

    cid: str
    plan_name: str
    task_name: str
    replayed: bool


class Schedules:
    """What can be asked of schedules."""

    def __init__(
        self,
        book: ScheduleBook,
        admission: Admission,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._book = book
        self._admission = admission
        self._clock = clock
        self._new_id = new_id

    def list(
        self,
        *,
        plan_name: str | None,
        plans: frozenset[str] | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Entry]:
        """Schedules by id: those of one plan's tasks or all, of any plan or of those in `plans`.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        after = "" if cursor is None else decode_cursor(_LIST, str, cursor)
        entries = [
            entry
            for id_, entry in sorted(self._seen(plans).items())
            if id_ > after and plan_name in (None, entry.schedule.plan_name)
        ]
        if len(entries) <= limit:
            return Page(tuple(entries))
        last = entries[limit - 1].schedule.id
        return Page(tuple(entries[:limit]), encode_cursor(_LIST, last))

    def get(self, id_: str, *, plans: frozenset[str] | None = None) -> Entry:
        """One schedule, of any plan's task or of those in `plans`.

        Raises:
            ScheduleNotFound: there is none with this id.
        """
        seen = self._seen(plans)
        if id_ not in seen:
            raise ScheduleNotFound(id_, seen)
        return seen[id_]

    async def create(self, id_: str | None, wanted: Mapping[str, Any]) -> Entry:
        """Keep a new schedule, made of `wanted`, fields of `Schedule`; its time begins now.

        Raises:
            ScheduleExists: there is one with this id.
            RequestInvalid: when it is due cannot be computed.
            BadReference, InputsRejected, InputsTooLarge: as `Admission.check`.
        """
        schedule, timing = await self._checked(Schedule(id=id_ or self._new_id(), **wanted))
        while True:
            async with self._book.changing():
                if schedule.id in self._book.entries:
                    raise ScheduleExists(schedule.id)
                state = ScheduleState(
                    id=schedule.id,
                    basis=basis_of(schedule, enabled=schedule.enabled),
                    decided_at=self._clock.now(),
                    created=schedule,
                )
                made = entry_of(schedule, Source.API, state, timing)
                if await self._put(None, made):
                    return made
            await self._book.load()  # another server has made one

    async def update(self, id_: str, changes: Mapping[str, Any]) -> Entry:
        """Change fields of a schedule. When its due times change, or it is enabled, its time
        begins now.

        Raises:
            ScheduleNotFound: there is none with this id.
            ScheduleReadOnly: it is a plan's, and more than `enabled` is to be changed.
            RequestInvalid, BadReference, InputsRejected, InputsTooLarge: as `create`.
        """
        while True:
            async with self._book.changing():
                entry = self.get(id_)
                if entry.source is Source.PLAN:
                    changed = self._enabled(entry, changes)
                else:
                    changed = await self._with_changes(entry, changes)
                if await self._put(entry.state, changed):
                    return changed
            await self._book.load()  # another server has changed it

    async def delete(self, id_: str) -> None:
        """Forget a schedule; the runs that it has started stay.

        Raises:
            ScheduleNotFound: there is none with this id.
            ScheduleReadOnly: it is a plan's.
        """
        while True:
            async with self._book.changing():
                entry = self.get(id_)
                if entry.source is Source.PLAN:
                    raise ScheduleReadOnly(id_, entry.schedule.plan_name)
                if await self._book.store.change(id_, entry.state, None):
                    self._book.forget(id_)
                    return
            await self._book.load()  # another server has changed it, or removed it

    async def run_now(
        self,
        id_: str,
        idempotency: IdempotencyKey | None = None,
        *,
        trace: TraceContext | None = None,
    ) -> RunNow:
        """Queue a run of the schedule's task with its inputs, whatever time it is, and whether it
        is enabled or not; that run is its latest then.

        Raises:
            ScheduleNotFound: there is none with this id.
            BadReference, InputsRejected, InputsTooLarge, QueueFull, IdempotencyMismatch: as
                `Runs.submit`.
        """
        async with self._book.changing():
            entry = self.get(id_)
            schedule = entry.schedule
            self._admission.check_space()
            admitted = self._admission.admit(
                RunRequest(
                    plan_name=schedule.plan_name,
                    task_name=schedule.task_name,
                    inputs=schedule.inputs,
                    trace=trace,
                ),
                origin=FromSchedule(id_, self._clock.now()),
            )
            task = (admitted.tasklet.plan_name, admitted.tasklet.task_name)
            if idempotency is not None:  # the schedule may be of another task when it comes back
                idempotency = replace(idempotency, memo=msgspec.json.encode(task))
            state, accepted = await self._book.store.run_now(
                entry.state, admitted.tasklet, admitted.definition, idempotency
            )
            if accepted.replayed:
                task = _task.decode(accepted.memo)
            else:
                self._book.keep_state(state)
            return RunNow(accepted.cids[0], *task, replayed=accepted.replayed)

    def _seen(self, plans: frozenset[str] | None) -> Mapping[str, Entry]:
        entries = self._book.entries
        if plans is None:
            return entries
        return {id_: each for id_, each in entries.items() if each.schedule.plan_name in plans}

    async def _with_changes(self, entry: Entry, changes: Mapping[str, Any]) -> Entry:
        changes = dict(changes)
        if "cron" in changes:
            changes["every_sec"] = None
        elif "every_sec" in changes:
            changes["cron"] = None
        schedule, timing = await self._checked(replace(entry.schedule, **changes))
        state = self._moved(schedule, replace(entry.state, created=schedule))
        return entry_of(schedule, Source.API, state, timing)

    def _enabled(self, entry: Entry, changes: Mapping[str, Any]) -> Entry:
        schedule, timing = entry.schedule, entry.timing
        if changes.keys() - {"enabled"}:
            raise ScheduleReadOnly(schedule.id, schedule.plan_name)
        if not changes or timing is None:
            return entry
        # What the plan says anyway needs no word from here, and goes on to be what the plan says.
        wanted = None if changes["enabled"] == schedule.enabled else changes["enabled"]
        state = self._moved(schedule, replace(entry.state, enabled=wanted))
        return entry_of(schedule, Source.PLAN, state, timing)

    def _moved(self, schedule: Schedule, state: ScheduleState) -> ScheduleState:
        """`state`, from now on if the due times are others than before."""
        basis = basis_of(schedule, enabled=is_enabled(schedule, state.enabled))
        if basis == state.basis:
            return state
        return replace(state, basis=basis, decided_at=self._clock.now())

    async def _put(self, before: ScheduleState | None, entry: Entry) -> bool:
        """Keep `entry`; False if another server has changed what was `before`."""
        if before == entry.state:
            return True
        is_kept = await self._book.store.change(entry.schedule.id, before, entry.state)
        if is_kept:
            self._book.keep(entry)
        return is_kept

    async def _checked(self, schedule: Schedule) -> tuple[Schedule, Timing]:
        """The schedule with its task by its proper name, and when it is due."""
        if schedule.cron is None and schedule.every_sec is None:
            raise RequestInvalid([("", "Needs cron or every_sec.")])
        try:
            timing = await asyncio.to_thread(timing_of, schedule)
        except UnknownZone as fault:
            raise RequestInvalid([("/timezone", str(fault))]) from fault
        except TimingFault as fault:
            raise RequestInvalid([("/cron", str(fault))]) from fault
        request = RunRequest(
            plan_name=schedule.plan_name, task_name=schedule.task_name, inputs=schedule.inputs
        )
        return replace(schedule, task_name=self._admission.check(request)), timing
