"""The worker's end of `aura.run_task`: asks the server for child runs, and takes its answers.

May import `worker.frames`, of `engine` `children` and `failures`, and model.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable
from typing import TypeVar

from aura_aio.engine.failures import ChildNotStarted
from aura_aio.model.children import ChildEnd, ChildRequest
from aura_aio.worker.frames import (
    ChildEnded,
    ChildRefused,
    ChildStarted,
    DropChild,
    FrameWriter,
    RunChild,
    ToChildCalls,
)

T = TypeVar("T")


class ChildCall:
    """Implements `engine.children.ChildRun`."""

    def __init__(self, drop: Callable[[], None], *, waits: bool) -> None:
        loop = asyncio.get_running_loop()
        self.waits = waits
        self.on_disk: Future[str] = loop.create_future()
        self.at_end: Future[ChildEnd] = loop.create_future()
        self._drop = drop

    async def started(self) -> str:
        """Its cid, once it is on disk; raises ChildNotStarted."""
        return await self.on_disk

    async def ended(self) -> ChildEnd:
        """How it has ended, once it has."""
        return await self.at_end

    def drop(self) -> None:
        """Cancel it: nobody waits for it any more."""
        self._drop()


class ChildCalls:
    """Implements `engine.children.ChildRuns`, on the loop."""

    def __init__(self, frames: FrameWriter) -> None:
        self._frames = frames
        self._asked = 0
        self._calls: dict[int, ChildCall] = {}

    def ask(self, request: ChildRequest) -> ChildCall:
        """Ask for a child run; returns at once."""
        self._asked += 1
        number = self._asked
        call = ChildCall(lambda: self._drop(number), waits=request.wait)
        self._calls[number] = call
        self._frames.send(RunChild(number, request))
        return call

    def take(self, frame: ToChildCalls) -> None:
        """Take an answer of the server; one for a call that has ended comes too late."""
        call = self._calls.get(frame.number)
        if call is None:
            return
        match frame:
            case ChildStarted():
                if not call.waits:  # nothing more will come
                    del self._calls[frame.number]
                _settle(call.on_disk, frame.cid)
            case ChildRefused():
                del self._calls[frame.number]
                if not call.on_disk.done():
                    call.on_disk.set_exception(ChildNotStarted(frame.reason))
            case ChildEnded():
                del self._calls[frame.number]
                _settle(call.at_end, frame.end)

    def _drop(self, number: int) -> None:
        if self._calls.pop(number, None) is not None:
            self._frames.send(DropChild(number))


def _settle(future: Future[T], value: T) -> None:
    if not future.done():  # whoever waited was cancelled
        future.set_result(value)
