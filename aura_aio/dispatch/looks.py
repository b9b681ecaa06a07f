"""When the Dispatcher looks at the queue: woken by what may let a run start, never polled.

May import model only.
"""

import asyncio

from aura_aio.model.run import RunChanged
from aura_aio.model.states import RunState


class Looks:
    """Why the queue is to be looked at, if it is."""

    def __init__(self) -> None:
        self.has_room = False
        """Whether the last look has left slots free, and none has begun since."""
        self._wake = asyncio.Event()
        self._asked_for = False
        self._queue_changed = False

    async def due(self) -> None:
        """Return when there is a reason to look, which this look takes away."""
        while not (self._asked_for or self._queue_changed):
            await self._wake.wait()
            self._wake.clear()
        self._asked_for = self._queue_changed = self.has_room = False

    def again(self) -> None:
        """Look: something but the queue has changed."""
        self._asked_for = True
        self._wake.set()

    def slot_free(self) -> None:
        """A slot is free again: look, unless the last look has left others free. What could have
        started was started then, and whatever may start since is a reason by itself.
        """
        if not self.has_room:
            self.again()

    def run_comes(self) -> None:
        """A run is about to be queued: look at once if there is room for it, so that the claim
        shares its transaction.
        """
        if self.has_room:
            self.again()

    def run_changed(self, fact: RunChanged) -> None:
        """Look if the queue has changed, also if a run has left it, which may have let others wait.

        Not if one was claimed since: whoever claims goes on until nothing more can start, and has
        seen all that was in the queue by then.
        """
        if fact.target is RunState.RUNNING:
            self._queue_changed = False
        elif RunState.QUEUED in {fact.source, fact.target}:
            self._queue_changed = True
            self._wake.set()
