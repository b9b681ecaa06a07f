"""The facade that handlers talk to, and the only one they know.

May import the rest of `scheduler`, logs and model only.
"""

import asyncio
from collections.abc import Sequence

from aura_aio.model.access import EVERYTHING, Grant
from aura_aio.model.errors import AuraError
from aura_aio.model.log import LogLine
from aura_aio.model.ports import Accepted, IdempotencyKey
from aura_aio.model.run import Run
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.hot_reload import HotReload
from aura_aio.scheduler.logs import Logs
from aura_aio.scheduler.plans import Plans
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.rehearsal import Rehearsal
from aura_aio.scheduler.retries import Retry, RetryRequest
from aura_aio.scheduler.runs import Batch, Runs
from aura_aio.scheduler.schedules import Schedules
from aura_aio.scheduler.system import Stopped, System


class Scheduler:
    """Admits, cancels, orders, asks: eight parts, and direct methods for Aura's fixed names."""

    def __init__(
        self,
        *,
        runs: Runs,
        queue: Queue,
        plans: Plans,
        logs: Logs,
        schedules: Schedules,
        system: System,
        hot_reload: HotReload,
    ) -> None:
        self.runs = runs
        self.queue = queue
        self.plans = plans
        self.logs = logs
        self.schedules = schedules
        self.system = system
        self.hot_reload = hot_reload
        self.api_log_queue: asyncio.Queue[LogLine] = logs.queue
        """The shared log queue that `log_queue_listener` empties."""

    async def start(self) -> bool:
        """See `System.start`."""
        return await self.system.start()

    async def stop(self, *, cancel: bool = False, timeout_sec: float | None = None) -> Stopped:
        """See `System.stop`."""
        return await self.system.stop(cancel=cancel, timeout_sec=timeout_sec)

    async def run_ad_hoc_task(
        self, request: RunRequest, idempotency: IdempotencyKey | None = None
    ) -> Accepted:
        """See `Runs.submit`."""
        return await self.runs.submit(request, idempotency)

    async def run_batch_ad_hoc_tasks(
        self,
        requests: Sequence[RunRequest | AuraError],
        *,
        atomic: bool = False,
        idempotency: IdempotencyKey | None = None,
    ) -> Batch:
        """See `Runs.submit_batch`."""
        return await self.runs.submit_batch(requests, atomic=atomic, idempotency=idempotency)

    async def dry_run_task(self, request: RunRequest, grant: Grant = EVERYTHING) -> Rehearsal:
        """See `Queue.rehearse`."""
        return await self.queue.rehearse(request, grant)

    async def retry_task(
        self, cid: str, request: RetryRequest, idempotency: IdempotencyKey | None = None
    ) -> Retry:
        """See `Retries`."""
        return await self.runs.retry(cid, request, idempotency)

    async def cancel_task(
        self,
        cid: str,
        *,
        mode: str = "graceful",
        grace_sec: float = 10.0,
        reason: str | None = None,
    ) -> Run:
        """See `Runs.cancel`."""
        return await self.runs.cancel(cid, mode=mode, grace_sec=grace_sec, reason=reason)

    async def reload_plans(self, *, force: bool) -> None:
        """See `PlanReload`."""
        await self.hot_reload.reload(force=force)
