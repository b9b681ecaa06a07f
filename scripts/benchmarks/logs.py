"""`logs`: what a log line costs the action, and how many are stored and streamed in a second.

Imports the other benchmarks, and of aura_aio the store, whose rows they are.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from aura_aio.model.log import LogLevel, LogLine
from aura_aio.store.relational.entries import INSERT_ENTRIES, common_of, own_of
from aura_aio.store.sqlite.database import SqliteDatabase
from benchmarks import processes
from benchmarks.monitors import all_have, monitors
from benchmarks.results import LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario

FEW: Final = 1_000
"""Lines that wait for nothing: they cost what they cost."""
MANY: Final = 100_000
AT_ONCE: Final = 1_024


def logs(asked: Asked) -> Sequence[Result]:
    """Microseconds a line, and lines per second."""
    many = MANY // (10 if asked.short else 1)
    with processes.aura("--log-lines-per-sec", "0", "--monitor-buffer-lines", str(MANY)) as aura:
        (cost,) = alternate(
            [
                Contender(
                    "Aura",
                    f"context.log of a sync action, {FEW:,} lines",
                    measure=lambda: _usec_per_line(aura.url),
                    warm_up=lambda: _usec_per_line(aura.url),
                )
            ],
            asked.rounds,
        )
        rate, limit = alternate(
            [
                Contender(
                    "Aura",
                    f"{many:,} lines of one action, stored, and streamed to a monitor",
                    measure=lambda: uvloop.run(_streamed_per_sec(aura.url, many)),
                    warm_up=lambda: uvloop.run(_streamed_per_sec(aura.url, FEW)),
                ),
                Contender(
                    LIMIT,
                    f"executemany of the same rows, {AT_ONCE:,} in each durable transaction",
                    measure=lambda: _inserted_per_sec(many),
                ),
            ],
            asked.rounds,
        )
    return [
        Result(
            scenario="logs",
            part="a line costs",
            unit="µs",
            ours=cost,
            bars=(Bar(15),),
            lower_is_better=True,
        ),
        Result(
            scenario="logs",
            part="streamed",
            unit="lines/s",
            ours=rate,
            limit=limit,
            bars=(Bar(50_000),),
        ),
    ]


def _usec_per_line(url: str) -> float:
    run = processes.finished(url, processes.start_run(url, "chatter", lines=FEW))
    usec: float = run["result"]["usec_per_line"]
    return usec


async def _streamed_per_sec(url: str, lines: int) -> float:
    async with monitors(url, 1) as opened:
        began = time.perf_counter()
        start = asyncio.to_thread(processes.start_run, url, "chatter", lines=lines)
        await asyncio.gather(start, all_have(opened, lines))
        return lines / (time.perf_counter() - began)


def _inserted_per_sec(lines: int) -> float:
    line = LogLine(
        timestamp=1_772_445_600.0,
        level=LogLevel.INFO,
        logger="chatter",
        message="~line~ this one is as long as lines are that people write about what goes on",
        cid="019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d",
        plan_name="bench",
        task_name="chatter",
        step="it",
        attempt=1,
        worker="worker-1",
    )
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        database = SqliteDatabase(Path(folder, "aura.db"))
        with closing(database):
            write = database.writer
            began = time.perf_counter()
            for start in range(0, lines, AT_ONCE):
                rows = [
                    (start + 1 + each, *common_of(line), *own_of(line)) for each in range(AT_ONCE)
                ]
                write.execute("BEGIN IMMEDIATE")
                write.executemany(INSERT_ENTRIES.one, rows)
                write.execute("COMMIT")
            return lines / (time.perf_counter() - began)


LOGS: Final = Scenario("logs", "what a log line costs, and how many go through", logs)
