"""Claims runs, and lets none begin long after its claim before it was looked at again.

May import `attempts` and model; stores come in as ports.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from aura_aio.dispatch.attempts import Attempt
from aura_aio.model.clock import Clock
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.persistence import persist
from aura_aio.model.ports import RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.run import Run, Tasklet
from aura_aio.model.states import HOLDS_A_SLOT, RunState

_log = logging.getLogger("aura.dispatch.claims")

LATE_SEC: Final = 0.5
"""After which others may have given this host up: `host_lost_sec` is a second at the least."""


class Claims:
    """Takes runs out of the queue. While the answer to a claim was on its way, or what has to be
    known to begin (the database was away, this process was stopped), other hosts may have taken
    this one for dead: what it had claimed is theirs then, and must not begin here.
    """

    from_queue = True
    """Whether any change of the queue may let this host claim more."""

    def __init__(self, runs: RunStore, queue: QueueStore, clock: Clock) -> None:
        self._runs = runs
        self._queue = queue
        self._clock = clock
        self._asked_at = 0.0

    async def claim(
        self, workers: Sequence[str], among: Collection[str] | None, served: PlanDigests | None
    ) -> Sequence[Tasklet]:
        """As `QueueStore.claim`. The next claim is made when all of these have begun."""
        self._asked_at = self._clock.monotonic()
        return await self._queue.claim(workers, among, served)

    async def may_begin(self, attempt: Attempt) -> bool:
        """Whether an attempt of the latest claim may begin now; if somebody has asked for its end
        meanwhile it ends by then.
        """
        if self._clock.monotonic() - self._asked_at < LATE_SEC:
            return True
        tasklet = attempt.tasklet
        run = await self._run(tasklet.cid)
        if run is None or run.attempt != tasklet.attempt or run.state not in HOLDS_A_SLOT:
            extra = {"action": "claimed_too_late", "cid": tasklet.cid, "attempt": tasklet.attempt}
            _log.warning("a run was taken away before it could begin", extra=extra)
            return False
        if run.state is RunState.CANCELLING:
            grace_sec = run.cancel.actions_grace_sec if run.cancel is not None else 0.0
            attempt.ends_by(asyncio.get_running_loop().time() + grace_sec)
        return True

    async def next_due(self) -> float | None:
        """As `QueueStore.next_due`."""
        return await self._queue.next_due()

    def is_over(self, tasklet: Tasklet) -> None:
        """An attempt that was claimed has ended, and that is stored."""

    async def _run(self, cid: str) -> Run | None:
        states = partial(self._runs.states, [cid])
        complaint = "store unavailable, a start waits"
        found = await persist(states, self._clock, _log, complaint, action="start_waits", cid=cid)
        return found.get(cid)
