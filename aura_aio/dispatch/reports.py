"""What workers report, on its way into store and log: in order, in batches, never lost.

May import `worker.link` and model only.
"""

import asyncio
import logging
from asyncio import Future
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from aura_aio.model.clock import Clock
from aura_aio.model.log import LogLine
from aura_aio.model.persistence import persist
from aura_aio.model.ports import LogSink, RunStore
from aura_aio.model.run import Outcome, StepRecord
from aura_aio.model.spans import RunSpans
from aura_aio.model.states import RunState
from aura_aio.worker.link import Link

_log = logging.getLogger("aura.dispatch.reports")


class RunReports:
    """Steps and outcomes of all workers: all that waits goes into the store together.

    While the store is unavailable they wait here, and their attempts keep their slots.
    """

    def __init__(
        self, runs: RunStore, clock: Clock, ended: Callable[[Sequence[Outcome]], None]
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._ended = ended
        self.spans: RunSpans | None = None
        """What makes spans of what is reported, if anything does."""
        self._steps: dict[tuple[str, int, str], StepRecord] = {}
        self._outcomes: list[Outcome] = []
        self._to_tell: list[Callable[[], None]] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def step(self, record: StepRecord) -> None:
        """Store what a step did; only the latest of a step counts."""
        if self.spans is not None:
            self.spans.step(record)
        self._steps[record.cid, record.attempt, record.step] = record
        self._has_work()

    def outcome(self, outcome: Outcome) -> None:
        """Store how an attempt ended, after its steps; then `ended` is told."""
        if self.spans is not None:
            self.spans.outcome(outcome)
        self._outcomes.append(outcome)
        self._has_work()

    def when_stored(self, tell: Callable[[], None]) -> None:
        """Call `tell` once all that was reported so far is stored."""
        self._to_tell.append(tell)
        self._has_work()

    async def stored(self) -> None:
        """Return when all that was reported before this call is stored."""
        stored = asyncio.Event()
        self.when_stored(stored.set)
        await stored.wait()

    async def drained(self) -> None:
        """Return when all that was reported is stored."""
        await self._idle.wait()

    async def run(self) -> None:
        """Store what is reported, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            steps, self._steps = tuple(self._steps.values()), {}
            outcomes, self._outcomes = self._outcomes, []
            to_tell, self._to_tell = self._to_tell, []
            await self._store(steps, outcomes)
            for tell in to_tell:
                tell()
            self._ended(outcomes)
            if not self._wake.is_set():
                self._idle.set()

    def _has_work(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def _store(self, steps: Sequence[StepRecord], outcomes: Sequence[Outcome]) -> None:
        states = await self._states_after(steps, outcomes)
        for outcome, state in zip(outcomes, states, strict=True):
            if state is None:
                _log.warning(
                    "stale outcome dropped",
                    extra={"action": "stale_outcome", "cid": outcome.cid},
                )

    async def _states_after(
        self, steps: Sequence[StepRecord], outcomes: Sequence[Outcome]
    ) -> tuple[RunState | None, ...]:
        finish = partial(self._runs.finish, outcomes, steps)
        complaint = "store unavailable, reports wait"
        return await persist(finish, self._clock, _log, complaint, action="reports_wait")


class LogReports:
    """Log lines of one worker: stored in order, then its credit goes back.

    An outcome waits for the lines of its own run, and for nothing else, so that whoever sees a
    run finished finds its whole log.
    """

    def __init__(self, sink: LogSink, link: Link, outcome: Callable[[Outcome], None]) -> None:
        self._sink = sink
        self._link = link
        self._outcome = outcome
        self._lines: list[LogLine] = []
        self._stands_in_line = False
        self._under_way = 0
        self._waiting: list[Outcome] = []
        self._unstored: Counter[str | None] = Counter()
        self._wake = asyncio.Event()
        self._ended = False
        self._all_stored = asyncio.Event()

    def log(self, lines: Sequence[LogLine]) -> None:
        """Store `lines`, after those before: with the steps of the same packet, if there is room.

        A coroutine that handed them on would be a turn late: they would wait for the commit of
        those steps, and then for their own.
        """
        self._unstored.update([line.cid for line in lines])
        stored = None if self._stands_in_line else self._sink.put_at_once(lines)
        if stored is None:
            self._stands_in_line = True
            self._lines.extend(lines)
            self._wake.set()
        else:
            self._under_way += 1
            stored.add_done_callback(partial(self._at_once_stored, lines))

    def finished(self, outcome: Outcome) -> None:
        """Pass `outcome` on as soon as the lines of its run are stored."""
        if self._unstored[outcome.cid]:
            self._waiting.append(outcome)
        else:
            self._outcome(outcome)

    async def aclose(self) -> None:
        """No more will come: return when all is stored."""
        self._ended = True
        self._wake.set()
        await self._all_stored.wait()

    async def run(self) -> None:
        """Store what found no room, until `aclose`."""
        while self._lines or self._under_way or not self._ended:
            await self._wake.wait()
            self._wake.clear()
            lines, self._lines = self._lines, []
            if lines:
                await self._sink.put(lines)
                self._stored(lines)
            self._stands_in_line = bool(self._lines)
        self._all_stored.set()

    def _at_once_stored(self, lines: Sequence[LogLine], stored: "Future[None]") -> None:
        self._under_way -= 1
        if stored.exception() is None:  # else the log was closed, and the ends of runs wait
            self._stored(lines)
        if self._ended:
            self._wake.set()

    def _stored(self, lines: Sequence[LogLine]) -> None:
        self._link.give_credit(len(lines))
        self._unstored -= Counter([line.cid for line in lines])
        waiting, self._waiting = self._waiting, []
        for outcome in waiting:
            self.finished(outcome)
