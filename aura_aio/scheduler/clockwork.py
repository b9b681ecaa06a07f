"""Runs schedules at their due times: sleeps until the next one, decides what is due, and again.

May import the rest of `scheduler` and model; stores come in as ports.
"""

import asyncio
import logging
import math
from typing import Any, Final

from msgspec.structs import replace

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks, first_of
from aura_aio.model.errors import AuraError, QueueFull, StoreUnavailable
from aura_aio.model.fleet import Leadership
from aura_aio.model.origin import FromSchedule
from aura_aio.model.schedule import DueOutcome, Overlap, ScheduleState
from aura_aio.model.schedule_store import Decision
from aura_aio.scheduler.admission import Admission, RunRequest
from aura_aio.scheduler.due import Due, DueRules, what_is_due
from aura_aio.scheduler.schedule_book import Entry, ScheduleBook

_log = logging.getLogger("aura.scheduler.schedules")

LONGEST_SLEEP_SEC: Final = 60.0
"""The wall clock may be put forward meanwhile, which no sleep notices."""

BACK_SEC: Final = 1.0
"""How far the wall clock must have been put back to be worth a line in the log."""


class Clockwork:
    """Decides each due time of each schedule once, over restarts and whatever the clock does.

    What was decided is on disk together with the runs that came of it: a clock that is put back
    brings no due time again, and one that is put forward leaves none out that the schedule's
    `catch_up` would not.
    """

    def __init__(
        self,
        book: ScheduleBook,
        admission: Admission,
        rules: DueRules,
        clock: Clock,
        leadership: Leadership | None = None,
    ) -> None:
        self._book = book
        self._admission = admission
        self._rules = rules
        self._clock = clock
        self._leadership = leadership or Leadership(leads=True)
        self._leadership.on_gain(book.changed.set)
        self._has_to_read = False
        self._latest = clock.now()
        self._tasks = CoroutineTasks()

    def start(self) -> None:
        """Begin to run schedules; also while the system is stopped: their runs wait."""
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Decide nothing more."""
        await self._tasks.aclose()

    @property
    def alive(self) -> bool:
        """Whether due times are looked at."""
        return not self._tasks.died

    async def _run(self) -> None:
        while True:
            self._book.changed.clear()
            if not self._leadership.leads:
                self._has_to_read = True
                await self._book.changed.wait()
                continue
            pause_sec = await self._read_again() if self._has_to_read else await self._decide_all()
            if pause_sec:
                await self._clock.sleep(pause_sec)
                continue
            times = (entry.next_run_at for entry in self._book.entries.values())
            wait_sec = min(times, default=math.inf) - self._clock.now()
            await first_of(
                self._book.changed.wait(), self._clock.sleep(min(LONGEST_SLEEP_SEC, wait_sec))
            )

    async def _decide_all(self) -> float:
        """Decide what is due now; how many seconds to wait before trying again what could not be
        decided, 0 if all could.
        """
        now = self._now()
        pauses = [0.0]
        async with self._book.changing():
            entries = [each for each in self._book.entries.values() if each.next_run_at <= now]
            # All of them share a commit.
            results = await asyncio.gather(
                *(self._decide(entry, now) for entry in entries), return_exceptions=True
            )
        for entry, result in zip(entries, results, strict=True):
            if isinstance(result, QueueFull | StoreUnavailable):
                pauses.append(result.retry_after_sec)
                _log.error("schedule waits", extra=_told(entry, "schedule_waits", str(result)))
            elif isinstance(result, BaseException):
                raise result
        if False in results:
            pauses.append(await self._read_again())
        return max(pauses)

    async def _read_again(self) -> float:
        """Take what others have kept; how many seconds to wait before it is tried again, 0 if it
        was possible.
        """
        self._has_to_read = True
        try:
            await self._book.load()
        except StoreUnavailable as error:
            extra = {"action": "schedules_wait", "reason": str(error)}
            _log.error("schedules wait", extra=extra)
            return error.retry_after_sec
        self._has_to_read = False
        return 0.0

    async def _decide(self, entry: Entry, now: float) -> bool:
        """Decide what is due of a schedule; False if another server has done so meanwhile."""
        if entry.timing is None:
            return True
        known = entry.state.decided_at
        due = what_is_due(
            entry.schedule, entry.timing, decided_at=known, now=now, rules=self._rules
        )
        if due is None:
            return True
        state = await self._book.store.decide(self._decision(entry, due))
        if state is None:
            return False
        self._book.keep_state(state)
        _tell(entry, state, due)
        return True

    def _decision(self, entry: Entry, due: Due) -> Decision:
        schedule = entry.schedule
        decision = Decision(
            id=schedule.id,
            known=entry.state.decided_at,
            decided_at=due.until,
            outcome=DueOutcome.MISSED,
            message="It was too late when somebody was there again.",
        )
        if not due.run:
            return decision
        request = RunRequest(
            plan_name=schedule.plan_name, task_name=schedule.task_name, inputs=schedule.inputs
        )
        try:
            admitted = [
                self._admission.admit(request, origin=FromSchedule(schedule.id, moment))
                for moment in due.run
            ]
        except AuraError as error:
            return replace(decision, outcome=DueOutcome.FAILED, message=str(error))
        return replace(
            decision,
            outcome=DueOutcome.QUEUED,
            message=None,
            tasklets=tuple(each.tasklet for each in admitted),
            definitions=(admitted[0].definition,),
            unless_busy=schedule.overlap is Overlap.SKIP,
        )

    def _now(self) -> float:
        """The time; that it was put back is told once."""
        now = self._clock.now()
        if now < self._latest - BACK_SEC:
            _log.warning(
                "the clock was put back: due times that were decided do not come again",
                extra={"action": "clock_put_back", "by_sec": round(self._latest - now, 3)},
            )
        self._latest = now
        return now


def _tell(entry: Entry, state: ScheduleState, due: Due) -> None:
    """Say in the log what was decided."""
    told = _told(entry, f"schedule_{state.outcome}", state.message)
    match state.outcome:
        case DueOutcome.QUEUED:
            told |= {"runs": len(due.run), "cid": state.last_cid}
            _log.info("schedule is run", extra=told | {"left_out": due.left_out})
        case DueOutcome.SKIPPED:
            _log.info("schedule is skipped", extra=told)
        case DueOutcome.MISSED:
            _log.warning("schedule was missed", extra=told | {"left_out": due.left_out})
        case _:
            _log.error("schedule cannot be run", extra=told)


def _told(entry: Entry, action: str, reason: str | None) -> dict[str, Any]:
    extra = {"action": action, "schedule": entry.schedule.id}
    return extra if reason is None else {**extra, "reason": reason}
