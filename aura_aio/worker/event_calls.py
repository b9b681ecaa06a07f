"""Calls of `wait.for_event` in this worker: what the server is asked, and its answers.

May import `worker.frames`, the engine's port of events and model.
"""

import asyncio
from itertools import count

from aura_aio.engine.failures import EventCannotCome
from aura_aio.model.event import EventWait, RunEnded
from aura_aio.worker.frames import (
    DropWait,
    EventCame,
    FrameWriter,
    ToEventCalls,
    WaitForEvent,
)


class EventCalls:
    """Implements `engine.events.Events`, on the loop of the worker."""

    def __init__(self, frames: FrameWriter) -> None:
        self._frames = frames
        self._numbers = count(1)
        self._calls: dict[int, asyncio.Future[RunEnded]] = {}

    async def wait(self, wanted: EventWait) -> RunEnded:
        """The first event that passes; raises EventCannotCome."""
        number = next(self._numbers)
        answer: asyncio.Future[RunEnded] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        self._frames.send(WaitForEvent(number, wanted))
        try:
            return await answer
        except asyncio.CancelledError:
            self._frames.send(DropWait(number))
            raise
        finally:
            del self._calls[number]

    def take(self, frame: ToEventCalls) -> None:
        """Hand on an answer; one that nobody waits for any more is dropped."""
        answer = self._calls.get(frame.number)
        if answer is None or answer.done():
            return
        if isinstance(frame, EventCame):
            answer.set_result(frame.event)
        else:
            answer.set_exception(EventCannotCome(frame.reason))
