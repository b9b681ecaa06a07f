"""Hot reload: edited plans are loaded as soon as they are saved.

May import catalog, model and `scheduler.plans` only.
"""

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path

from aura_aio.catalog.watch import watch_folders
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import StoreUnavailable
from aura_aio.scheduler.plans import PlanReload, Plans

_log = logging.getLogger("aura.scheduler.hot_reload")


class HotReload:
    """Watches the folders of plans while it is enabled."""

    def __init__(self, plans: Plans, reload: PlanReload) -> None:
        self._plans = plans
        self.reload = reload
        """What loads the plans, also when it is asked to."""
        self._tasks = CoroutineTasks()
        self._stop: asyncio.Event | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether edits are noticed."""
        return self._stop is not None and not self._tasks.died

    def enable(self) -> bool:
        """Load what has changed since the plans were loaded, and what changes from now on; False if
        that was so already.
        """
        if self.is_enabled:
            return False
        self._stop = asyncio.Event()
        self._tasks.spawn(self._watch(self._stop))
        _log.info("hot reload enabled", extra={"action": "hot_reload_enabled"})
        return True

    async def disable(self) -> bool:
        """Notice no edit from now on; False if that was so already."""
        if self._stop is None:
            return False
        self._stop.set()
        self._stop = None
        await self._tasks.aclose()
        _log.info("hot reload disabled", extra={"action": "hot_reload_disabled"})
        return True

    async def aclose(self) -> None:
        """End with the server."""
        if self._stop is not None:
            self._stop.set()
        await self._tasks.aclose()

    async def _watch(self, stop: asyncio.Event) -> None:
        waiting: frozenset[Path] | None = frozenset()
        async with aclosing(watch_folders(self._plans.folders, stop)) as changes:
            async for paths in changes:
                waiting = None if waiting is None or paths is None else waiting | paths
                if waiting is None or waiting or self.reload.is_unfinished:
                    try:
                        await self.reload.changed(waiting)
                    except StoreUnavailable as error:
                        _log.error(
                            "store unavailable, a reload waits",
                            extra={"action": "reload_waits", "reason": str(error)},
                        )
                    else:
                        waiting = frozenset()
