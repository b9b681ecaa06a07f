"""`batch`: runTaskBatch of a thousand, beside the same rows put into SQLite; and to their end.

Imports the other benchmarks, and of aura_aio the store, whose rows they are.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from aura_aio.model.clock import SystemClock
from aura_aio.model.ids import CidFactory
from aura_aio.model.run import Tasklet
from aura_aio.store.relational import sql
from aura_aio.store.relational.rows import row_of_tasklet
from aura_aio.store.sqlite.database import SqliteDatabase
from benchmarks import load, processes
from benchmarks.results import LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario
from benchmarks.submit import BODY

SIZE: Final = 1_000
CLIENTS: Final = 4
_BODY: Final = b'{"tasks":[%b]}' % b",".join([BODY] * SIZE)


def batch(asked: Asked) -> Sequence[Result]:
    """Runs per second: accepted, beside their rows; and finished."""
    return [_accepted(asked), _finished(asked)]


def _accepted(asked: Asked) -> Result:
    with processes.aura("--no-start", "--queue-limit", "100000000") as aura, _rows() as insert:
        ours, limit = alternate(
            [
                Contender(
                    "Aura",
                    f"runTaskBatch of {SIZE:,} from {CLIENTS} clients, on disk before the answer",
                    measure=lambda: _accepted_per_sec(aura.url, asked.seconds),
                    warm_up=lambda: _accepted_per_sec(aura.url, 0.5),
                ),
                Contender(
                    LIMIT,
                    f"executemany of the same {SIZE:,} rows into the same table with its indexes, "
                    "one durable transaction each",
                    measure=lambda: _inserted_per_sec(insert, asked.seconds),
                ),
            ],
            asked.rounds,
        )
    return Result(scenario="batch", unit="runs/s", ours=ours, limit=limit, bars=(Bar(0.5, LIMIT),))


def _finished(asked: Asked) -> Result:
    runs = max(SIZE, asked.runs // SIZE * SIZE)
    with processes.aura() as aura:
        (ours,) = alternate(
            [
                Contender(
                    "Aura",
                    f"{runs:,} no-op runs in batches of {SIZE:,}, to the last finish",
                    measure=lambda: _finished_per_sec(aura.url, runs),
                    warm_up=lambda: _finished_per_sec(aura.url, SIZE),
                )
            ],
            asked.rounds,
        )
    return Result(
        scenario="batch", part="to the end", unit="runs/s", ours=ours, bars=(Bar(20_000),)
    )


def _accepted_per_sec(url: str, seconds: float) -> float:
    url += "/api/tasks/batch"
    request = load.post(url, _BODY)

    async def hammer() -> int:
        requests = load.for_seconds(request, seconds)
        return await load.send(url, requests, connections=CLIENTS, status=202)

    began = time.perf_counter()
    batches = uvloop.run(hammer())
    return batches * SIZE / (time.perf_counter() - began)


def _finished_per_sec(url: str, runs: int) -> float:
    target = processes.succeeded(url) + runs
    batch_url = url + "/api/tasks/batch"
    requests = repeat(load.post(batch_url, _BODY), runs // SIZE)
    began = time.perf_counter()
    uvloop.run(load.send(batch_url, requests, connections=CLIENTS, status=202))
    while processes.succeeded(url) < target:
        time.sleep(0.002)  # as a client sees it: a status is a request
    return runs / (time.perf_counter() - began)


@contextmanager
def _rows() -> Iterator[Callable[[], None]]:
    """What inserts the rows of a batch into a database of its own."""
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        database = SqliteDatabase(Path(folder, "aura.db"))
        with closing(database):
            yield partial(_insert, database.writer, CidFactory(SystemClock()))


def _insert(connection: sqlite3.Connection, new_cid: CidFactory) -> None:
    now = SystemClock().now()
    labels = {"team": "a"}
    rows = [
        row_of_tasklet(Tasklet(new_cid(), "bench", "noop", "0" * 64, now, labels=labels), now)
        for _ in range(SIZE)
    ]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(sql.INSERT_RUN, rows)
    connection.execute("COMMIT")


def _inserted_per_sec(insert: Callable[[], None], seconds: float) -> float:
    began = time.perf_counter()
    count = 0
    while (taken := time.perf_counter() - began) < seconds:
        insert()
        count += SIZE
    return count / taken


BATCH: Final = Scenario("batch", "runTaskBatch of a thousand", batch)
