"""`QueueStore.claim` within limits: what holds a place, what is passed over, what goes first.

Imports aura_aio.model and the fixtures. Which runs start in any situation is tested in
tests/unit/model/test_lanes.py and, through the store, by the storm of test_figures.py.
"""

from collections.abc import Awaitable, Callable

import pytest

from aura_aio.model.limits import limits_of_child
from aura_aio.model.queue_store import Holder, Position
from aura_aio.model.run import CancelRequest, Limit, OnCrash, RunChanged
from aura_aio.model.states import RunEvent, RunState
from tests.store.opened import Opened

SITE = Limit("mutex:site", 1)
DISK = Limit("resource:disk", 1)
API = Limit("resource:api", 3)


async def test_one_at_a_time_in_order(opened: Opened) -> None:
    cids = await opened.enqueue_many(3, limits=(SITE,))
    for cid in cids:
        assert await opened.claim(9) == [cid]
        assert await opened.claim(9) == []
        await opened.end(cid)
    assert await opened.claim(9) == []


async def test_as_many_as_the_number_says(opened: Opened) -> None:
    cids = await opened.enqueue_many(5, limits=(API,))
    assert await opened.claim(9) == cids[:3]
    assert await opened.claim(9) == []
    await opened.end(cids[1])
    assert await opened.claim(9) == cids[3:4]


async def test_a_tasklet_carries_its_limits(opened: Opened) -> None:
    await opened.enqueue(limits=(SITE, API))
    (tasklet,) = await opened.store.queue.claim(["w1"])
    assert tasklet.limits == (SITE, API)


async def test_what_waits_is_passed_over(opened: Opened) -> None:
    blocked = await opened.enqueue_many(3, priority=9, limits=(SITE,))
    free = [await opened.enqueue(priority=5), await opened.enqueue(limits=(DISK,))]
    last = await opened.enqueue(priority=-9)
    assert await opened.claim(3) == [blocked[0], *free]
    assert await opened.claim(9) == [last]


async def test_lanes_are_merged_in_the_order_of_the_queue(opened: Opened) -> None:
    limits = [(), (API,), (), (DISK,), (API,), (API, DISK), (), (API,)]
    cids = [await opened.enqueue(limits=each) for each in limits]
    top = await opened.enqueue(priority=1, limits=(API,))
    # DISK is taken, so the sixth waits, and keeps the last place of API; the eighth waits for it.
    assert await opened.claim(4) == [top, *cids[:3]]
    assert await opened.claim(9) == [cids[3], cids[4], cids[6]]
    await opened.end(cids[3])
    assert await opened.claim(9) == []
    await opened.end(top)
    assert await opened.claim(9) == [cids[5]]


async def test_a_run_that_waits_is_not_overtaken_on_what_it_needs(opened: Opened) -> None:
    holder = await opened.start(limits=(SITE,))
    first = await opened.enqueue(priority=9, limits=(SITE, DISK))
    others = await opened.enqueue_many(2, limits=(DISK,))
    assert await opened.claim(9) == []
    await opened.end(holder)
    assert await opened.claim(9) == [first]
    await opened.end(first)
    assert await opened.claim(9) == others[:1]


async def test_those_that_wait_for_the_same_keep_one_place_whatever_their_plans(
    opened: Opened,
) -> None:
    two = Limit("resource:api", 2)
    await opened.start(limits=(SITE,))
    for plan_name in ("p", "q"):
        await opened.enqueue(plan_name=plan_name, priority=9, limits=(SITE, two))
    free = await opened.enqueue(limits=(two,))
    assert await opened.claim(9) == [free]


async def test_the_smallest_number_for_a_resource_counts(opened: Opened) -> None:
    many = await opened.enqueue_many(3, limits=(API,))
    few = await opened.enqueue(priority=1, limits=(Limit("resource:api", 2),))
    assert await opened.claim(9) == [few, many[0]]
    await opened.end(few)
    assert await opened.claim(9) == many[1:]


async def finished(opened: Opened, cid: str) -> None:
    """Its Runner reports its end."""
    await opened.end(cid, RunEvent.FAIL)


async def lost(opened: Opened, cid: str) -> None:
    """Its worker is gone."""
    await opened.store.runs.lose([(cid, 1)], reason="Gone.")


async def cancelled(opened: Opened, cid: str) -> None:
    """It is asked to end, and ends."""
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert await opened.claim(9) == []  # it still runs
    await opened.end(cid, RunEvent.STOPPED)


async def recovered(opened: Opened, cid: str) -> None:
    """The server ends and starts again."""
    await opened.reopen()
    assert await opened.claim(9) == []
    await opened.store.runs.recover()


@pytest.mark.parametrize("end", [finished, lost, cancelled, recovered])
async def test_a_place_comes_back_when_the_run_does_not_run_any_more(
    opened: Opened, end: Callable[[Opened, str], Awaitable[None]]
) -> None:
    holder = await opened.start(limits=(SITE, API))
    waiting = await opened.enqueue(limits=(SITE,))
    assert await opened.claim(9) == []
    await end(opened, holder)
    assert await opened.claim(9) == [waiting]


async def test_a_run_that_is_queued_again_holds_nothing_and_goes_first(opened: Opened) -> None:
    holder = await opened.start(limits=(SITE,), on_crash=OnCrash.RESTART)
    waiting = await opened.enqueue(limits=(SITE,))
    await lost(opened, holder)
    assert await opened.store.queue.holders() == ()
    assert await opened.claim(9) == [holder]
    await opened.store.runs.finish([opened.outcome(holder, attempt=2)])
    assert await opened.claim(9) == [waiting]


async def test_a_delayed_run_holds_nobody_up_until_it_is_due(opened: Opened) -> None:
    delayed = await opened.enqueue(priority=9, delay_sec=20, limits=(SITE,))
    now = await opened.start(limits=(SITE,))
    await opened.end(now)
    later = await opened.enqueue(limits=(SITE,))
    opened.clock.seconds += 20
    assert await opened.claim(9) == [delayed]
    await opened.end(delayed)
    assert await opened.claim(9) == [later]


async def test_who_goes_first_in_a_lane_changes_with_the_priority(opened: Opened) -> None:
    cids = await opened.enqueue_many(3, limits=(SITE,))
    await opened.store.queue.set_priority(cids[2], 5)
    await opened.store.queue.set_priority(cids[0], -5)
    for cid in (cids[2], cids[1], cids[0]):
        assert await opened.claim(9) == [cid]
        await opened.end(cid)


async def test_another_priority_is_a_fact_because_others_may_start_now(opened: Opened) -> None:
    await opened.start(limits=(SITE,))
    first = await opened.enqueue(priority=9, limits=(SITE, DISK))
    other = await opened.enqueue(limits=(DISK,))
    assert await opened.claim(9) == []
    opened.clock.seconds += 5
    await opened.store.queue.set_priority(first, -9)
    assert opened.facts[-1] == RunChanged(
        first, RunState.QUEUED, RunState.QUEUED, 1, opened.clock.now()
    )
    assert await opened.claim(9) == [other]


async def test_a_child_of_a_holder_is_found_behind_those_that_wait_for_the_holder(
    opened: Opened,
) -> None:
    parent = await opened.enqueue(limits=(SITE,))
    assert await opened.claim(9) == [parent]
    waiting = await opened.enqueue(priority=9, limits=(SITE, DISK))
    behind = await opened.enqueue_many(3, priority=5, limits=(DISK,))
    child = await opened.enqueue(limits=limits_of_child((DISK,), [(parent, (SITE,))]))
    assert await opened.claim(9) == [child]
    assert await opened.claim(9) == []
    for cid in (child, parent):
        await opened.end(cid)
    assert await opened.claim(9) == [waiting]
    await opened.end(waiting)
    assert await opened.claim(9) == behind[:1]


async def test_a_run_that_waited_and_is_cancelled_keeps_nothing(opened: Opened) -> None:
    await opened.start(limits=(SITE,))
    first = await opened.enqueue(priority=9, limits=(SITE, DISK))
    other = await opened.enqueue(limits=(DISK,))
    await opened.store.runs.request_cancel(first, CancelRequest(0.0))
    assert await opened.claim(9) == [other]


async def test_list_and_positions_are_those_of_the_whole_queue(opened: Opened) -> None:
    limits = [(), (SITE,), (SITE,), (), (API,)]
    cids = [
        await opened.enqueue(priority=priority, limits=each)
        for priority in (5, 0)
        for each in limits
    ]
    found = []
    cursor = None
    while True:
        page = await opened.store.queue.list_queue(delayed=False, limit=3, cursor=cursor)
        found += [(position, run.cid, run.limits) for position, run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [
        (number, cid, each)
        for number, cid, each in zip(range(1, 11), cids, limits * 2, strict=True)
    ]
    for index, cid in enumerate(cids):
        assert await opened.store.queue.position(await opened.run(cid)) == Position(index, None)


async def test_who_holds_what_in_the_order_of_the_start(opened: Opened) -> None:
    assert await opened.store.queue.holders() == ()
    started = [await opened.start(limits=(API,))]
    await opened.start()
    opened.clock.seconds += 5
    started.append(await opened.start(limits=(API, DISK)))
    await opened.store.runs.request_cancel(started[0], CancelRequest(0.0))
    await opened.enqueue(limits=(SITE,))
    now = opened.clock.now()
    assert await opened.store.queue.holders() == (
        Holder(started[0], (API,), now - 5),
        Holder(started[1], (API, DISK), now),
    )
    await opened.end(started[0])
    assert [holder.cid for holder in await opened.store.queue.holders()] == started[1:]
