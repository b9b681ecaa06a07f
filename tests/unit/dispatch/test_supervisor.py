"""The end of the workers: nothing of what they leave behind is forgotten.

Imports aura_aio.model and processes, the Supervisor and `tests.waiting`.
"""

import asyncio
import os
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import pytest

from aura_aio.dispatch.supervisor import Supervisor, Worker, WorkerPlan
from aura_aio.model.clock import SystemClock
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import ProcessTree, StartProcess
from aura_aio.worker.frames import FrameWriter, Hello, Launch, ToServer
from tests.waiting import turns, until


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


class Connection(ProcessTree):
    """A process that is no more than what a test does with the connection of a worker."""

    def __init__(self, on_end: Callable[[str], object]) -> None:
        super().__init__(on_end)
        told, tells = os.pipe()
        self._told, self._stdin = os.fdopen(told, "rb"), os.fdopen(tells, "wb")

    @property
    def pid(self) -> int:
        return os.getpid()

    @property
    def stdin(self) -> IO[bytes]:
        return self._stdin

    @property
    def stdout(self) -> IO[bytes]:
        raise NotImplementedError

    stderr = stdout

    def _signal(self, number: int) -> None:
        self._is_gone(-number)

    async def opened(self) -> tuple[StreamReader, StreamWriter, str]:
        """The connection that a worker would make, and the secret that it would say."""
        with self._told as pipe:
            launch = msgspec.json.decode(await asyncio.to_thread(pipe.readline), type=Launch)
        return *await asyncio.open_connection("127.0.0.1", launch.port), launch.secret


def plan_of(count: int, data_dir: Path, start: StartProcess = SpawnedProcess) -> WorkerPlan:
    return WorkerPlan(
        count=count,
        slots=1,
        memory_bytes=0,
        stall_sec=10.0,
        allow_shell=False,
        lost_sec=30.0,
        data_dir=str(data_dir),
        log_credit=1024,
        plans=tuple,
        secrets={},
        start_process=start,
    )


async def begun(tmp_path: Path) -> tuple[Supervisor, Connection]:
    """A Supervisor of one worker, which has begun to bring it up."""
    processes: list[Connection] = []

    def start(
        module: str, *, takes_output: bool = True, on_end: Callable[[str], object] = str
    ) -> ProcessTree:
        processes.append(Connection(on_end))
        return processes[-1]

    supervisor = Supervisor(plan_of(1, tmp_path, start), SlowOwner(workers=1), SystemClock())
    await supervisor.start()
    await until(lambda: processes)
    return supervisor, processes[0]


async def test_the_end_of_each_worker_is_taken_in_before_all_is_closed(tmp_path: Path) -> None:
    owner = SlowOwner(workers=2)
    supervisor = Supervisor(plan_of(2, tmp_path), owner, SystemClock())
    await supervisor.start()
    await until(lambda: len(owner.up) == 2, within=30)
    await supervisor.aclose()
    assert sorted(owner.gone) == sorted(owner.up)


async def test_who_has_connected_and_said_nothing_is_let_go_of_at_the_end(tmp_path: Path) -> None:
    supervisor, process = await begun(tmp_path)
    reader, writer, _ = await process.opened()
    await turns(10)
    await supervisor.aclose()
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    assert process.ended.is_set()
    writer.close()


@pytest.mark.parametrize("count", range(10))
async def test_a_worker_that_comes_up_at_the_end_is_ended(tmp_path: Path, count: int) -> None:
    supervisor, process = await begun(tmp_path)
    reader, writer, secret = await process.opened()
    await turns(10)
    FrameWriter(writer).send(Hello(secret, process.pid))
    await turns(count)
    await supervisor.aclose()
    async with asyncio.timeout(5):
        await reader.read()
    assert process.ended.is_set()
    writer.close()
