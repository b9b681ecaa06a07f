"""The room on the disk: with too little, no new run is taken, so that those under way can end.

May import model only; how much room there is comes in as a function.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.overload import DiskNearlyFull

_log = logging.getLogger("aura.scheduler.free_space")

PERIOD_SEC: Final = 1.0
MIB: Final = 1024 * 1024
MORE: Final = 1.1
"""So many times the least must be there again before new runs are taken."""


class FreeSpace:
    """Looks once a second, in a thread; to ask it costs nothing. `free_bytes` may raise OSError:
    then it stays as it was.
    """

    def __init__(self, free_bytes: Callable[[], int], *, least_mib: int, clock: Clock) -> None:
        self._free_bytes = free_bytes
        self._least_mib = least_mib
        self._clock = clock
        self._is_low = False
        self._tasks = CoroutineTasks()

    @property
    def alive(self) -> bool:
        """Whether it does its work."""
        return not self._tasks.died

    def check(self) -> None:
        """Return if there is room for new runs.

        Raises:
            DiskNearlyFull: there is not.
        """
        if self._is_low:
            raise DiskNearlyFull(self._least_mib)

    async def start(self) -> None:
        """Look, and go on looking until `aclose`."""
        if self._least_mib:
            await self._look()
            self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        await self._tasks.aclose()

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(PERIOD_SEC)
            await self._look()

    async def _look(self) -> None:
        try:
            free_mib = await asyncio.to_thread(self._free_bytes) / MIB
        except OSError as error:
            _log.debug("disk not asked", extra={"action": "disk_unknown", "reason": str(error)})
            return
        is_low = free_mib < self._least_mib * (MORE if self._is_low else 1.0)
        if is_low is not self._is_low:
            self._is_low = is_low
            if is_low:
                _log.error("disk nearly full", extra={"action": "disk_low", "mib": int(free_mib)})
            else:
                _log.info("disk has room again", extra={"action": "disk_ok", "mib": int(free_mib)})
