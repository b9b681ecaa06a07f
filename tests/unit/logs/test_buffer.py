"""The bounded buffer of a subscriber.

Imports aura_aio.logs.buffer, model and hypothesis.
"""

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aura_aio.logs.buffer import (
    PORTION_BYTES,
    PORTION_LINES,
    Dropped,
    Item,
    Portion,
    RunEnded,
    Subscription,
    portions,
)
from aura_aio.model.log import LogEntry, LogFilter
from aura_aio.model.states import RunState
from tests.unit.logs.lines import CID, line


def portion(*seqs: int, size: int = 10) -> Portion:
    """A portion of entries of `size` bytes each."""
    return Portion(seqs, tuple(b"x" * size for _ in seqs))


def subscription(lines: int, size: int = 1_000_000) -> Subscription:
    """One that wants everything."""
    return Subscription(LogFilter(), start_seq=0, buffer_lines=lines, buffer_bytes=size)


async def taken(subscribed: Subscription) -> list[Item]:
    """All that is in the buffer."""
    items: list[Item] = []
    while subscribed.waiting_lines:
        items += await subscribed.next_batch()
    return items


def spelled(items: list[Item]) -> list[tuple[int, ...] | Dropped]:
    """Portions as their seqs."""
    return [item.seqs if isinstance(item, Portion) else item for item in items]  # type: ignore[misc]


async def test_what_fits_is_delivered_in_order() -> None:
    subscribed = subscription(10)
    for each in (portion(1, 2), portion(3), portion(5, 9)):
        assert subscribed.offer(each) == 0
    assert spelled(await taken(subscribed)) == [(1, 2), (3,), (5, 9)]
    assert subscribed.dropped == 0


async def test_a_portion_that_fits_is_handed_on_as_the_same_object() -> None:
    subscribed, shared = subscription(10), portion(1, 2)
    subscribed.offer(shared)
    assert await subscribed.next_batch() == (shared,)


async def test_what_does_not_fit_is_dropped_and_told_once() -> None:
    subscribed = subscription(3)
    dropped = [subscribed.offer(each) for each in (portion(1, 2), portion(3, 5, 8), portion(9))]
    assert dropped == [0, 2, 1]
    assert spelled(await taken(subscribed)) == [
        (1, 2),
        (3,),
        Dropped(from_seq=5, to_seq=9, count=3),
    ]
    assert subscribed.dropped == 3


async def test_after_a_loss_half_of_the_buffer_must_be_free_first() -> None:
    subscribed = subscription(4)
    for seq in range(1, 6):
        subscribed.offer(portion(seq, size=PORTION_BYTES))
    await subscribed.next_batch()
    assert subscribed.waiting_lines == 3
    assert subscribed.offer(portion(6)) == 1
    await subscribed.next_batch()
    assert subscribed.offer(portion(7)) == 0
    assert spelled(await taken(subscribed)) == [(3,), (4,), Dropped(5, 6, 2), (7,)]


async def test_the_buffer_is_bounded_in_bytes_too() -> None:
    subscribed = subscription(1_000, size=100)
    assert [subscribed.offer(portion(seq, size=60)) for seq in (1, 2, 3)] == [0, 0, 1]


async def test_waiting_ends_with_the_first_entry() -> None:
    subscribed = subscription(10)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(subscribed.next_batch())
        await asyncio.wait([waiting], timeout=0.01)
        assert not waiting.done()
        subscribed.offer(portion(1))
    assert spelled(list(waiting.result())) == [(1,)]


async def test_a_closed_subscription_gives_out_its_rest_and_then_nothing() -> None:
    subscribed = subscription(10)
    subscribed.offer(portion(1))
    subscribed.close()
    assert subscribed.offer(portion(2)) == 0
    assert spelled(list(await subscribed.next_batch())) == [(1,)]
    assert await subscribed.next_batch() == ()


async def test_closing_wakes_who_waits() -> None:
    subscribed = subscription(10)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(subscribed.next_batch())
        await asyncio.wait([waiting], timeout=0.01)
        subscribed.close()
    assert waiting.result() == ()


async def test_the_end_of_a_run_stands_last_and_once() -> None:
    subscribed = subscription(10)
    subscribed.offer(portion(1))
    ended = RunEnded(CID, RunState.FAILED)
    subscribed.finish(ended)
    subscribed.offer(portion(2))
    subscribed.finish(ended)
    first, last = await subscribed.next_batch()
    assert isinstance(first, Portion)
    assert last == ended
    assert await subscribed.next_batch() == ()


async def test_a_batch_is_no_longer_than_one_write_should_be() -> None:
    subscribed = subscription(100)
    for seq in range(1, 9):
        subscribed.offer(portion(seq, size=PORTION_BYTES // 4))
    assert spelled(list(await subscribed.next_batch())) == [(1,), (2,), (3,), (4,)]


async def test_a_large_portion_comes_by_itself() -> None:
    """It is shared with others as it is; put behind another it would be copied."""
    subscribed = subscription(10)
    subscribed.offer(portion(1))
    subscribed.offer(portion(2, size=PORTION_BYTES))
    subscribed.offer(portion(3))
    assert spelled(list(await subscribed.next_batch())) == [(1,)]
    assert spelled(list(await subscribed.next_batch())) == [(2,)]
    assert spelled(list(await subscribed.next_batch())) == [(3,)]


offers = st.tuples(st.just("offer"), st.lists(st.booleans(), min_size=1, max_size=12))
takes = st.tuples(st.just("take"), st.just([True]))


@given(st.integers(1, 12), st.lists(offers | takes, max_size=30))
def test_each_entry_is_delivered_or_told_as_dropped(
    room: int, acts: list[tuple[str, list[bool]]]
) -> None:
    """`offer`s of entries, some of which the filter has left out, between `take`s."""
    offered: list[int] = []

    async def play() -> list[Item]:
        subscribed, got, seq = subscription(room), list[Item](), 0
        for act, passes in acts:
            if act == "take":
                if subscribed.waiting_lines:
                    got += await subscribed.next_batch()
                continue
            seqs = [seq + place for place, passed in enumerate(passes, 1) if passed]
            seq += len(passes)
            offered.extend(seqs)
            if seqs:
                subscribed.offer(portion(*seqs))
            assert subscribed.waiting_lines <= room
        subscribed.close()
        while batch := await subscribed.next_batch():
            got += batch
        return got

    got = asyncio.run(play())
    account: list[int] = []
    for item in got:
        if isinstance(item, Portion):
            account += item.seqs
        elif isinstance(item, Dropped):
            lost = [seq for seq in offered if item.from_seq <= seq <= item.to_seq]
            assert len(lost) == item.count
            assert (lost[0], lost[-1]) == (item.from_seq, item.to_seq)
            account += lost
    assert account == offered
    assert not any(
        isinstance(one, Dropped) and isinstance(other, Dropped) for one, other in pairwise(got)
    )


def test_portions_are_cut_by_lines_and_by_bytes() -> None:
    small = [LogEntry(seq, line("m")) for seq in range(1, PORTION_LINES + 2)]
    assert [len(each) for each in portions(small)] == [PORTION_LINES, 1]
    large = [LogEntry(seq, line("m" * PORTION_BYTES)) for seq in range(1, 4)]
    assert [each.seqs for each in portions(large)] == [(1,), (2,), (3,)]
    assert list(portions([])) == []


def test_a_form_is_worked_out_once() -> None:
    shared, calls = portion(1, 2), list[tuple[bytes, ...]]()

    def form(payloads: tuple[bytes, ...]) -> bytes:
        calls.append(payloads)
        return b"+".join(payloads)

    assert shared.as_form(form) == shared.as_form(form) == b"x" * 10 + b"+" + b"x" * 10
    assert len(calls) == 1
