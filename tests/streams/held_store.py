"""A real log store whose calls can be held up and made to fail.

Imports model only.
"""

import asyncio
from collections.abc import Sequence

from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.log import LogEntry, LogFilter, LogLine
from aura_aio.model.ports import LogStore


class HeldStore:
    """Passes every call on to `store`, when it may.

    While `writing` or `reading` is cleared, `append` or `read` wait before they do anything; while
    `down` is true every call raises StoreUnavailable.
    """

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.writing = asyncio.Event()
        self.writing.set()
        self.reading = asyncio.Event()
        self.reading.set()
        self.down = False
        self.appended: list[int] = []
        """How many lines each call of `append` that came through had."""
        self.refused = 0
        """How many calls have raised."""

    async def append(self, lines: Sequence[LogLine]) -> tuple[LogEntry, ...]:
        """As the store's."""
        await self.writing.wait()
        self._check()
        self.appended.append(len(lines))
        return await self._store.append(lines)

    async def read(
        self, where: LogFilter, *, after: int, up_to: int | None, limit: int
    ) -> tuple[LogEntry, ...]:
        """As the store's."""
        await self.reading.wait()
        self._check()
        return await self._store.read(where, after=after, up_to=up_to, limit=limit)

    async def bounds(self) -> tuple[int, int]:
        """As the store's."""
        self._check()
        return await self._store.bounds()

    def _check(self) -> None:
        if self.down:
            self.refused += 1
            raise StoreUnavailable("The database does not answer.")
