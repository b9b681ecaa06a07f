"""What starts runs without a client: schedules and events, as one part of the server.

May import the rest of `scheduler` only.
"""

from aura_aio.scheduler.clockwork import Clockwork
from aura_aio.scheduler.event_runs import EventRuns
from aura_aio.scheduler.schedule_book import ScheduleBook


class Triggers:
    """Started with the server, and ended with it."""

    def __init__(self, book: ScheduleBook, clockwork: Clockwork, event_runs: EventRuns) -> None:
        self._book = book
        self._clockwork = clockwork
        self._event_runs = event_runs

    def listen(self) -> None:
        """Keep the events that tasks wait for from now on: call it before a run can end."""
        self._event_runs.listen()

    async def start(self) -> None:
        """Begin to run what is due, and what events start; also while the system is stopped: the
        runs wait then.

        Raises:
            StoreUnavailable: the schedules cannot be read.
        """
        await self._book.load()
        self._clockwork.start()
        self._event_runs.start()

    def look(self) -> None:
        """Look for events: some may have come unheard."""
        self._event_runs.look()

    async def plans_changed(self) -> None:
        """Take the schedules and events of the plans as they are loaded now."""
        self._event_runs.listen()
        await self._book.load()

    async def aclose(self) -> None:
        """Start nothing more."""
        await self._clockwork.aclose()
        await self._event_runs.aclose()

    @property
    def alive(self) -> bool:
        """Whether all of it does its work."""
        return self._clockwork.alive and self._event_runs.alive
