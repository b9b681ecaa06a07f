"""The signals that end the server, or have another take its place.

May import the standard library only.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_log = logging.getLogger("aura.signals")

LATE_SEC: Final = 10.0
"""How long workers and all that is kept may take to end after runs and connections had their time,
in seconds."""
LOG_SEC: Final = 0.5
"""How long the log has for its last line, in seconds."""


class Signals:
    """What this process was told since `listen`."""

    def __init__(self) -> None:
        self._end_within = 0.0
        self.told = asyncio.Event()
        """Set once it is to end, or to be tried whether another server can take its place."""
        self.ending = asyncio.Event()
        """Set once it is to end, whatever else it was told."""
        self.start_anew = False
        """Whether another server is to take its place (SIGUSR2): until it is told to end."""

    def listen(self, end_within: float) -> None:
        """Take SIGTERM and SIGINT, the second of which ends the process at once, and SIGUSR2.

        If it has not ended `end_within` seconds (and `LATE_SEC`) after the first, it ends as in a
        crash: what has not been kept may wait for a database that does not come back.
        """
        self._end_within = end_within
        for number in (signal.SIGINT, signal.SIGTERM):
            self._on(number, self._end)
        if sys.platform != "win32":
            self._on(signal.SIGUSR2, self._anew)

    def go_on(self) -> None:
        """No other server takes its place, for now: wait to be told again."""
        self.start_anew = False
        if not self.ending.is_set():
            self.told.clear()

    def _give_up(self) -> None:
        _log.critical(
            "what has ended could not be stored: the process ends as in a crash",
            extra={"action": "ended_unfinished"},
        )
        asyncio.get_running_loop().call_later(LOG_SEC, os._exit, 1)

    def _end(self) -> None:
        if self.ending.is_set():
            os._exit(1)
        self.ending.set()
        asyncio.get_running_loop().call_later(self._end_within + LATE_SEC, self._give_up)
        self.start_anew = False
        self.told.set()

    def _anew(self) -> None:
        self.start_anew = not self.ending.is_set()
        self.told.set()

    def _on(self, number: signal.Signals, do: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(do))
        else:
            loop.add_signal_handler(number, do)
