"""Long queues: data folders with so many queued runs, filled through the Store itself.

Imports the other benchmarks, and of aura_aio the Store and its model: over HTTP it would take ten
times as long, and give the same rows.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Final

from aura_aio.model.clock import SystemClock
from aura_aio.model.ids import CidFactory
from aura_aio.model.plan import Definition, Step, Task
from aura_aio.model.run import Tasklet
from aura_aio.store.relational.store import Rules, SqlStore
from aura_aio.store.sqlite import open_sqlite

PRIORITIES: Final = 5
"""Over how many of them the runs are spread; 0 is one, and those above go before it."""
_AT_ONCE: Final = 1_000
_TOGETHER: Final = 10
_LIMIT: Final = 100_000_000


async def fill(data_dir: Path, size: int) -> None:
    """Queue `size` more runs of the task `noop` in the database of a data folder."""
    clock = SystemClock()
    new_cid = CidFactory(clock)
    definition = Definition.of(Task("bench", "noop", steps=(Step("it", "noop"),)))

    def tasklets(count: int) -> Sequence[Tasklet]:
        return [
            Tasklet(
                new_cid(),
                "bench",
                "noop",
                definition.digest,
                clock.now(),
                priority=number % PRIORITIES - PRIORITIES // 2,
                labels={"team": "a"},
            )
            for number in range(count)
        ]

    async with _store(data_dir) as store:
        for done in range(0, size, _AT_ONCE * _TOGETHER):
            left = min(_AT_ONCE * _TOGETHER, size - done)
            portions = [min(_AT_ONCE, left - at) for at in range(0, left, _AT_ONCE)]
            await asyncio.gather(
                *(store.runs.enqueue(tasklets(each), [definition]) for each in portions)
            )


async def claims_p99_ms(data_dir: Path, times: int) -> float:
    """What 99 of a hundred claims of one run each did not pass."""
    taken = []
    async with _store(data_dir) as store:
        for _ in range(times):
            began = time.perf_counter()
            claimed = await store.queue.claim(["worker-1"])
            taken.append(time.perf_counter() - began)
            if len(claimed) != 1:
                raise RuntimeError("there was nothing to claim")
    return quantiles(taken, n=100, method="inclusive")[98] * 1000


@asynccontextmanager
async def _store(data_dir: Path) -> AsyncIterator[SqlStore]:
    store = await open_sqlite(
        data_dir / "aura.db",
        publish=lambda _: None,
        clock=SystemClock(),
        rules=Rules(_LIMIT),
    )
    try:
        yield store
    finally:
        await store.aclose()
