"""Starts the tasks that wait for an event: what stands under their `on`.

May import the rest of `scheduler`, catalog and model; stores come in as ports.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from aura_aio.catalog.catalog import Catalog
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import AuraError, NotFound, QueueFull, StoreUnavailable
from aura_aio.model.event import RUN_FINISHED, EventFilter, EventTrigger
from aura_aio.model.fleet import Leadership
from aura_aio.model.origin import FromEvent
from aura_aio.model.plan import Task
from aura_aio.model.run import RunChanged
from aura_aio.model.schedule_store import EventStore, KeptEvent
from aura_aio.model.states import TERMINAL
from aura_aio.scheduler.admission import Admission, Admitted, RunRequest

_log = logging.getLogger("aura.scheduler.events")

MOST_AT_ONCE: Final = 100


class Listener(NamedTuple):
    """A task and one event that it waits for."""

    task: Task
    trigger: EventTrigger


class EventRuns:
    """Answers each event that a task waits for once, over restarts: the store keeps it with the end
    of the run, and forgets it with the runs that come of it (docs/decisions/0010).

    A run that an event has started is one deeper than the run that the event is about. Beyond
    `depth_limit` nothing is started, so that tasks that start each other come to an end.
    """

    def __init__(
        self,
        store: EventStore,
        admission: Admission,
        catalog: Callable[[], Catalog],
        clock: Clock,
        *,
        depth_limit: int,
        leadership: Leadership | None = None,
    ) -> None:
        self._store = store
        self._admission = admission
        self._catalog = catalog
        self._clock = clock
        self._depth_limit = depth_limit
        self._listeners: tuple[Listener, ...] = ()
        self._wake = asyncio.Event()
        self._wake.set()  # something may be left from before
        self._leadership = leadership or Leadership(leads=True)
        self._leadership.on_gain(self._wake.set)
        self._tasks = CoroutineTasks()

    def listen(self) -> None:
        """Wait for what the tasks of the catalog wait for, from now on; nothing that ends before
        is heard of.
        """
        self._listeners = tuple(_listeners(self._catalog()))
        self._store.listen(filters_of(self._catalog()))

    def start(self) -> None:
        """Begin to answer events."""
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Answer no more; what is kept stays kept."""
        await self._tasks.aclose()

    @property
    def alive(self) -> bool:
        """Whether events are answered."""
        return not self._tasks.died

    def look(self) -> None:
        """Look for events: some may have been missed."""
        self._wake.set()

    def run_changed(self, fact: RunChanged) -> None:
        """Look for events, if a run has ended."""
        if self._listeners and fact.target in TERMINAL:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._leadership.leads:
                continue
            try:
                while events := await self._store.kept(MOST_AT_ONCE):
                    for event in events:
                        await self._answer(event)
            except (QueueFull, StoreUnavailable) as error:
                _log.error("events wait", extra={"action": "events_wait", "reason": str(error)})
                await self._clock.sleep(error.retry_after_sec)
                self._wake.set()

    async def _answer(self, event: KeptEvent) -> None:
        admitted = list(self._admitted(event))
        definitions = {each.definition.digest: each.definition for each in admitted}
        tasklets = [each.tasklet for each in admitted]
        is_ours = await self._store.answer(event, tasklets, list(definitions.values()))
        for tasklet in tasklets if is_ours else ():
            _log.info(
                "an event starts a run",
                extra={"action": "event_run", "cid": tasklet.cid, "after": event.cid},
            )

    def _admitted(self, event: KeptEvent) -> Iterator[Admitted]:
        """The runs that come of an event: one of each task that waits for it."""
        origin = FromEvent(
            event=RUN_FINISHED,
            cid=event.cid,
            plan_name=event.plan_name,
            task_name=event.task_name,
            status=event.status,
            at=event.at,
        )
        for task, trigger in self._waiting_for(event):
            told = {"task": task.full_task_id, "after": event.cid, "depth": event.depth}
            if event.depth >= self._depth_limit:
                _log.error(
                    "an event starts nothing: too many runs have led to it, do tasks start each "
                    "other in a ring?",
                    extra={"action": "event_too_deep", **told},
                )
                continue
            request = RunRequest(
                plan_name=task.plan_name, task_name=task.name, inputs=trigger.inputs
            )
            try:
                yield self._admission.admit(request, origin=origin, depth=event.depth + 1)
            except AuraError as error:
                _log.error(
                    "an event cannot start its task",
                    extra={"action": "event_failed", "reason": str(error), **told},
                )

    def _waiting_for(self, event: KeptEvent) -> list[Listener]:
        """The tasks that wait for the event, each with the first trigger that it passes. A task is
        not started by its own end.
        """
        found: dict[str, Listener] = {}
        own = (event.plan_name, event.task_name)
        for listener in self._listeners:
            task = listener.task
            passes = listener.trigger.where.matches(
                plan_name=event.plan_name,
                task_name=event.task_name,
                cid=event.cid,
                status=event.status,
            )
            if passes and (task.plan_name, task.name) != own:
                found.setdefault(task.full_task_id, listener)
        return list(found.values())


def filters_of(catalog: Catalog) -> list[EventFilter]:
    """The ends of runs that the tasks of the catalog wait for."""
    return [listener.trigger.where for listener in _listeners(catalog)]


def _listeners(catalog: Catalog) -> Iterator[Listener]:
    """Every task with each event that it waits for, the awaited tasks by their proper names."""
    for plan in catalog.plans.values():
        for task in plan.tasks.values():
            for trigger in task.on:
                where = trigger.where
                if where.plan_name is not None and where.task_name is not None:
                    try:
                        awaited = catalog.task(where.plan_name, where.task_name).task
                    except NotFound:  # a load error says so
                        continue
                    where = replace(where, task_name=awaited.name)
                yield Listener(task, replace(trigger, where=where))
