"""`QueueStore`: order, claims, delays, priorities, positions, the list.

Imports aura_aio.model and the fixtures.
"""

import asyncio

import msgspec
import pytest

from aura_aio.model.cursors import encode_cursor
from aura_aio.model.errors import BadCursor, NotQueued, RunNotFound
from aura_aio.model.fleet import HostStatus, worker_name
from aura_aio.model.origin import FromSchedule, encode_origin
from aura_aio.model.queue_store import Position
from aura_aio.model.run import CancelRequest, Limit, OnCrash, RunChanged, Tasklet
from aura_aio.model.states import RunState
from aura_aio.model.trace import TraceContext
from tests.store.opened import Opened


async def listed(opened: Opened, *, delayed: bool = False, limit: int = 2) -> list[tuple[int, str]]:
    """The whole list, read page by page: positions and cids."""
    found: list[tuple[int, str]] = []
    cursor = None
    while True:
        page = await opened.store.queue.list_queue(delayed=delayed, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += [(position, run.cid) for position, run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_a_claimed_tasklet_is_the_one_that_was_queued(opened: Opened) -> None:
    tasklet = opened.tasklet(
        priority=3,
        timeout_sec=9.0,
        on_crash=OnCrash.RESUME,
        labels={"a": "b"},
        run_at=opened.clock.now() - 5,
        limits=(Limit("mutex:site", 1), Limit("resource:disk", 2)),
        parent_cid=opened.tasklet().cid,
        depth=2,
        origin=encode_origin(FromSchedule("nightly", 7.0)),
        sealed=b"sealed",
        retry_of=opened.tasklet().cid,
        trace=TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b"),
        plan_digest="p",
    )
    own = {"attempt", "state", "callback_url", "has_spans"}  # of the store, the plan, the server
    for field in msgspec.structs.fields(Tasklet):
        assert field.name in own or getattr(tasklet, field.name) != field.default
    cid = await opened.enqueue(
        **{name: getattr(tasklet, name) for name in tasklet.__struct_fields__}
    )
    opened.clock.seconds += 2
    assert await opened.store.queue.claim(["w7"]) == (tasklet,)
    run = await opened.run(cid)
    assert (run.state, run.worker, run.started_at) == (
        RunState.RUNNING,
        "w7",
        opened.clock.now(),
    )
    assert opened.facts[-1] == RunChanged(
        cid, RunState.QUEUED, RunState.RUNNING, 1, opened.clock.now()
    )


async def test_runs_are_claimed_by_priority_then_arrival(opened: Opened) -> None:
    priorities = [0, -100, 100, 0, 7, 100, -1]
    cids = [await opened.enqueue(priority=priority) for priority in priorities]
    order = sorted(zip(priorities, cids, strict=True), key=lambda each: (-each[0], each[1]))
    expected = [cid for _, cid in order]
    assert await listed(opened) == list(enumerate(expected, 1))
    assert await opened.claim(3) + await opened.claim(1) + await opened.claim(9) == expected
    assert await opened.claim() == []


async def test_workers_and_tasklets_go_together_in_order(opened: Opened) -> None:
    cids = await opened.enqueue_many(2)
    tasklets = await opened.store.queue.claim(["a", "a", "b"])
    assert [tasklet.cid for tasklet in tasklets] == cids
    assert [(await opened.run(cid)).worker for cid in cids] == ["a", "a"]
    assert await opened.store.queue.claim([]) == ()


async def test_a_run_is_never_handed_out_twice(opened: Opened) -> None:
    cids = await opened.enqueue_many(200)
    claims = await asyncio.gather(*(opened.claim(7) for _ in range(40)))
    claimed = [cid for claim in claims for cid in claim]
    assert sorted(claimed) == cids


async def test_a_delayed_run_joins_the_queue_when_it_is_due(opened: Opened) -> None:
    late = await opened.enqueue(priority=100, delay_sec=30)
    soon = await opened.enqueue(delay_sec=20)
    ready = await opened.enqueue(priority=-5)
    assert await opened.store.queue.next_due() == opened.clock.now() + 20
    assert await opened.claim() == [ready]
    assert await opened.claim() == []
    opened.clock.seconds += 20
    assert await opened.claim() == [soon]
    assert await opened.store.queue.next_due() == opened.clock.now() + 10
    opened.clock.seconds += 10
    behind = await opened.enqueue()
    assert await opened.claim(9) == [late, behind]
    assert await opened.store.queue.next_due() is None


async def test_any_number_of_delayed_runs_can_be_due_at_once(opened: Opened) -> None:
    cids = await opened.enqueue_many(2_500, delay_sec=20)
    first = await opened.enqueue(priority=1, delay_sec=21)
    opened.clock.seconds += 21
    assert await opened.claim(3) == [first, *cids[:2]]
    assert (await opened.store.queue.counts()).ready == 2_498


@pytest.mark.parametrize("delay_sec", [-10, 0])
async def test_a_run_that_was_due_when_it_came_is_not_delayed(
    opened: Opened, delay_sec: float
) -> None:
    cid = await opened.enqueue(delay_sec=delay_sec)
    assert await opened.store.queue.next_due() is None
    assert opened.changes(cid) == [(None, RunState.QUEUED)]
    opened.clock.seconds += 3
    assert await opened.claim() == [cid]
    # It was not ready before it was there.
    assert (await opened.store.queue.counts()).avg_wait_sec == 3.0


async def test_what_is_due_is_seen_as_ready_though_nobody_claims(opened: Opened) -> None:
    cid = await opened.enqueue(delay_sec=20)
    run = await opened.run(cid)
    assert await opened.store.queue.position(run) == Position(0, opened.clock.now() + 20)
    assert await listed(opened, delayed=True) == [(1, cid)]
    opened.clock.seconds += 20
    before = len(opened.facts)
    assert await opened.store.queue.position(run) == Position(0, None)
    assert opened.facts[before:] == [
        RunChanged(cid, RunState.QUEUED, RunState.QUEUED, 1, opened.clock.now())
    ]
    counts = await opened.store.queue.counts()
    assert (counts.ready, counts.delayed) == (1, 0)
    assert counts.oldest_ready_at == opened.clock.now()
    assert await listed(opened, delayed=True) == []
    assert await listed(opened) == [(1, cid)]
    assert len(opened.facts) == before + 1


async def test_another_priority_moves_a_run_behind_earlier_ones(opened: Opened) -> None:
    low, high, moved, later = [await opened.enqueue(priority=priority) for priority in (0, 5, 0, 5)]
    run = await opened.store.queue.set_priority(moved, 5)
    assert (run.cid, run.priority, run.state) == (moved, 5, RunState.QUEUED)
    assert await opened.claim(9) == [high, moved, later, low]


async def test_a_delayed_run_takes_its_new_priority_along(opened: Opened) -> None:
    delayed = await opened.enqueue(delay_sec=20)
    ready = await opened.enqueue(priority=5)
    await opened.store.queue.set_priority(delayed, 6)
    opened.clock.seconds += 20
    assert await opened.claim(9) == [delayed, ready]


async def test_only_queued_runs_change_their_priority(opened: Opened) -> None:
    cid = await opened.start()
    with pytest.raises(NotQueued) as caught:
        await opened.store.queue.set_priority(cid, 5)
    assert (caught.value.cid, caught.value.state) == (cid, "running")
    assert (await opened.run(cid)).priority == 0
    with pytest.raises(RunNotFound):
        await opened.store.queue.set_priority("none", 5)


async def test_a_position_counts_the_ready_runs_ahead(opened: Opened) -> None:
    middle = await opened.enqueue_many(5)
    top = await opened.enqueue_many(3, priority=9, plan_name="other")
    await opened.enqueue_many(4, priority=-9)
    await opened.enqueue_many(2, priority=99, delay_sec=60)
    for cids, offset in ((top, 0), (middle, 3)):
        for index, cid in enumerate(cids):
            position = await opened.store.queue.position(await opened.run(cid))
            assert position == Position(ahead=offset + index, delayed_until=None)
    await opened.claim(4)
    assert (await opened.store.queue.position(await opened.run(middle[4]))).ahead == 3


async def test_a_run_that_is_not_queued_any_more_has_nothing_ahead(opened: Opened) -> None:
    run = await opened.run(await opened.enqueue())
    await opened.claim()
    await opened.enqueue_many(3, priority=9)
    assert await opened.store.queue.position(run) == Position(0, None)


async def test_a_position_far_behind_is_a_lower_bound(opened: Opened) -> None:
    cids = [cid for _ in range(11) for cid in await opened.enqueue_many(1_000)]
    await opened.enqueue(priority=1)
    for index, expected in [
        (9_999, Position(ahead=10_000, delayed_until=None)),
        (10_999, Position(ahead=10_001, delayed_until=None, exact=False)),
    ]:
        assert await opened.store.queue.position(await opened.run(cids[index])) == expected


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
async def test_the_list_is_the_dispatch_order_with_positions(opened: Opened, limit: int) -> None:
    for priority in (0, 5, -5, 5, 0, 0, 7):
        await opened.enqueue_many(2, priority=priority)
    found = await listed(opened, limit=limit)
    assert [position for position, _ in found] == list(range(1, 15))
    assert [cid for _, cid in found] == await opened.claim(14)


async def test_the_list_goes_on_while_runs_come_and_go(opened: Opened) -> None:
    cids = await opened.enqueue_many(6)
    page = await opened.store.queue.list_queue(delayed=False, limit=3, cursor=None)
    assert await opened.claim(4) == cids[:4]
    await opened.enqueue(priority=9)
    last = await opened.enqueue(priority=-9)
    rest = await opened.store.queue.list_queue(delayed=False, limit=9, cursor=page.next_cursor)
    assert [run.cid for _, run in rest.items] == [*cids[4:], last]
    assert [position for position, _ in rest.items] == [4, 5, 6]


async def test_delayed_runs_are_listed_by_the_time_they_are_due(opened: Opened) -> None:
    cids = [
        await opened.enqueue(delay_sec=delay, priority=priority)
        for delay, priority in ((30, 9), (10, 0), (20, 0), (10, 9))
    ]
    await opened.enqueue()
    expected = [cids[1], cids[3], cids[2], cids[0]]
    assert await listed(opened, delayed=True, limit=1) == list(enumerate(expected, 1))
    page = await opened.store.queue.list_queue(delayed=True, limit=4, cursor=None)
    assert (len(page.items), page.next_cursor) == (4, None)
    assert {(run.inputs, run.state) for _, run in page.items} == {(None, RunState.QUEUED)}


@pytest.mark.parametrize("delayed", [False, True])
async def test_a_cursor_of_another_list_is_refused(opened: Opened, delayed: bool) -> None:
    await opened.enqueue_many(3, delay_sec=60)
    await opened.enqueue_many(3)
    other = await opened.store.queue.list_queue(delayed=not delayed, limit=1, cursor=None)
    for cursor in (other.next_cursor, "x", encode_cursor("runs", "a")):
        assert cursor is not None
        with pytest.raises(BadCursor):
            await opened.store.queue.list_queue(delayed=delayed, limit=1, cursor=cursor)


async def test_a_cancelled_run_leaves_the_queue(opened: Opened) -> None:
    cids = await opened.enqueue_many(3)
    await opened.store.runs.request_cancel(cids[0], CancelRequest(0.0))
    assert await listed(opened) == [(1, cids[1]), (2, cids[2])]


async def test_a_host_claims_runs_of_the_plans_that_it_has_and_others_wait(
    opened: Opened,
) -> None:
    other = await opened.enqueue(plan_name="other")
    mine = [await opened.enqueue(), await opened.enqueue(limits=(Limit("a", 1),))]
    queue, worker = opened.store.queue, worker_name("host", 1)
    assert await queue.claim([worker], None, {"hello": ""}) == ()  # of whom nobody knows
    await opened.store.fleet.join("host", HostStatus(), may_lead=True)
    assert await queue.claim([worker], None, {"third": ""}) == ()
    claimed = await queue.claim([worker] * 3, None, {"hello": ""})
    assert sorted(tasklet.cid for tasklet in claimed) == sorted(mine)
    assert await queue.claim([worker], [other], {"hello": ""}) == ()
    assert [tasklet.cid for tasklet in await queue.claim([worker], None, {"other": ""})] == [other]


async def test_a_run_of_a_plan_that_is_not_there_is_not_claimed_as_it_comes(
    opened: Opened,
) -> None:
    await opened.store.fleet.join("host", HostStatus(), may_lead=True)
    queue, worker = opened.store.queue, worker_name("host", 1)
    cid, claimed = await asyncio.gather(
        opened.enqueue(plan_name="other"), queue.claim([worker], None, {"hello": ""})
    )
    assert claimed == ()
    assert (await opened.run(cid)).state is RunState.QUEUED


async def test_a_run_that_an_event_has_started_waits_for_its_turn(opened: Opened) -> None:
    """Only children go before others, the deeper the sooner: who waits for them holds a slot."""
    first, by_event = await opened.enqueue(), await opened.enqueue(depth=3)
    assert await opened.claim(9) == [first, by_event]


async def test_what_is_not_paused_is_resumed_all_the_same(opened: Opened) -> None:
    cid = await opened.enqueue()
    await opened.store.queue.resume("hello")
    await opened.store.queue.resume("")  # everything
    assert await opened.store.queue.pauses() == {}
    assert await opened.claim() == [cid]
