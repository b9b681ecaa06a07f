"""Every store: runs that are queued and claimed in one transaction are what they would be in two.

Imports aura_aio.model and the fixtures.
"""

import asyncio
from collections.abc import Sequence

import pytest

from aura_aio.model.run import Limit, Tasklet
from aura_aio.model.states import RunState
from aura_aio.model.trace import TraceContext
from aura_aio.store.relational.store import SqlStore
from tests.store.opened import DEFINITION, Opened

MUTEX = (Limit("mutex:site", 1),)


async def together(
    opened: Opened, tasklets: Sequence[Tasklet], workers: int
) -> tuple[Tasklet, ...]:
    """Queue runs one by one, and claim for so many workers, all in one transaction."""
    before = opened.store.commits
    names = [f"w{number}" for number in range(1, workers + 1)]
    async with asyncio.TaskGroup() as group:
        for tasklet in tasklets:
            group.create_task(opened.store.runs.enqueue((tasklet,), (DEFINITION,)))
        claimed = group.create_task(opened.store.queue.claim(names))
    assert opened.store.commits == before + 1
    return claimed.result()


async def test_it_is_the_same_run(opened: Opened) -> None:
    tasklet = opened.tasklet(
        priority=3,
        timeout_sec=9.0,
        labels={"a": "b"},
        run_at=opened.clock.now() - 5,
        depth=2,
        sealed=b"sealed",
        retry_of=opened.tasklet().cid,
        trace=TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b"),
        plan_digest="p",
    )
    assert await together(opened, [tasklet], workers=2) == (tasklet,)
    queued, running = RunState.QUEUED, RunState.RUNNING
    assert opened.changes(tasklet.cid) == [(None, queued), (queued, running)]
    assert [(fact.attempt, fact.at) for fact in opened.facts] == [(1, tasklet.accepted_at)] * 2
    counts = await opened.store.queue.counts()
    assert (counts.ready, counts.delayed, counts.running) == (0, 0, 1)
    in_two = await opened.start(**{name: getattr(tasklet, name) for name in ("priority", "labels")})
    seen, other = await opened.run(tasklet.cid), await opened.run(in_two)
    assert (seen.state, seen.worker, seen.started_at) == (other.state, other.worker, 1_769_860_800)
    assert (seen.attempt, seen.rank, seen.arrival) == (1, other.rank, seen.cid)
    await opened.reopen()
    assert (await opened.run(tasklet.cid)) == seen
    assert await opened.end(tasklet.cid) is RunState.SUCCEEDED


async def test_those_that_go_first_start_and_the_others_wait(opened: Opened) -> None:
    low, first, second, later = (
        opened.tasklet(priority=priority, **more)
        for priority, more in ((0, {}), (5, {}), (5, {}), (9, {"delay_sec": 60.0}))
    )
    assert await together(opened, [low, first, second, later], workers=2) == (first, second)
    assert (await opened.run(second.cid)).worker == "w2"
    assert await opened.claim(3) == [low.cid]
    assert (await opened.run(later.cid)).state is RunState.QUEUED


@pytest.mark.parametrize("priority", [-1, 1])
async def test_who_waits_already_has_its_turn(opened: Opened, priority: int) -> None:
    waiting = await opened.enqueue(priority=priority)
    new = opened.tasklet()
    (started,) = await together(opened, [new], workers=1)
    assert started.cid == (waiting if priority > 0 else new.cid)


async def test_limits_hold(opened: Opened) -> None:
    free = opened.tasklet(priority=-1)
    held = [opened.tasklet(limits=MUTEX) for _ in range(2)]
    started = await together(opened, [*held, free], workers=3)
    assert [tasklet.cid for tasklet in started] == [held[0].cid, free.cid]


async def test_nothing_starts_while_its_plan_is_paused(opened: Opened) -> None:
    await opened.store.queue.pause("hello")
    other = opened.tasklet(plan_name="other")
    assert await together(opened, [opened.tasklet(), other], workers=2) == (other,)


async def test_a_second_claim_of_the_transaction_goes_on(opened: Opened) -> None:
    first, second = opened.tasklet(), opened.tasklet()
    queue = opened.store.queue
    async with asyncio.TaskGroup() as group:
        group.create_task(opened.store.runs.enqueue((first, second), (DEFINITION,)))
        claims = [group.create_task(queue.claim([worker])) for worker in ("w1", "w2", "w3")]
    assert [claim.result() for claim in claims] == [(first,), (second,), ()]


async def test_what_starts_at_once_is_written_at_once(opened: Opened) -> None:
    """As running: it never enters the indexes of the queue."""
    assert isinstance(opened.store, SqlStore)
    queue, writer = opened.store.queue, opened.store._session._database.writer
    await opened.start()  # now the definition is there
    before, first, second = writer.total_changes, opened.tasklet(), opened.tasklet()
    async with asyncio.TaskGroup() as group:
        group.create_task(opened.store.runs.enqueue((first, second), (DEFINITION,)))
        claims = [group.create_task(queue.claim([worker])) for worker in ("w1", "w2")]
    assert [claim.result() for claim in claims] == [(first,), (second,)]
    assert writer.total_changes - before == 3  # two runs, and how many are running


async def test_what_starts_at_once_counts_as_written(opened: Opened) -> None:
    assert isinstance(opened.store, SqlStore)
    writer, written = opened.store._writer, list[int]()

    async def look() -> None:
        written.append(await writer.submit(lambda tx: tx.written))

    async with asyncio.TaskGroup() as group:
        group.create_task(opened.enqueue_many(2))
        group.create_task(look())
        for worker in ("w1", "w2"):
            group.create_task(opened.store.queue.claim([worker]))
            group.create_task(look())
    assert written == [written[0], written[0] + 1, written[0] + 2]


async def test_the_order_is_that_of_the_queue(opened: Opened) -> None:
    assert isinstance(opened.store, SqlStore)
    writer = opened.store._session._database.writer
    parent = await opened.start()
    plain, second, first, high = (opened.tasklet(priority=each) for each in (0, 0, 0, 5))
    first, second = second, first  # in the order of their cids, whichever is queued first
    deep, deeper = (opened.tasklet(parent_cid=parent, depth=depth) for depth in (1, 2))
    before = writer.total_changes
    started = await together(opened, [plain, second, first, deep, deeper, high], workers=6)
    assert started == (high, deeper, deep, plain, first, second)
    assert writer.total_changes - before == 7  # the runs, and how many are running


async def test_who_claims_hears_of_it_before_those_who_have_queued(opened: Opened) -> None:
    heard: list[str] = []

    async def enqueue() -> None:
        await opened.enqueue()
        heard.append("queued")

    async def claim() -> None:
        await opened.claim()
        heard.append("claimed")

    async with asyncio.TaskGroup() as group:
        for each in (enqueue(), enqueue(), claim()):
            group.create_task(each)
    assert heard == ["claimed", "queued", "queued"]
