"""Schedules and events over a real database and real plan files, with a clock that a test turns.

Imports aura_aio's scheduler, store and model, and tests/waiting.py.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from aura_aio.model.ids import CidFactory
from aura_aio.model.origin import FromEvent, FromSchedule, decode_origin
from aura_aio.model.ports import RunFilter
from aura_aio.model.run import Outcome, Run, Tasklet
from aura_aio.model.states import RunEvent
from aura_aio.scheduler.admission import Admission
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.clockwork import Clockwork
from aura_aio.scheduler.due import DueRules
from aura_aio.scheduler.event_runs import EventRuns
from aura_aio.scheduler.event_waits import EventWaits
from aura_aio.scheduler.events import EventBus
from aura_aio.scheduler.plans import Plans
from aura_aio.scheduler.schedule_book import ScheduleBook
from aura_aio.scheduler.schedules import Schedules
from aura_aio.scheduler.triggers import Triggers
from aura_aio.store.relational.store import Rules
from aura_aio.store.sqlite import open_sqlite
from aura_aio.vault import open_vault
from tests.waiting import until

STEP = "steps: {a: {action: log, params: {message: x}}}"
PLAN = "p"


def at(text: str) -> float:
    """Seconds since the epoch of an ISO time with its offset."""
    return datetime.fromisoformat(text).timestamp()


START = at("2026-03-02T12:00:00+00:00")


class TurnedClock:
    """Goes on only when it is turned; the wall clock can also be put forward or back by itself."""

    def __init__(self, now: float = START) -> None:
        self._now = now
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        """What the wall clock shows."""
        return self._now

    def monotonic(self) -> float:
        """How far it was turned."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Wait until it was turned so far."""
        sleeper = (self._monotonic + max(0.0, seconds), asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            if seconds > 0:
                await sleeper[1].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def turn(self, seconds: float) -> None:
        """Let time pass; who has slept long enough is woken."""
        self._now += seconds
        self._monotonic += seconds
        for sleeper in [each for each in self._sleepers if each[0] <= self._monotonic]:
            self._sleepers.remove(sleeper)
            sleeper[1].set()

    def put(self, by: float) -> None:
        """Put the wall clock forward or back, which wakes nobody."""
        self._now += by

    def longest(self) -> float:
        """How long the one who sleeps longest still does, in seconds; 0 if nobody sleeps."""
        return max((end - self._monotonic for end, _ in self._sleepers), default=0.0)

    @property
    def sleepers(self) -> int:
        """How many sleep."""
        return len(self._sleepers)


class Bench:
    """The parts that start runs, over the plan `p`; nothing dispatches what they queue."""

    def __init__(self, root: Path, clock: TurnedClock | None = None, **settings: Any) -> None:
        self.clock = clock or TurnedClock()
        self.root = root
        self._settings = settings

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def write(self, files: Mapping[str, str]) -> None:
        """Put files into the plan; an empty text removes one."""
        for name, text in files.items():
            path = self.root / "plans" / PLAN / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text:
                path.write_text(text, "utf-8")
            else:
                path.unlink()

    def schedule(self, *schedules: str) -> None:
        """Give the plan a task `t` and these schedules: `id: nightly, cron: …`."""
        listed = "\n".join(f"- {{task: t, {each}}}" for each in schedules)
        self.write({"tasks/t.yaml": STEP, "schedule.yaml": listed})

    async def open(self) -> None:
        """Start everything, as a server does."""
        settings = self._settings
        self.bus = bus = EventBus()
        self.store = await open_sqlite(
            self.root / "aura.db",
            publish=bus.publish,
            clock=self.clock,
            rules=Rules(settings.get("queue_limit", 1000)),
        )
        self.plans = await Plans.load([self.root / "plans"])
        assert self.plans.get(PLAN).errors == ()
        new_cid = CidFactory(self.clock)
        self.vault = vault = await asyncio.to_thread(open_vault, self.root)
        targets = Targets((), allow_private=False)
        check_space = settings.get("check_space", lambda: None)
        self.admission = admission = Admission(
            self.plans.catalog, self.clock, new_cid, vault, targets, check_space
        )
        self.book = ScheduleBook(self.store.schedules, self.plans.catalog, self.clock)
        rules = DueRules(late_sec=60.0, catch_up_limit=settings.get("catch_up_limit", 100))
        self.event_runs = EventRuns(
            self.store.events,
            admission,
            self.plans.catalog,
            self.clock,
            depth_limit=settings.get("event_depth", 5),
        )
        bus.subscribe(self.event_runs.run_changed)
        self.event_waits = EventWaits(self.store.runs, self.plans.catalog, self.clock)
        bus.subscribe(self.event_waits.run_changed)
        self.schedules = Schedules(self.book, admission, self.clock, new_cid)
        clockwork = Clockwork(self.book, admission, rules, self.clock)
        self.triggers = Triggers(self.book, clockwork, self.event_runs)
        self.triggers.listen()
        await self.store.runs.recover()
        await self.triggers.start()
        await self.settled()

    async def close(self) -> None:
        """End everything."""
        await self.triggers.aclose()
        await self.event_waits.aclose()
        await self.store.aclose()

    async def reload(self) -> None:
        """Read the plans anew."""
        self.plans.replace(await self.plans.read())
        await self.triggers.plans_changed()
        await self.settled()

    async def settled(self) -> None:
        """Return when all that is due is decided."""
        assert self.triggers.alive
        await until(lambda: self.clock.sleepers and not self.book.changed.is_set())

    async def turn(self, seconds: float) -> None:
        """Let time pass, due time by due time."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            times = [entry.next_run_at for entry in self.book.entries.values()]
            to_next = min([end, *times]) - self.clock.now()
            self.clock.turn(to_next if to_next > 0 else end - self.clock.now())
            await self.settled()

    async def runs(self) -> list[Run]:
        """All runs, the oldest first."""
        page = await self.store.runs.list_runs(
            RunFilter(), limit=1000, cursor=None, include=frozenset({"inputs"})
        )
        return list(reversed(page.items))

    async def due(self) -> list[float]:
        """The due times that were run, in order."""
        origins = [decode_origin(run.origin) for run in await self.runs()]
        return [each.due_at for each in origins if isinstance(each, FromSchedule)]

    async def after(self) -> list[tuple[str, str, str]]:
        """What was started by events: the task, after which task, and how that ended."""
        origins = [(run, decode_origin(run.origin)) for run in await self.runs()]
        return [
            (run.task_name, each.task_name, each.status)
            for run, each in origins
            if isinstance(each, FromEvent)
        ]

    async def end(self, event: RunEvent = RunEvent.SUCCEED) -> str:
        """Claim the next run and let it end; its cid."""
        (tasklet,) = await self.store.queue.claim(["w1"])
        await self.finish(tasklet, event)
        return tasklet.cid

    async def finish(self, tasklet: Tasklet, event: RunEvent = RunEvent.SUCCEED) -> None:
        """Let an attempt end that was claimed."""
        outcome = Outcome(tasklet.cid, tasklet.attempt, event, self.clock.now())
        await self.store.runs.finish([outcome])
