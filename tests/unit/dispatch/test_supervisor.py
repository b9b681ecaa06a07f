"""The end of the workers: nothing of what they leave behind is forgotten.

Imports aura_aio.model, the Supervisor and `tests.waiting`.
"""

import asyncio
from pathlib import Path

from aura_aio.dispatch.supervisor import Supervisor, Worker, WorkerPlan
from aura_aio.model.clock import SystemClock
from aura_aio.worker.frames import ToServer
from tests.waiting import until


class SlowOwner:
    """Takes longer over the end of the first worker than over those of all the others."""

    def __init__(self, workers: int) -> None:
        self.up: list[str] = []
        self.gone: list[str] = []
        self._others = workers - 1
        self._begun = 0

    def worker_up(self, worker: Worker) -> None:
        self.up.append(worker.name)

    def worker_said(self, worker: Worker, packet: tuple[ToServer, ...]) -> None:
        pass

    def worker_back(self, worker: Worker) -> None:
        pass

    async def worker_gone(self, worker: Worker, how: str) -> None:
        self._begun += 1
        if self._begun == 1:
            await until(lambda: len(self.gone) == self._others)
            await asyncio.to_thread(int)  # as storing does
        self.gone.append(worker.name)


async def test_the_end_of_each_worker_is_taken_in_before_all_is_closed(tmp_path: Path) -> None:
    owner = SlowOwner(workers=2)
    plan = WorkerPlan(
        count=2,
        slots=1,
        memory_bytes=0,
        stall_sec=10.0,
        allow_shell=False,
        lost_sec=30.0,
        data_dir=str(tmp_path),
        log_credit=1024,
        plans=tuple,
        secrets={},
    )
    supervisor = Supervisor(plan, owner, SystemClock())
    await supervisor.start()
    await until(lambda: len(owner.up) == 2, within=30)
    await supervisor.aclose()
    assert sorted(owner.gone) == sorted(owner.up)
