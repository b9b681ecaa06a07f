"""Claims runs, and believes no claim that took long until it was looked at again.

May import model; stores come in as ports.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.ports import RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.run import Run, Tasklet
from aura_aio.model.states import HOLDS_A_SLOT

_log = logging.getLogger("aura.dispatch.claims")

LATE_SEC: Final = 2.0
"""After which others may have given this host up (a seventh of the usual `--host-lost-sec`)."""
RETRY_SEC: Final = 0.5


class Claims:
    """Takes runs out of the queue. While the answer to a claim was on its way (the database was
    away with the commit, or this process was stopped), other hosts may have taken this one for
    dead: what it had claimed is theirs then, and must not begin here.
    """

    def __init__(self, runs: RunStore, queue: QueueStore, clock: Clock) -> None:
        self._runs = runs
        self._queue = queue
        self._clock = clock

    async def claim(
        self,
        workers: Sequence[str],
        among: Collection[str] | None,
        served: PlanDigests | None,
    ) -> Sequence[Tasklet]:
        """As `QueueStore.claim`, without those that have been taken away again."""
        began = self._clock.monotonic()
        tasklets = await self._queue.claim(workers, among, served)
        if not tasklets or self._clock.monotonic() - began < LATE_SEC:
            return tasklets
        return await self._still_here(tasklets)

    async def next_due(self) -> float | None:
        """As `QueueStore.next_due`."""
        return await self._queue.next_due()

    async def _still_here(self, tasklets: Sequence[Tasklet]) -> Sequence[Tasklet]:
        runs = await self._states(tasklets)
        kept = [
            tasklet
            for tasklet in tasklets
            if (run := runs.get(tasklet.cid)) is not None
            and run.attempt == tasklet.attempt
            and run.state in HOLDS_A_SLOT
        ]
        if gone := [tasklet.cid for tasklet in tasklets if tasklet not in kept]:
            _log.warning("claimed too late", extra={"action": "claimed_too_late", "cids": gone})
        return kept

    async def _states(self, tasklets: Sequence[Tasklet]) -> Mapping[str, Run]:
        while True:
            try:
                return await self._runs.states([tasklet.cid for tasklet in tasklets])
            except StoreUnavailable as error:
                extra = {"action": "starts_wait", "reason": str(error)}
                _log.error("store unavailable, starts wait", extra=extra)
                await self._clock.sleep(RETRY_SEC)
