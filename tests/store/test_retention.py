"""Forgetting in the store: the oldest first, families as a whole, never what is active.

Imports aura_aio.model and the fixtures.
"""

import pytest

from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.model.origin import FromParent, encode_origin
from aura_aio.model.states import RunState
from tests.store.opened import DEFINITION, Opened

DAY_SEC = 86_400.0


async def ended(opened: Opened) -> str:
    cid = await opened.start()
    await opened.end(cid)
    return cid


async def kept(opened: Opened, *cids: str) -> list[bool]:
    found = await opened.store.runs.states(cids)
    return [cid in found for cid in cids]


async def forget(opened: Opened, *, days: float | None = None, most: int | None = None) -> int:
    before = None if days is None else opened.clock.now() - days * DAY_SEC
    return await opened.store.retention.forget_runs(ended_before=before, most=most, limit=100)


async def test_ended_runs_are_forgotten_by_age_and_active_ones_never(opened: Opened) -> None:
    old, active = await ended(opened), await opened.start()
    opened.clock.seconds += 2 * DAY_SEC
    young = await ended(opened)
    assert await forget(opened, days=1) == 1
    assert await kept(opened, old, active, young) == [False, True, True]
    assert await forget(opened, days=1) == 0
    counts = (await opened.store.queue.counts()).by_state
    assert counts[RunState.SUCCEEDED] == 1
    await opened.reopen()
    assert (await opened.store.queue.counts()).by_state[RunState.SUCCEEDED] == 1


async def test_a_run_that_has_waited_for_long_counts_from_its_end(opened: Opened) -> None:
    cid = await opened.start()
    opened.clock.seconds += 2 * DAY_SEC
    await opened.end(cid)
    assert await forget(opened, days=1) == 0


async def test_the_newest_ended_runs_are_kept(opened: Opened) -> None:
    active = await opened.start()
    cids = [await ended(opened) for _ in range(5)]
    assert await forget(opened, most=2) == 3
    assert await kept(opened, active, *cids) == [True, False, False, False, True, True]


async def test_a_family_goes_as_a_whole_or_not_at_all(opened: Opened) -> None:
    parent = await opened.start()
    origin = encode_origin(FromParent(parent, "s"))
    tasklet = opened.tasklet(parent_cid=parent, origin=origin, depth=1)
    child = await opened.store.children.enqueue_child(tasklet, DEFINITION, attempt=1)
    assert await opened.claim() == [child]
    await opened.end(child)
    opened.clock.seconds += 2 * DAY_SEC
    assert await forget(opened, days=1) == 0
    await opened.end(parent)
    assert await forget(opened, days=1) == 0
    opened.clock.seconds += 2 * DAY_SEC
    assert await forget(opened, days=1) == 2
    assert await kept(opened, parent, child) == [False, False]


@pytest.mark.parametrize(("days", "most", "left"), [(1, None, 5), (None, 3, 3), (1, 8, 5)])
async def test_the_log_is_forgotten_from_its_oldest_entry_on(
    opened: Opened, days: float | None, most: int | None, left: int
) -> None:
    logs, store = opened.store.logs, opened.store.retention
    for _ in range(2):
        now = opened.clock.now()
        lines = [LogLine(now, LogLevel.INFO, "test", f"line {number}") for number in range(5)]
        await logs.append(lines)
        opened.clock.seconds += 2 * DAY_SEC
    before = None if days is None else opened.clock.now() - 3 * DAY_SEC
    while await store.forget_entries(before=before, most=most, limit=2):
        pass
    entries = await logs.read(LogFilter(), after=0, up_to=None, limit=100)
    assert [entry.seq for entry in entries] == list(range(11 - left, 11))
    assert await logs.bounds() == (11 - left, 10)
    assert (await logs.append([LogLine(0.0, LogLevel.INFO, "test", "next")]))[0].seq == 11
