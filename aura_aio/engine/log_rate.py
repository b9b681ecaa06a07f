"""How many lines an attempt may log, and what its log says of those that are left out.

May import msgspec and model only.
"""

import threading
from typing import Final

import msgspec

from aura_aio.model.clock import Clock, rfc3339
from aura_aio.model.log import LogLevel, LogLine

BURST_SEC: Final = 10.0
"""The lines of so many seconds may come at once, after as long a silence."""


class LogRate:
    """Lets `per_sec` lines a second pass, all if that is 0; may be used from any thread.

    Once there were too many, none pass for a second, so that what is left out is one gap with one
    line that tells of it. That gaps begin is told, too, the first time: a worker that is lost takes
    along what it has counted.
    """

    def __init__(self, per_sec: int, clock: Clock) -> None:
        self._per_sec = per_sec
        self._clock = clock
        self._guard = threading.Lock()
        self._most = self._room = per_sec * BURST_SEC
        self._filled_at = clock.monotonic()
        self._is_over = False
        self._was_over = False
        self._first: LogLine | None = None
        self._last: LogLine | None = None
        self._left_out = 0

    def passing(self, line: LogLine) -> tuple[LogLine, ...]:
        """What is to be logged in place of `line`: itself, or nothing; and a line of what was left
        out before it, or of that it is.
        """
        if not self._per_sec:
            return (line,)
        with self._guard:
            now = self._clock.monotonic()
            room = self._room + (now - self._filled_at) * self._per_sec
            self._room = room = min(room, self._most)
            self._filled_at = now
            if room < (self._per_sec if self._is_over else 1):
                return self._leave_out(line)
            self._room = room - 1
            if not self._is_over:
                return (line,)
            self._is_over = False
            return (*self._told(line.timestamp), line)

    def rest(self) -> tuple[LogLine, ...]:
        """The line of what was left out and is not told of yet, if anything was."""
        if not self._left_out:
            return ()
        with self._guard:
            return self._told(self._clock.now())

    def _leave_out(self, line: LogLine) -> tuple[LogLine, ...]:
        is_new = not self._was_over
        self._is_over = self._was_over = True
        self._left_out += 1
        self._first = self._first or line
        self._last = line
        if not is_new:
            return ()
        text = f"The run logs too much: lines are left out ({self._allowed()})."
        return (_mark(line, line.timestamp, text),)

    def _told(self, now: float) -> tuple[LogLine, ...]:
        first, last, count = self._first, self._last, self._left_out
        if first is None or last is None:
            return ()
        self._first = self._last = None
        self._left_out = 0
        since, until = rfc3339(first.timestamp), rfc3339(last.timestamp)
        lines = "line was" if count == 1 else "lines were"
        text = f"{count:,} {lines} left out between {since} and {until} ({self._allowed()})."
        data = {"left_out": count, "since": since, "until": until}
        return (_mark(last, now, text, data),)

    def _allowed(self) -> str:
        return f"log_lines_per_sec: {self._per_sec:,} may be logged a second"


def _mark(
    line: LogLine, now: float, message: str, data: dict[str, object] | None = None
) -> LogLine:
    return msgspec.structs.replace(
        line,
        timestamp=now,
        level=LogLevel.WARNING,
        logger="aura.engine",
        message=message,
        data=data,
    )
