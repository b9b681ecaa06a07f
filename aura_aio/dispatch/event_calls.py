"""The server's end of `wait.for_event`: waits for attempts, and tells them.

May import `dispatch.attempts`, `worker.frames` and model; who knows of events comes in as a port.
"""

import asyncio

from aura_aio.dispatch.attempts import Attempt
from aura_aio.model.coroutines import CoroutineTasks, first_of
from aura_aio.model.errors import AuraError
from aura_aio.model.event import Events
from aura_aio.worker.frames import DropWait, WaitForEvent


class _Call:
    """A call of `wait.for_event` that is under way in a worker."""

    def __init__(self, attempt: Attempt, frame: WaitForEvent) -> None:
        self.attempt = attempt
        self.number = frame.number
        self.wanted = frame.wanted
        self.over = asyncio.Event()


class EventCalls:
    """Waits for events on behalf of steps; meanwhile their attempts may be without a slot."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._calls: dict[tuple[str, int], _Call] = {}
        self._tasks = CoroutineTasks()

    def ask(self, attempt: Attempt, frame: WaitForEvent) -> None:
        """A step waits from now on."""
        call = self._calls[attempt.worker.name, frame.number] = _Call(attempt, frame)
        self._tasks.spawn(self._serve(call))

    def drop(self, worker: str, frame: DropWait) -> None:
        """A step waits no more."""
        call = self._calls.get((worker, frame.number))
        if call is not None:
            call.over.set()

    def forget(self, attempt: Attempt) -> None:
        """An attempt is over: nobody there waits any more."""
        for call in self._calls.values():
            if call.attempt is attempt:
                call.over.set()

    @property
    def alive(self) -> bool:
        """Whether every call is looked after."""
        return self._events.alive and not self._tasks.died

    async def aclose(self) -> None:
        """Look after no call any more."""
        await self._tasks.aclose()
        await self._events.aclose()

    async def _serve(self, call: _Call) -> None:
        call.attempt.wait(call.wanted.step)
        try:
            await first_of(call.over.wait(), self._answer(call))
        finally:
            call.attempt.go_on(call.wanted.step)
            del self._calls[call.attempt.worker.name, call.number]

    async def _answer(self, call: _Call) -> None:
        link = call.attempt.worker.link
        try:
            event = await self._events.wait(call.wanted.where)
        except AuraError as error:
            link.wait_refused(call.number, str(error))
        else:
            link.event_came(call.number, event)
