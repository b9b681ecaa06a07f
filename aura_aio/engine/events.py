"""The port through which an action waits for an event.

May import model only.
"""

from typing import Protocol

from aura_aio.model.event import EventWait, RunEnded


class Events(Protocol):
    """Waits for the ends of other runs."""

    async def wait(self, wanted: EventWait) -> RunEnded:
        """The first event that passes; who waits no more is cancelled.

        Raises:
            EventCannotCome: it never can; the sentence says why.
        """
        ...
