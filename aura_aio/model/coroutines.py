"""Coroutine tasks that a part owns: started by it, ended with it, never dying unseen.

May import the standard library `model.asking` and `model.audit` only.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any

from aura_aio.model.asking import forget_request
from aura_aio.model.audit import forget

_log = logging.getLogger("aura.coroutines")


class CoroutineTasks:
    """The coroutine tasks of one part, for work that is not bounded by one call."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.died = False
        """Whether one of them let an exception out: the part does not do all of its work."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else; an exception that it lets out is logged as
        critical.
        """
        context = copy_context()
        # It goes on when the request that began it was answered.
        context.run(forget)
        context.run(forget_request)
        task = asyncio.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Cancel what still runs, and return when all has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.died = True
            _log.critical(
                "a coroutine task died",
                extra={"action": "coroutine_died"},
                exc_info=error,
            )


async def first_of(*events: Coroutine[Any, Any, object]) -> None:
    """Return when the first of `events` has happened; none of them goes on."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(event) for event in events]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
