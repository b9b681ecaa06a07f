"""Jobs of hosts that have died: whose attempt is lost with them, and whose is not.

Imports dispatch, the store, model, pytest and tests.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_aio.dispatch.leases import BEATS, Leases
from aura_aio.dispatch.procrastinate import JobClaims
from aura_aio.model.fleet import worker_name
from aura_aio.model.job_queue import Job
from aura_aio.model.plan import Definition, Task
from aura_aio.model.run import Run, Tasklet
from aura_aio.model.states import RunState
from aura_aio.store.relational.store import SqlStore
from aura_aio.store.sqlite import open_sqlite
from tests.scheduler.bench import TurnedClock
from tests.waiting import until

DEFINITION = Definition.of(Task("hello", "greet"))
CID = "01a21c4d-2f96-7762-b6fe-6f186b035a59"
DEAD, ALIVE = (worker_name(host, 1) for host in ("dead", "alive"))
SILENT_SEC = 5.0


class Stalled:
    """The job of the first attempt, which is stalled until somebody finishes it."""

    def __init__(self, lost: list[str]) -> None:
        self.left = [Job(7, CID, 1, taker=70)]
        self._lost = lost

    async def beat(self) -> bool:
        return True

    async def mine(self) -> Collection[int]:
        return ()

    async def stalled(self, silent_sec: float) -> Sequence[Job]:
        return tuple(self.left)

    async def finish(self, job_ids: Collection[int]) -> None:
        self.left = [job for job in self.left if job.id not in job_ids]

    async def silent(self, silent_sec: float) -> Collection[int]:
        return ()

    async def forget(self, takers: Collection[int]) -> None:
        self._lost += [f"host {taker}" for taker in takers]

    async def forget_silent(self, silent_sec: float) -> None:
        """There are no workers."""


class Offered:
    """The runs of a store. What is asked for their states sees them as they are; before it can act,
    others are faster: who waits is claimed by another host.
    """

    def __init__(self, store: SqlStore, lost: list[str]) -> None:
        self._store = store
        self._lost = lost

    async def lose(self, attempts: Sequence[tuple[str, int]], *, reason: str) -> None:
        self._lost += [f"attempt {number}" for _, number in attempts]
        await self._store.runs.lose(attempts, reason=reason)

    async def states(self, cids: Sequence[str]) -> Mapping[str, Run]:
        seen = await self._store.runs.states(cids)
        await self._store.queue.claim([ALIVE], None, None)
        return seen


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[SqlStore]:
    """A store with a run in the queue, which may begin twice."""
    store = await open_sqlite(folder / "aura.db", publish=lambda _: None, clock=TurnedClock())
    tasklet = Tasklet(CID, "hello", "greet", DEFINITION.digest, 0.0)
    await store.runs.enqueue((tasklet,), (DEFINITION,))
    yield store
    await store.aclose()


async def rescued(store: SqlStore) -> tuple[RunState, str | None, list[str]]:
    """What the run is, and where it was begun last, when its job is gone; and what was lost."""
    lost: list[str] = []
    clock, jobs, runs = TurnedClock(), Stalled(lost), Offered(store, lost)
    claims = JobClaims(_any(runs), store.queue, _any(jobs), clock)
    leases = Leases(_any(jobs), claims, _any(runs), clock, silent_sec=SILENT_SEC)
    leases.lives = lambda host: host == "alive"
    leases.start()

    def is_gone() -> bool:
        if clock.sleepers:
            clock.turn(SILENT_SEC / BEATS)
        return not jobs.left

    await until(is_gone)
    await leases.aclose()
    await claims.aclose()
    run = (await store.runs.states([CID]))[CID]
    return run.state, run.worker, lost


def _any(part: Any) -> Any:
    """A part that has as much of a port as is needed."""
    return part


async def test_what_was_begun_there_is_lost(tmp_path: Path) -> None:
    """The host is given up first: if it is there it finds out, and ends what it had begun."""
    async with opened(tmp_path) as store:
        await store.queue.claim([DEAD], None, None)
        assert await rescued(store) == (RunState.FAILED, DEAD, ["host 70", "attempt 1"])


@pytest.mark.parametrize("is_begun", [False, True])
async def test_what_was_begun_elsewhere_goes_on(tmp_path: Path, *, is_begun: bool) -> None:
    """Also if it is begun while the job is looked at: the offer may have been made anew."""
    async with opened(tmp_path) as store:
        if is_begun:
            await store.queue.claim([ALIVE], None, None)
        assert await rescued(store) == (RunState.RUNNING, ALIVE, [])
