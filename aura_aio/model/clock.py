"""Time as a part that is passed in, and its spelling on the wire.

May import the standard library only; the only place that reads the system's clock.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Where all other code gets the time from."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow, for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` (none, if zero or less)."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        import asyncio  # noqa: PLC0415 - half of what a process costs that makes one call

        await asyncio.sleep(max(0.0, seconds))


def rfc3339(seconds: float) -> str:
    """`seconds` since the epoch as RFC 3339 in UTC with microseconds, like
    2026-01-31T12:00:00.000000Z.
    """
    microseconds = round(seconds * 1_000_000)
    return f"{to_the_second(microseconds // 1_000_000)}.{microseconds % 1_000_000:06}Z"


@lru_cache(maxsize=1024)
def to_the_second(seconds: int) -> str:
    """`seconds` since the epoch as RFC 3339, but for the fraction and what stands for UTC.

    Remembered, since many lines and runs fall into one second. Not by `strftime`, which writes the
    year 800 with three digits on some systems.
    """
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
