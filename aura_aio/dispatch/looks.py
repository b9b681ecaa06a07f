"""When the Dispatcher looks at the queue: woken by what may let a run start, never polled.

May import model only.
"""

import asyncio
from typing import Final

from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL, RunState

MOST_TOLD_APART: Final = 1_000
"""So many runs that have come are known by name; if there are more, some will still be there."""


class Looks:
    """Why the queue is to be looked at, if it is."""

    def __init__(self) -> None:
        self.has_room = False
        """Whether the last look has left slots free, and none has begun since."""
        self._wake = asyncio.Event()
        self._asked_for = False
        self._came: set[str] = set()
        """Runs that have come into the queue since the last look, and that nobody has claimed."""

    async def due(self) -> None:
        """Return when there is a reason to look, which this look takes away."""
        while not (self._asked_for or self._came):
            await self._wake.wait()
            self._wake.clear()
        self._asked_for = self.has_room = False
        self._came.clear()

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

    def run_changed(self, fact: RunChanged, *, is_own: bool = True) -> None:
        """Look if a run has come into the queue, also if one has left it, which may have let others
        wait.

        Not for one that was claimed since. But for those beside it: another host may have claimed
        as many as it had room for, of more that it has queued. Where a run has ended there, what
        its limits held may be free.
        """
        if fact.target is RunState.QUEUED:
            self._came.add(fact.cid)
            if len(self._came) > MOST_TOLD_APART:
                self._came.clear()
                self._asked_for = True
            self._wake.set()
            return
        self._came.discard(fact.cid)
        has_left = fact.source is RunState.QUEUED and fact.target is not RunState.RUNNING
        if has_left or (not is_own and fact.target in TERMINAL):
            self.again()
