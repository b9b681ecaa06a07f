"""Every store: where queued runs stand when they are moved; nothing of what is paused starts.

Imports aura_aio.model, pytest and the store of `conftest`.
"""

import pytest

from aura_aio.model.errors import NotQueued, ReorderRejected, RunNotFound
from aura_aio.model.run import CancelRequest, Limit, OnCrash
from aura_aio.model.states import RunState
from tests.store.opened import DEFINITION, Opened

MUTEX = (Limit("mutex:site", 1),)


async def order(opened: Opened) -> list[str]:
    """The ready runs as the list has them."""
    page = await opened.store.queue.list_queue(delayed=False, limit=100, cursor=None)
    assert [position for position, _ in page.items] == list(range(1, len(page.items) + 1))
    for position, run in page.items:
        assert (await opened.store.queue.position(run)).ahead == position - 1
    return [run.cid for _, run in page.items]


async def paged(opened: Opened, limit: int) -> list[str]:
    """The ready runs as pages of the list have them."""
    found: list[str] = []
    cursor = None
    while True:
        page = await opened.store.queue.list_queue(delayed=False, limit=limit, cursor=cursor)
        found += [run.cid for _, run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def claimed(opened: Opened, most: int = 100) -> list[str]:
    """What starts, in order."""
    return [each.cid for each in await opened.store.queue.claim(["w1"] * most)]


async def test_a_run_moves_to_the_front_of_its_priority(opened: Opened) -> None:
    a, b, c = [await opened.enqueue() for _ in range(3)]
    high = await opened.enqueue(priority=1)
    for cid in (a, b, c):
        assert (await opened.store.queue.move_to_front(cid)).state is RunState.QUEUED
        assert opened.changes(cid)[1:] == [(RunState.QUEUED, RunState.QUEUED)]
    assert await order(opened) == [high, c, b, a]
    assert await claimed(opened) == [high, c, b, a]


@pytest.mark.parametrize("limited", [(), (1, 3)], ids=["alike", "some with limits"])
async def test_a_run_moves_to_any_position(opened: Opened, limited: tuple[int, ...]) -> None:
    queue = opened.store.queue
    cids = [
        await opened.enqueue(limits=(Limit("resource:a", 9),) if number in limited else ())
        for number in range(5)
    ]
    await opened.enqueue(priority=-1)
    expected = list(cids)
    for cid, position in [
        (cids[4], 2),
        (cids[0], 4),
        (cids[2], 1),
        (cids[1], 99),
        (cids[4], 3),
    ] * 3:
        await queue.move_to_position(cid, position)
        expected.remove(cid)
        expected.insert(position - 1, cid)
        assert (await order(opened))[:5] == expected
    facts = {(fact.attempt, fact.at) for fact in opened.facts}
    assert facts == {(1, opened.clock.now())}
    later = await opened.enqueue()
    assert (await claimed(opened))[:6] == [*expected, later]


async def test_pages_go_on_where_moved_runs_stand(opened: Opened) -> None:
    cids = [await opened.enqueue() for _ in range(6)]
    await opened.store.queue.move_to_position(cids[5], 2)
    await opened.store.queue.move_to_position(cids[4], 2)
    assert await paged(opened, 2) == [cids[0], cids[4], cids[5], *cids[1:4]]


@pytest.mark.parametrize("limits", [(), MUTEX], ids=["without limits", "with"])
@pytest.mark.parametrize("how", ["due", "moved in time", "handed back"])
async def test_no_two_runs_get_the_same_place(
    opened: Opened, how: str, limits: tuple[Limit, ...]
) -> None:
    queue = opened.store.queue
    a, b, c = [await opened.enqueue(limits=limits) for _ in range(3)]
    moved = [await opened.enqueue(on_crash=OnCrash.RESUME, delay_sec=5) for _ in range(3)]
    for cid in moved:
        await queue.move_to_position(cid, 3)
        if how == "handed back":
            await queue.set_run_at(cid, opened.clock.now())
            assert [each.cid for each in await queue.claim(["w1"], [cid])] == [cid]
    if how == "due":
        opened.clock.seconds += 5
    elif how == "moved in time":
        for cid in moved:
            await queue.set_run_at(cid, opened.clock.now())
    else:
        await opened.store.runs.lose([(cid, 1) for cid in moved], reason="Gone.")
    first, second, *between, last = await order(opened)
    assert (first, second, last) == (a, b, c)
    assert (len(between), set(between)) == (3, set(moved))
    assert await paged(opened, 1) == [a, b, *between, c]


async def test_no_two_runs_are_the_last(opened: Opened) -> None:
    first = await opened.enqueue()
    moved = [await opened.enqueue(delay_sec=5) for _ in range(2)]
    for cid in moved:
        await opened.store.queue.move_to_position(cid, 9)
    opened.clock.seconds += 5
    assert await order(opened) == [first, *moved]
    assert await paged(opened, 1) == [first, *moved]
    last = await opened.enqueue()
    assert await claimed(opened) == [first, *moved, last]


async def test_a_delayed_run_moves_to_the_front_of_those_to_come(opened: Opened) -> None:
    first, second = [await opened.enqueue(delay_sec=5) for _ in range(2)]
    await opened.store.queue.move_to_front(second)
    opened.clock.seconds += 5
    assert await order(opened) == [second, first]


async def test_another_priority_forgets_where_a_run_was_moved(opened: Opened) -> None:
    a, b, c = [await opened.enqueue() for _ in range(3)]
    await opened.store.queue.move_to_front(c)
    await opened.store.queue.set_priority(c, 5)
    await opened.store.queue.set_priority(c, 0)
    assert await order(opened) == [a, b, c]


async def test_a_run_is_inserted_at_its_position_or_not_at_all(opened: Opened) -> None:
    a, b = [await opened.enqueue() for _ in range(2)]
    tasklet = opened.tasklet()
    accepted = await opened.store.queue.insert(tasklet, DEFINITION, position=2)
    assert accepted.cids == (tasklet.cid,)
    assert await order(opened) == [a, tasklet.cid, b]


async def test_named_runs_go_first_in_the_order_in_which_they_are_named(opened: Opened) -> None:
    cids = [await opened.enqueue() for _ in range(5)]
    high = [await opened.enqueue(priority=3) for _ in range(2)]
    await opened.store.queue.reorder([cids[3], high[1], cids[1]])
    assert await order(opened) == [high[1], high[0], cids[3], cids[1], cids[0], cids[2], cids[4]]
    await opened.store.queue.reorder([cids[4]])
    assert (await order(opened))[2] == cids[4]


async def test_an_order_that_names_what_is_not_queued_moves_nothing(opened: Opened) -> None:
    a, b = [await opened.enqueue() for _ in range(2)]
    running = await opened.start(priority=9)
    with pytest.raises(ReorderRejected) as caught:
        await opened.store.queue.reorder([b, running, "none", b])
    assert [place for place, _ in caught.value.faults] == [
        "/cid_order/1",
        "/cid_order/2",
        "/cid_order/3",
    ]
    not_queued, unknown, twice = [fault for _, fault in caught.value.faults]
    assert running in not_queued
    assert "'none'" in unknown
    assert b in twice
    assert await order(opened) == [a, b]


async def test_only_queued_runs_move(opened: Opened) -> None:
    running = await opened.start()
    queue = opened.store.queue
    for move in (
        queue.move_to_front,
        lambda cid: queue.move_to_position(cid, 2),
        lambda cid: queue.set_run_at(cid, 0.0),
    ):
        with pytest.raises(NotQueued):
            await move(running)
        with pytest.raises(RunNotFound):
            await move("none")


async def test_a_delayed_run_is_moved_in_time(opened: Opened) -> None:
    now = opened.clock.now()
    first = await opened.enqueue(run_at=now + 100)
    ready = await opened.enqueue()
    assert (await opened.store.queue.set_run_at(first, now + 5)).run_at == now + 5
    assert await opened.store.queue.next_due() == now + 5
    await opened.store.queue.set_run_at(ready, now + 7)
    counts = await opened.store.queue.counts()
    assert (counts.ready, counts.delayed) == (0, 2)
    await opened.store.queue.set_run_at(first, now)
    counts = await opened.store.queue.counts()
    assert (counts.ready, counts.delayed) == (1, 1)
    assert await claimed(opened) == [first]
    opened.clock.seconds += 7
    assert await claimed(opened) == [ready]


async def test_nothing_starts_while_everything_is_paused(opened: Opened) -> None:
    cid = await opened.enqueue()
    since = opened.clock.now()
    await opened.store.queue.pause("")
    opened.clock.seconds += 5
    await opened.store.queue.pause("")
    assert await opened.store.queue.pauses() == {"": since}
    assert await claimed(opened) == []
    await opened.store.queue.resume("")
    assert await opened.store.queue.pauses() == {}
    assert await claimed(opened) == [cid]


async def test_only_the_paused_plan_waits(opened: Opened) -> None:
    paused = [
        await opened.enqueue(plan_name="slow", priority=9),
        await opened.enqueue(plan_name="slow", limits=MUTEX, priority=9),
    ]
    free = [
        await opened.enqueue(plan_name="quick", priority=2),
        await opened.enqueue(plan_name="other", limits=MUTEX, priority=1),
        await opened.enqueue(plan_name="quick"),
        await opened.enqueue(plan_name="another"),
    ]
    blocked = await opened.enqueue(plan_name="quick", limits=MUTEX)
    await opened.store.queue.pause("slow")
    assert await claimed(opened) == free
    assert await order(opened) == [*paused, blocked]
    await opened.store.queue.resume("slow")
    assert await claimed(opened) == paused[:1]


async def test_of_a_paused_plan_nothing_starts_however_it_is_asked_for(opened: Opened) -> None:
    slow, other = await opened.enqueue(plan_name="slow"), await opened.enqueue(plan_name="Other")
    await opened.store.queue.pause("slow")
    assert [each.cid for each in await opened.store.queue.claim(["w1"] * 2, [slow])] == []
    assert await claimed(opened) == [other]
    await opened.store.queue.resume("slow")
    assert [each.cid for each in await opened.store.queue.claim(["w1"] * 2, [slow])] == [slow]


async def test_pauses_survive_a_restart(opened: Opened) -> None:
    await opened.enqueue(plan_name="slow")
    await opened.store.queue.pause("slow")
    await opened.reopen()
    assert list(await opened.store.queue.pauses()) == ["slow"]
    assert await claimed(opened) == []


async def test_many_are_cancelled_at_once_each_as_it_can_be(opened: Opened) -> None:
    done = await opened.start()
    await opened.end(done)
    running, queued = await opened.start(), await opened.enqueue()
    cids = [running, queued, done, "none"]
    request = CancelRequest(opened.clock.now())
    runs = opened.store.runs
    assert await runs.request_cancel_each(cids, request, only_queued=True) == (
        None, RunState.CANCELLED, None, None,
    )  # fmt: skip
    assert await runs.request_cancel_each(cids, request, only_queued=False) == (
        RunState.CANCELLING, None, None, None,
    )  # fmt: skip


async def test_who_is_named_twice_is_cancelled_once(opened: Opened) -> None:
    running, queued = await opened.start(), await opened.enqueue()
    states = await opened.store.runs.request_cancel_each(
        [running, queued, running, queued], CancelRequest(opened.clock.now()), only_queued=False
    )
    cancelling = RunState.CANCELLING
    assert states == (cancelling, RunState.CANCELLED, cancelling, None)
    assert opened.changes(running)[2:] == [(RunState.RUNNING, cancelling)]
