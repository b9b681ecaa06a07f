"""Steps that wait for the end of a run: which one it is, and what they are told.

May import the rest of `scheduler`, catalog and model; stores come in as ports.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from aura_aio.catalog.catalog import Catalog
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import (
    BadReference,
    EventPassed,
    NotFound,
    RunNotFound,
)
from aura_aio.model.event import EventFilter, RunEnded
from aura_aio.model.persistence import persist
from aura_aio.model.ports import RunStore
from aura_aio.model.run import Run, RunChanged
from aura_aio.model.states import TERMINAL
from aura_aio.model.task_names import task_name

_log = logging.getLogger("aura.scheduler.events")

T = TypeVar("T")

Waiting = asyncio.Future[str]
"""Done with the cid of the run that has ended."""


class EventWaits:
    """Implements `model.event.Events`: one look at the store for all runs that end at the same
    time, however many wait; none while nobody does.
    """

    def __init__(self, runs: RunStore, catalog: Callable[[], Catalog], clock: Clock) -> None:
        self._runs = runs
        self._catalog = catalog
        self._clock = clock
        self._waiting: dict[Waiting, EventFilter] = {}
        self._ended: list[str] = []
        self._is_telling = False
        self._tasks = CoroutineTasks()

    async def wait(self, where: EventFilter) -> RunEnded:
        """The first end that passes `where`; see `model.event.Events`."""
        where = self._resolved(where)
        waiting: Waiting = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = where
        try:
            cid = await self._passed(where) or await waiting
        finally:
            del self._waiting[waiting]
        run = await self._persist(lambda: self._runs.get(cid))
        if run is None:
            raise RunNotFound(cid)
        return _told(run)

    def run_changed(self, fact: RunChanged) -> None:
        """Look who waits for it, if a run has ended."""
        if self._waiting and fact.target in TERMINAL:
            self._ended.append(fact.cid)
            if not self._is_telling:
                self._is_telling = True
                self._tasks.spawn(self._tell())

    async def aclose(self) -> None:
        """Tell nobody any more."""
        await self._tasks.aclose()

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether who waits is told."""
        return not self._tasks.died

    async def _passed(self, where: EventFilter) -> str | None:
        """The cid, if the one run that is meant has ended already, as it was to."""
        if where.cid is None:
            return None
        cid = where.cid
        run = (await self._persist(lambda: self._runs.states([cid]))).get(cid)
        if run is None:
            raise RunNotFound(cid)
        if run.state not in TERMINAL:
            return None
        if not _passes(where, run):
            raise EventPassed(run.cid, run.state)
        return run.cid

    async def _tell(self) -> None:
        while self._ended:
            cids, self._ended = self._ended, []
            for run in (await self._persist(partial(self._runs.states, cids))).values():
                self._tell_of(run)
        self._is_telling = False

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What is answered, as soon as the store is available."""
        complaint = "store unavailable, who waits for events goes on waiting"
        return await persist(ask, self._clock, _log, complaint, action="event_waits_wait")

    def _tell_of(self, run: Run) -> None:
        for waiting, where in self._waiting.items():
            if waiting.done():
                continue
            if _passes(where, run):
                waiting.set_result(run.cid)
            elif where.cid == run.cid:
                waiting.set_exception(EventPassed(run.cid, run.state))

    def _resolved(self, where: EventFilter) -> EventFilter:
        """`where` with the task by its proper name; what there is not can never end."""
        plan, task, catalog = where.plan_name, where.task_name, self._catalog()
        try:
            if plan is None:
                name = None if task is None else task_name(task)
            elif task is None:
                name = None
                catalog.plan(plan)
            else:
                name = catalog.task(plan, task).task.name
        except NotFound as error:
            raise BadReference(str(error)) from error
        return replace(where, task_name=name)


def _passes(where: EventFilter, run: Run) -> bool:
    return where.matches(
        plan_name=run.plan_name, task_name=run.task_name, cid=run.cid, status=run.state
    )


def _told(run: Run) -> RunEnded:
    return RunEnded(
        cid=run.cid,
        plan_name=run.plan_name,
        task_name=run.task_name,
        status=run.state,
        at=run.finished_at or 0.0,
        result=run.result,
        error=run.error,
    )
