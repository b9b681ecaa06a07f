"""The schedules of this moment, those of plans and those of clients, with what is kept of them.

May import catalog, model, and `scheduler.due`; stores come in as ports.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from aura_aio.catalog.catalog import Catalog
from aura_aio.catalog.due_times import Timing, TimingFault, timing_of
from aura_aio.model.clock import Clock
from aura_aio.model.fleet import Leadership
from aura_aio.model.schedule import Schedule, ScheduleState
from aura_aio.model.schedule_store import ScheduleStore
from aura_aio.scheduler.due import next_run_at

_log = logging.getLogger("aura.scheduler.schedules")


class Source(StrEnum):
    """Where a schedule comes from."""

    PLAN = "plan"
    """The `schedule.yaml` of a plan: only `enabled` can be changed."""
    API = "api"
    """A client has made it."""


class Entry(msgspec.Struct, frozen=True):
    """A schedule, and what is kept of it; `timing` is None if its due times cannot be computed
    (its time zone is not known here any more). `next_run_at` is infinite if there is none.
    """

    schedule: Schedule
    source: Source
    state: ScheduleState
    timing: Timing | None
    next_run_at: float

    @property
    def enabled(self) -> bool:
        """Whether it is run at its due times."""
        return is_enabled(self.schedule, self.state.enabled)


def is_enabled(schedule: Schedule, wanted: bool | None) -> bool:
    """What a client wants of a plan's schedule goes before what the plan says."""
    return schedule.enabled if wanted is None else wanted


def basis_of(schedule: Schedule, *, enabled: bool) -> str:
    """What the due times of a schedule are computed from: when that changes, the times before the
    change were no due times.
    """
    when = schedule.cron if schedule.cron is not None else f"every {schedule.every_sec!r}"
    return f"{when} in {schedule.timezone}" + ("" if enabled else ", disabled")


def entry_of(schedule: Schedule, source: Source, state: ScheduleState, timing: Timing) -> Entry:
    """The entry of a schedule whose due times can be computed."""
    will_be = math.inf
    if is_enabled(schedule, state.enabled):
        will_be = next_run_at(schedule, timing, state.decided_at)
    return Entry(schedule, source, state, timing, will_be)


class ScheduleBook:
    """Holds every schedule; the only one that writes to its store.

    Changes are made one after the other, within `changing`, so that what is decided on is what is
    kept.
    """

    def __init__(
        self,
        store: ScheduleStore,
        catalog: Callable[[], Catalog],
        clock: Clock,
        leadership: Leadership | None = None,
    ) -> None:
        self._leadership = leadership or Leadership(leads=True)
        self.store = store
        self._catalog = catalog
        self._clock = clock
        self._lock = asyncio.Lock()
        self._entries: dict[str, Entry] = {}
        self.entries: Mapping[str, Entry] = MappingProxyType(self._entries)
        """Every schedule, by id."""
        self.changed = asyncio.Event()
        """Set when a schedule may be due earlier than was known before."""

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """While it is open, nobody else changes a schedule."""
        async with self._lock:
            yield

    async def load(self) -> None:
        """Take what is kept, and the plans as they are loaded now. The time of a schedule that is
        new, or is due at other times than before, begins now; that is kept by who leads.
        """
        async with self.changing():
            kept = {state.id: state for state in await self.store.load()}
            schedules = [(each, Source.PLAN) for each in _of_plans(self._catalog())]
            schedules += [
                (state.created, Source.API) for state in kept.values() if state.created is not None
            ]
            now = self._clock.now()
            states = {
                schedule.id: _state_of(schedule, kept.get(schedule.id), now)
                for schedule, _ in schedules
            }
            if self._leadership.leads:
                changed = [state for id_, state in states.items() if state != kept.get(id_)]
                await self.store.put(changed)
            entries = await asyncio.to_thread(_entries, schedules, states)
            self._entries.clear()
            self._entries.update(entries)
        self.changed.set()

    def keep(self, entry: Entry) -> None:
        """Hold `entry`, whose state is stored already."""
        self._entries[entry.schedule.id] = entry
        self.changed.set()

    def keep_state(self, state: ScheduleState) -> None:
        """Hold what is stored now of a schedule that is held; it is not due any earlier by that."""
        entry = self._entries[state.id]
        if entry.timing is not None:
            entry = entry_of(entry.schedule, entry.source, state, entry.timing)
            self._entries[state.id] = entry

    def forget(self, id_: str) -> None:
        """Hold a schedule no more."""
        del self._entries[id_]


def _of_plans(catalog: Catalog) -> Iterable[Schedule]:
    return (schedule for plan in catalog.plans.values() for schedule in plan.schedules)


def _state_of(schedule: Schedule, kept: ScheduleState | None, now: float) -> ScheduleState:
    enabled = is_enabled(schedule, kept.enabled if kept is not None else None)
    basis = basis_of(schedule, enabled=enabled)
    if kept is None:
        return ScheduleState(id=schedule.id, basis=basis, decided_at=now)
    return kept if kept.basis == basis else replace(kept, basis=basis, decided_at=now)


def _entries(
    schedules: Iterable[tuple[Schedule, Source]], states: Mapping[str, ScheduleState]
) -> dict[str, Entry]:
    """Reads time zones from files."""
    entries: dict[str, Entry] = {}
    for schedule, source in schedules:
        state = states[schedule.id]
        try:
            entries[schedule.id] = entry_of(schedule, source, state, timing_of(schedule))
        except TimingFault as fault:
            _log.error(
                "a schedule cannot be run",
                extra={"action": "schedule_broken", "schedule": schedule.id, "reason": str(fault)},
            )
            entries[schedule.id] = Entry(schedule, source, state, None, math.inf)
    return entries
