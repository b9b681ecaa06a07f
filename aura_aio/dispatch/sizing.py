"""How many workers a machine bears, and what each of them is given.

May import settings, the rest of `dispatch`, `worker.frames`, `processes`, model and the standard
library.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from aura_aio.dispatch.supervisor import WorkerPlan
from aura_aio.model.plan import Plan
from aura_aio.processes.tree import StartProcess
from aura_aio.settings import Settings
from aura_aio.worker.frames import PlanActions

MEMORY_SHARE: Final = 0.8


def worker_plan(
    settings: Settings,
    data_dir: Path,
    *,
    plans: Callable[[], tuple[PlanActions, ...]],
    secrets: Mapping[str, str],
    log_credit: int,
    start_process: StartProcess,
    host_id: str = "",
) -> WorkerPlan:
    """The workers that `settings` want; `plans` is asked anew for each that starts, which
    `start_process` does.
    """
    wanted = settings.workers
    count = worker_count(wanted.workers)
    mib = wanted.worker_memory_mib
    return WorkerPlan(
        count=count,
        slots=wanted.slots,
        memory_bytes=mib * 1024 * 1024 if mib >= 0 else _share_of_memory(max(1, count)),
        stall_sec=wanted.stall_sec,
        allow_shell=wanted.allow_shell,
        lost_sec=wanted.lost_sec,
        data_dir=str(data_dir),
        log_credit=log_credit,
        plans=plans,
        secrets=dict(secrets),
        allowed=settings.runs,
        start_process=start_process,
        host_id=host_id,
        api_only=wanted.api_only,
    )


def actions_of(plans: Iterable[Plan]) -> tuple[PlanActions, ...]:
    """Where workers find the actions of `plans`."""
    return tuple(
        PlanActions(plan.name, plan.root, tuple(plan.actions.values()), plan.digest)
        for plan in plans
    )


def worker_count(wanted: int) -> int:
    """How many workers there are if `wanted` are asked for: -1 means one per core."""
    return wanted if wanted >= 0 else _cores()


def _share_of_memory(workers: int) -> int:
    """A worker's part of `MEMORY_SHARE` of the machine, in bytes; 0 (no limit) if unknown."""
    if sys.platform == "win32":
        return 0
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(total * MEMORY_SHARE / workers)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
