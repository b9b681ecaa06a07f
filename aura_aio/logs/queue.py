"""The shared log queue.

May import `model` and `logs.payload` only.
"""

import asyncio
from collections.abc import Sequence

from aura_aio.logs.payload import sound
from aura_aio.model.clock import Clock
from aura_aio.model.log import LogLine


class LogQueue(asyncio.Queue[LogLine]):
    """The shared log queue: bounded in lines; a line may be put from anywhere on the event loop.

    `accepted` counts every line that was ever put.
    """

    def __init__(self, capacity_lines: int, clock: Clock) -> None:
        super().__init__(capacity_lines)
        self.accepted = 0
        self._clock = clock

    def put_all(self, lines: Sequence[LogLine]) -> None:
        """Put lines, at least one, that there is room for: only the last has to wake who waits."""
        now, put = self._clock.now(), super()._put
        for line in lines[:-1]:
            put(sound(line, now))
        self.accepted += len(lines) - 1
        self.put_nowait(lines[-1])

    def _put(self, item: LogLine) -> None:
        super()._put(sound(item, self._clock.now()))
        self.accepted += 1
