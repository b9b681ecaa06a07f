"""What a transaction of the real store costs on a real PostgreSQL, and what real hosts do on one.

Imports the store of aura_aio and its model, psycopg, msgspec, and its neighbours. Other work on the
machine only adds to what is measured; so the least of several is taken, and those that are compared
take turns.
"""

import asyncio
import os
import platform
import time
import timeit
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

import msgspec
import psycopg

from aura_aio.model.clock import SystemClock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.ids import CidFactory
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.news import News
from aura_aio.model.plan import Definition, Step, Task
from aura_aio.model.run import Outcome, RunChanged, StepRecord, Tasklet
from aura_aio.model.states import RunEvent, RunState
from aura_aio.store.postgres.announcement import heard, notices
from aura_aio.store.postgres.opening import open_postgres
from aura_aio.store.relational.store import SqlStore
from simulation.costs import Check, Costs, Line, Measured, Sample, Size, fitted
from simulation.database import Server, far_away, server

T = TypeVar("T")

SIZES: Final = (1, 10, 100, 500)
_FAR_SEC: Final = 0.005
"""One way, where round trips are counted: much more than the least that a turn takes by itself."""
_DEFINITION: Final = Definition.of(Task("bench", "noop", steps=(Step("it", "noop"),)))
_LINE: Final = "a line of a usual length, more or less"
_BULK: Final = 2_000
_AT_ONCE: Final = 100
_OFTEN: Final = 6
"""What is short is disturbed more when it is: it is tried more often."""
_WAVES: Final = 3
_TRIES: Final = 5
_IN_A_ROW: Final = 8
_FACTS: Final = 40
CHECKED: Final = ((1, 5), (1, 20), (2, 20), (4, 20), (4, 60))
"""So many hosts with so many slots each, of which is seen how much they carry out."""
_LEFT: Final = """
    SELECT SUM(pg_total_relation_size(oid)), pg_current_wal_lsn() - '0/0'
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'aura'::regnamespace
"""

# Of docs/explanation/performance.md: a third of 107 µs for three facts; 1.6 million messages/s.
_TOLD_SEC: Final = 12e-6
_MESSAGE_SEC: Final = 1 / 1_600_000


class Host(NamedTuple):
    """A store on the shared database, and runs for it."""

    store: SqlStore
    new_cid: CidFactory

    async def enqueue(self, count: int) -> None:
        """Queue so many runs, each as a request of its own, all at once."""
        tasklets = [
            Tasklet(self.new_cid(), "bench", "noop", _DEFINITION.digest, time.time())
            for _ in range(count)
        ]
        await asyncio.gather(
            *(self.store.runs.enqueue((each,), (_DEFINITION,)) for each in tasklets)
        )

    async def claim(self, count: int) -> Sequence[Tasklet]:
        """Claim as many, or as many as there are."""
        return await self.store.queue.claim(["host/worker-1"] * count)

    async def end(self, tasklets: Sequence[Tasklet]) -> None:
        """Let them succeed, with one step each."""
        now = time.time()
        steps = [
            StepRecord(each.cid, each.attempt, "it", "success", now, now, 1) for each in tasklets
        ]
        outcomes = [
            Outcome(each.cid, each.attempt, RunEvent.SUCCEED, now, b"null") for each in tasklets
        ]
        await self.store.runs.finish(outcomes, steps)

    async def log(self, count: int) -> None:
        """Keep so many lines."""
        line = LogLine(
            time.time(), LogLevel.INFO, "bench", "a line of a usual length, more or less"
        )
        line = msgspec.structs.replace(
            line, cid=self.new_cid(), plan_name="bench", task_name="noop", step="it", attempt=1
        )
        await self.store.logs.append([line] * count)


@asynccontextmanager
async def hosts(*urls: DatabaseUrl) -> AsyncIterator[list[Host]]:
    """A store at each address, as servers have them."""
    clock = SystemClock()

    def publish(_: RunChanged) -> None:
        """Nobody listens here."""

    async with AsyncExitStack() as stack:
        opened = []
        for number, url in enumerate(urls):
            store = await open_postgres(url, publish=publish, clock=clock, name=f"host-{number}")
            stack.push_async_callback(store.aclose)
            opened.append(Host(store, CidFactory(clock)))
        yield opened


class Stopwatch:
    """Times transactions of one host, each after one of another host, and keeps the least."""

    def __init__(self, timed: Host, other: Host) -> None:
        self._timed = timed
        self._other = other
        self._least: dict[tuple[str, int], float] = {}

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The least of each kind and size."""
        return tuple(Sample(kind, count, sec) for (kind, count), sec in self._least.items())

    def line(self, kind: str) -> Line:
        """What a kind costs."""
        return fitted([sample for sample in self.samples if sample.kind == kind])

    async def round(self, count: int) -> None:
        """Time each kind once, with so many operations."""
        host = self._timed
        await self._time("look", 0, lambda: host.claim(1))
        await self._time("enqueue", count, lambda: host.enqueue(count))
        first = await self._time("claim", count, lambda: host.claim(count))
        await host.enqueue(count)
        _, second = await self._time(
            "swap", count, lambda: asyncio.gather(host.end(first), host.claim(count))
        )
        await self._time("end", count, lambda: host.end(second))
        await self._time("lines", count, lambda: host.log(count))

    async def _time(self, kind: str, count: int, transaction: Callable[[], Awaitable[T]]) -> T:
        # So that this one has to learn what has changed: nothing, as it is.
        await self._other.store.queue.resume("nobody")
        commits = self._timed.store.commits
        began = time.perf_counter()
        answer = await transaction()
        taken = time.perf_counter() - began
        if self._timed.store.commits != commits + 1:
            raise RuntimeError(f"{kind}: this was not one transaction")
        self._least[kind, count] = min(taken, self._least.get((kind, count), taken))
        return answer


def measure(rounds: int) -> Measured:
    """All of it; other work on the machine makes it longer, and the figures little worse."""
    load = os.getloadavg()[0]
    with server() as there:
        near = asyncio.run(_timed(there.database(), rounds, SIZES))
        far = asyncio.run(_far(there.database(), max(3, rounds // 4)))
        run, line = asyncio.run(_sizes(there.database()))
        checks = [asyncio.run(_carried_out(there, hosts, slots)) for hosts, slots in CHECKED]
    conditions = (
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load average {load:.0f}"
    )
    return Measured(conditions, _costs(near, far), near.samples, run, line, tuple(checks))


def _costs(near: Stopwatch, far: Stopwatch) -> Costs:
    """What the model counts with: the fixed part is that of the turn which a busy host repeats,
    in which runs end and others are claimed.
    """
    swap, claim, end = near.line("swap"), near.line("claim"), near.line("end")
    share = claim.each / (claim.each + end.each)
    least = {(each.kind, each.count): each.sec for each in near.samples}
    trips = [
        (each.sec - least[each.kind, each.count]) / (2 * _FAR_SEC)
        for each in far.samples
        if each.kind == "swap"
    ]
    return Costs(
        turn_sec=swap.fixed,
        round_trips=round(min(trips)),
        enqueue_sec=near.line("enqueue").each,
        claim_sec=swap.each * share,
        end_sec=swap.each * (1 - share),
        line_sec=near.line("lines").each,
        hear_sec=_TOLD_SEC + _decoded_sec(),
        message_sec=_MESSAGE_SEC,
    )


async def _timed(url: DatabaseUrl, rounds: int, sizes: Sequence[int]) -> Stopwatch:
    async with hosts(url, url) as (timed, other):
        stopwatch = Stopwatch(timed, other)
        for _ in range(rounds):
            for count in sizes:
                for _ in range(_OFTEN if count < _AT_ONCE else 1):
                    await stopwatch.round(count)
    return stopwatch


async def _far(url: DatabaseUrl, rounds: int) -> Stopwatch:
    async with far_away(url, _FAR_SEC) as far, hosts(far, url) as (timed, other):
        stopwatch = Stopwatch(timed, other)
        for _ in range(rounds):
            for count in SIZES[:2]:
                await stopwatch.round(count)
    return stopwatch


async def _sizes(url: DatabaseUrl) -> tuple[Size, Size]:
    """What a run and a line leave: of those after the first, which have tables in use already."""
    connection = await psycopg.AsyncConnection.connect(url.secret, autocommit=True)
    async with connection, hosts(url) as (host,):

        async def left() -> tuple[float, float]:
            await connection.execute("VACUUM")
            ((stored, logged),) = await (await connection.execute(_LEFT)).fetchall()
            return float(stored), float(logged)

        async def size(wave: Callable[[], Awaitable[None]]) -> Size:
            await wave()
            stored, logged = await left()
            for _ in range(_WAVES):
                await wave()
            stored_then, logged_then = await left()
            count = _WAVES * _BULK
            return Size((stored_then - stored) / count, (logged_then - logged) / count)

        async def runs() -> None:
            for _ in range(_BULK // _AT_ONCE):
                await host.enqueue(_AT_ONCE)
                await host.end(await host.claim(_AT_ONCE))

        async def lines() -> None:
            for _ in range(_BULK // _AT_ONCE):
                await host.log(_AT_ONCE)

        return await size(runs), await size(lines)


async def _carried_out(there: Server, count: int, slots: int) -> Check:
    """So many hosts carry out runs that take no time: the best that so many transactions in a row
    have given, as costs are the least; only those count in which all slots were used.
    """
    url = there.database()
    async with hosts(*[url] * count) as fleet:
        done_at: list[float] = []

        async def carry_out(host: Host) -> None:
            running = await host.claim(slots)
            while running:
                was_full = len(running) == slots
                _, running = await asyncio.gather(host.end(running), host.claim(slots))
                if was_full and len(running) == slots:
                    done_at.append(time.perf_counter())

        best = 0.0
        for _ in range(_TRIES):
            done_at.clear()
            for _ in range(_BULK // _AT_ONCE):
                await fleet[0].enqueue(_AT_ONCE)
            await asyncio.gather(*map(carry_out, fleet))
            for first, last in zip(done_at, done_at[_IN_A_ROW:], strict=False):
                best = max(best, slots * _IN_A_ROW / (last - first))
    return Check(count, slots, best)


def _decoded_sec() -> float:
    """What it costs to read a fact in a notice."""
    fact = RunChanged("0" * 26, RunState.QUEUED, RunState.RUNNING, 1, time.time())
    (text,) = (
        each.partition("'")[2].rpartition("'")[0]
        for each in notices("host-1", News((fact,) * _FACTS)).split("; ")
        if each
    )
    return min(timeit.repeat(lambda: heard(text), number=100, repeat=20)) / (100 * _FACTS)
