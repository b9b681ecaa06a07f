"""What is done to many runs at once takes no more statements than what is done to some.

Imports aura_aio.store, psycopg and pytest. What is counted is what the writer's connection sends.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from aura_aio.model.event import EventFilter
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.ports import Publish
from aura_aio.model.run import CancelRequest, StepRecord
from aura_aio.model.states import RunEvent
from aura_aio.store.relational.store import Parts, Rules, SqlStore
from tests.postgres_server import clean_database, connected
from tests.store.opened import ManualClock, Opened, Store

psycopg = pytest.importorskip("psycopg")

SOME, MANY = 8, 24


class Watched(Opened):
    """A store; what its writer sends is written into `file`, as libpq tells it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(self._opened)
        self._file = file

    async def _opened(self, *, publish: Publish, clock: ManualClock, **settings: Any) -> Store:
        parts = await asyncio.to_thread(self._parts, clock)
        return SqlStore(parts, publish, Rules(**settings))

    def _parts(self, clock: ManualClock) -> Parts:
        from aura_aio.store.postgres.database import PostgresDatabase  # noqa: PLC0415 - as psycopg

        self._url = clean_database()
        database = PostgresDatabase(self._url, name="")
        self._libpq = database.writer.raw.pgconn
        return Parts(database, database, clock)

    async def sent(self, operation: Callable[[], Awaitable[Any]]) -> int:
        """How many statements `operation` sends, which is one transaction. As others may use the
        same server meanwhile, somebody always does before: then it learns what they have changed.
        """
        await asyncio.to_thread(self._use_a_number)
        self._libpq.trace(self._file.fileno())
        await operation()
        self._libpq.untrace()
        return await asyncio.to_thread(self._read)

    def _use_a_number(self) -> None:
        with closing(connected(self._url)) as connection:
            connection.execute("SELECT pg_current_xact_id()")

    def _read(self) -> int:
        """A line for each message: when, whose (F: ours), how long, what."""
        self._file.seek(0)
        lines = [line.split(b"\t") for line in self._file]
        self._file.truncate(0)
        self._file.seek(0)
        messages = [line[3].strip() for line in lines if len(line) > 3 and line[1] == b"F"]
        return messages.count(b"Execute") + messages.count(b"Query")

    async def started(self, count: int, **changes: Any) -> list[str]:
        """So many runs that have begun."""
        await self.enqueue_many(count, **changes)
        return await self.claim(count)


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[BinaryIO]:
    """An empty file."""
    with (tmp_path / "trace").open("w+b", buffering=0) as file:
        yield file


@pytest.fixture
async def watched(trace: BinaryIO) -> AsyncIterator[Watched]:
    """A new store."""
    watched = Watched(trace)
    await watched.open()
    yield watched
    await watched.close()


Prepared = Callable[[], Awaitable[Any]]


async def queue(watched: Watched, count: int) -> Prepared:
    return lambda: watched.enqueue_many(count)


async def claim(watched: Watched, count: int) -> Prepared:
    await watched.enqueue_many(count)
    return lambda: watched.claim(count)


async def join(watched: Watched, count: int) -> Prepared:
    await watched.enqueue_many(count, delay_sec=5)
    watched.clock.seconds += 10
    return lambda: watched.claim(count)


async def end(watched: Watched, count: int) -> Prepared:
    """Each with a step, an event and a callback."""
    watched.store.events.listen([EventFilter()])
    cids = await watched.started(count, callback_url="http://localhost/")
    now = watched.clock.now()
    steps = [StepRecord(cid, 1, "greet", "success", now, now, 1) for cid in cids]
    return lambda: watched.store.runs.finish([watched.outcome(cid) for cid in cids], steps)


async def fail(watched: Watched, count: int) -> Prepared:
    """With two children each, which end with them."""
    cids = await watched.started(count)
    for cid in cids:
        await watched.enqueue_many(2, parent_cid=cid, depth=1)
    outcomes = [watched.outcome(cid, RunEvent.FAIL) for cid in cids]
    return lambda: watched.store.runs.finish(outcomes)


async def lose(watched: Watched, count: int) -> Prepared:
    cids = await watched.started(count)
    return lambda: watched.store.runs.lose([(cid, 1) for cid in cids], reason="it is gone")


async def lose_for_good(watched: Watched, count: int) -> Prepared:
    cids = await watched.started(count)
    return lambda: watched.store.runs.lose([(cid, 1) for cid in cids], reason="", retry=False)


async def cancel(watched: Watched, count: int) -> Prepared:
    cids = [*await watched.started(count // 2), *await watched.enqueue_many(count // 2)]
    request = CancelRequest(requested_at=watched.clock.now())
    return lambda: watched.store.runs.request_cancel_each(cids, request, only_queued=False)


async def reorder(watched: Watched, count: int) -> Prepared:
    cids = await watched.enqueue_many(count)
    return lambda: watched.store.queue.reorder(cids[::-1])


async def log(watched: Watched, count: int) -> Prepared:
    line = LogLine(watched.clock.now(), LogLevel.INFO, "hello", "a line")
    return lambda: watched.store.logs.append([line] * count)


async def forget(watched: Watched, count: int) -> Prepared:
    cids = await watched.started(count)
    await watched.store.runs.finish([watched.outcome(cid) for cid in cids])
    watched.clock.seconds += 100
    now = watched.clock.now()

    async def operation() -> None:
        assert (
            await watched.store.retention.forget_runs(ended_before=now, most=None, limit=1_000)
            == count
        )

    return operation


OPERATIONS = (queue, claim, join, end, fail, lose, lose_for_good, cancel, reorder, log, forget)


@pytest.mark.parametrize("prepare", OPERATIONS)
async def test_many_take_no_more_statements_than_some(
    watched: Watched, prepare: Callable[[Watched, int], Awaitable[Prepared]]
) -> None:
    # The first asks for the types of values, as well.
    _, some, many = [
        await watched.sent(await prepare(watched, count)) for count in (SOME, SOME, MANY)
    ]
    assert some == many
