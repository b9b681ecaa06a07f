"""What workers report on its way into the store: together, in order, with credit that comes back.

Imports dispatch.reports, logs, the store, worker (frames, link), model, pytest and tests.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aura_aio.dispatch.reports import LogReports, RunReports
from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import SystemClock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.log import LogFilter
from aura_aio.model.plan import Definition, StepStatus, Task
from aura_aio.model.run import Outcome, StepRecord, Tasklet
from aura_aio.model.states import RunEvent
from aura_aio.store.relational.store import SqlStore
from aura_aio.store.sqlite import open_sqlite
from aura_aio.worker.frames import Credit, read_for_worker
from aura_aio.worker.link import Link
from tests.unit.logs.lines import CID, line
from tests.waiting import until

DEFINITION = Definition.of(Task("hello", "greet"))
TASKLET = Tasklet(CID, "hello", "greet", DEFINITION.digest, 0.0)
STEP = StepRecord(CID, 1, "it", StepStatus.SUCCESS, started_at=1.0, finished_at=2.0)
END = Outcome(CID, 1, RunEvent.SUCCEED, finished_at=2.0)


class Reported:
    """The reports of one worker whose only run is under way, on their way into a real store."""

    def __init__(self, store: SqlStore, hub: LogHub, link: Link, other: asyncio.StreamReader):
        self.store = store
        self.ended: list[Outcome] = []
        self.runs = RunReports(store.runs, SystemClock(), self.ended.extend)
        self.lines = LogReports(hub, link, self.runs.outcome)
        self._other = other

    async def credit(self) -> int:
        """How many lines the worker is given credit for, next."""
        return sum(
            frame.lines for frame in await read_for_worker(self._other) if isinstance(frame, Credit)
        )

    async def messages(self) -> list[str]:
        """The log, in order."""
        entries = await self.store.logs.read(LogFilter(), after=0, up_to=None, limit=1_000)
        return [entry.line.message for entry in entries]


@asynccontextmanager
async def reported(folder: Path, *, capacity_lines: int) -> AsyncIterator[Reported]:
    store = await open_sqlite(folder / "aura.db", publish=lambda _: None, clock=SystemClock())
    await store.runs.enqueue((TASKLET,), (DEFINITION,))
    await store.queue.claim(["worker-1"])
    hub = LogHub(store.logs, clock=SystemClock(), capacity_lines=capacity_lines)
    await hub.start()
    tasks = CoroutineTasks()
    ours, theirs = socket.socketpair()
    link = Link(*await asyncio.open_connection(sock=ours))
    other, writer = await asyncio.open_connection(sock=theirs)
    reported = Reported(store, hub, link, other)
    tasks.spawn(reported.runs.run())
    tasks.spawn(reported.lines.run())
    try:
        yield reported
    finally:
        await reported.lines.aclose()
        await tasks.aclose()
        await link.aclose()
        writer.close()
        await writer.wait_closed()
        await hub.aclose()
        await store.aclose()


async def test_steps_and_lines_of_a_packet_are_one_transaction(tmp_path: Path) -> None:
    async with reported(tmp_path, capacity_lines=100) as worker:
        before = worker.store.commits
        worker.runs.step(STEP)
        worker.lines.log([line("a"), line("b")])
        assert await worker.credit() == 2
        await worker.runs.stored()
        assert worker.store.commits == before + 1
        assert await worker.messages() == ["a", "b"]
        assert [step.step for step in await worker.store.runs.steps(CID)] == ["it"]


@pytest.mark.parametrize("capacity_lines", [2, 100])
async def test_lines_keep_their_order_and_a_run_ends_behind_its_own(
    tmp_path: Path, capacity_lines: int
) -> None:
    async with reported(tmp_path, capacity_lines=capacity_lines) as worker:
        worker.lines.log([line("0", cid=CID)])
        worker.lines.log([line(str(number), cid=CID) for number in range(1, 6)])
        worker.lines.log([line("6", cid=CID)])
        worker.lines.finished(END)
        await until(lambda: worker.ended == [END])
        assert await worker.messages() == [str(number) for number in range(7)]
        worker.lines.log([line("7")])
        await worker.lines.aclose()
        assert (await worker.messages())[-1] == "7"
