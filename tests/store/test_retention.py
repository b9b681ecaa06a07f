"""Forgetting in the store: the oldest first, families as a whole, never what is active.

Imports aura_aio.model, the fixtures and `test_children`.
"""

import pytest

from aura_aio.model.audit import AuditFilter, AuditOutcome, Note, noting
from aura_aio.model.callback import CallbackTry
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.model.origin import FromParent, encode_origin
from aura_aio.model.run import CancelRequest
from aura_aio.model.states import RunEvent, RunState
from tests.store.opened import DEFINITION, Opened
from tests.store.test_children import child

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


async def tried(opened: Opened, cid: str, number: int, *, next_at: float | None) -> CallbackTry:
    """A try of the run's callback that failed; without `next_at` it was the last."""
    made = CallbackTry(cid, number, opened.clock.now(), 0.5, error="No.", next_at=next_at)
    await opened.store.callbacks.record(made)
    return made


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


async def test_by_age_and_by_number_together_it_is_no_more_than_asked_for(opened: Opened) -> None:
    old = [await ended(opened) for _ in range(3)]
    opened.clock.seconds += 2 * DAY_SEC
    young = [await ended(opened) for _ in range(4)]
    before = opened.clock.now() - DAY_SEC
    retention = opened.store.retention
    assert await retention.forget_runs(ended_before=before, most=0, limit=4) == 4
    assert await kept(opened, *old, *young) == [False] * 4 + [True] * 3
    assert await retention.forget_runs(ended_before=before, most=2, limit=4) == 1
    assert await kept(opened, *young) == [False, False, True, True]


async def test_what_goes_by_age_counts_for_the_number_that_is_kept(opened: Opened) -> None:
    old = [await ended(opened) for _ in range(3)]
    opened.clock.seconds += 2 * DAY_SEC
    young = [await ended(opened) for _ in range(4)]
    assert await forget(opened, days=1, most=3) == 4
    assert await kept(opened, *old, *young) == [False] * 4 + [True] * 3


async def test_a_family_is_as_old_as_the_last_of_it(opened: Opened) -> None:
    parent = await opened.start()
    small = await child(opened, parent)
    assert await opened.claim() == [small]
    await opened.end(parent, RunEvent.FAIL)
    opened.clock.seconds += DAY_SEC
    await opened.end(small, RunEvent.STOPPED)
    opened.clock.seconds += DAY_SEC
    assert await forget(opened, days=1) == 0
    opened.clock.seconds += 1
    assert await forget(opened, days=1) == 2


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


@pytest.mark.parametrize(
    ("days", "most", "left"), [(3, None, 5), (2, None, 5), (None, 3, 3), (3, 8, 5)]
)
async def test_the_log_is_forgotten_from_its_oldest_entry_on(
    opened: Opened, days: float | None, most: int | None, left: int
) -> None:
    logs, store = opened.store.logs, opened.store.retention
    for _ in range(2):
        now = opened.clock.now()
        lines = [LogLine(now, LogLevel.INFO, "test", f"line {number}") for number in range(5)]
        await logs.append(lines)
        opened.clock.seconds += 2 * DAY_SEC
    before = None if days is None else opened.clock.now() - days * DAY_SEC
    while await store.forget_entries(before=before, most=most, limit=2):
        pass
    entries = await logs.read(LogFilter(), after=0, up_to=None, limit=100)
    assert [entry.seq for entry in entries] == list(range(11 - left, 11))
    assert await logs.bounds() == (11 - left, 10)
    assert (await logs.append([LogLine(0.0, LogLevel.INFO, "test", "next")]))[0].seq == 11


@pytest.mark.parametrize("is_settled", [False, True])
async def test_a_run_whose_callback_is_due_is_kept_until_that_is_settled(
    opened: Opened, is_settled: bool
) -> None:
    cid = await opened.start(callback_url="https://hooks.example.org/a")
    await opened.end(cid)
    again = await tried(opened, cid, 1, next_at=None if is_settled else opened.clock.now() + 60)
    opened.clock.seconds += 2 * DAY_SEC
    assert await forget(opened, days=1, most=0) == int(is_settled)
    assert await kept(opened, cid) == [not is_settled]
    if not is_settled:
        callbacks = opened.store.callbacks
        assert [due.cid for due in await callbacks.upcoming(10)] == [cid]
        callback = await callbacks.of_run(cid)
        assert callback is not None
        assert callback.tries == (again,)
        await tried(opened, cid, 2, next_at=None)
        assert await forget(opened, days=1) == 1
    assert list(await opened.store.callbacks.upcoming(10)) == []


async def test_a_child_whose_callback_is_due_keeps_its_parent(opened: Opened) -> None:
    parent = await opened.start()
    small = await child(opened, parent, callback_url="https://hooks.example.org/a")
    await opened.end(parent, RunEvent.FAIL)
    opened.clock.seconds += 2 * DAY_SEC
    assert await forget(opened, days=1) == 0
    await tried(opened, small, 1, next_at=None)
    assert await forget(opened, days=1) == 2
    assert await kept(opened, parent, small) == [False, False]


async def forget_events(opened: Opened, *, days: float, limit: int = 100) -> int:
    before = opened.clock.now() - days * DAY_SEC
    return await opened.store.retention.forget_audit_events(before=before, limit=limit)


async def events(opened: Opened) -> list[int]:
    """The numbers of the audit trail, the oldest first."""
    page = await opened.store.audit.list_events(AuditFilter(), limit=100, cursor=None)
    return [event.number for event in reversed(page.items)]


async def test_the_audit_trail_is_forgotten_by_age_from_its_oldest_event_on(opened: Opened) -> None:
    for _ in range(2):
        for _ in range(5):
            await opened.store.audit.append(Note("startSystem"), AuditOutcome.DONE)
        opened.clock.seconds += 2 * DAY_SEC
    assert await forget_events(opened, days=5) == 0
    assert await forget_events(opened, days=3, limit=3) == 3
    assert await events(opened) == [4, 5, 6, 7, 8, 9, 10]
    assert await forget_events(opened, days=3, limit=3) == 2
    assert await forget_events(opened, days=3, limit=3) == 0
    assert await events(opened) == [6, 7, 8, 9, 10]


async def test_no_event_is_forgotten_before_its_run(opened: Opened) -> None:
    with noting(Note("runTask")):
        cid = await opened.enqueue()
    assert await opened.claim() == [cid]
    with noting(Note("runTaskBatch")):
        batch = await opened.enqueue_many(2)
    opened.clock.seconds += 2 * DAY_SEC
    assert await forget_events(opened, days=1) == 0
    await opened.end(cid)
    for each in batch:
        await opened.store.runs.request_cancel(each, CancelRequest(opened.clock.now()))
    opened.clock.seconds += 2 * DAY_SEC
    assert await forget(opened, most=2) == 1
    assert await forget_events(opened, days=1) == 1
    assert await events(opened) == [2]
    assert await forget(opened, most=1) == 1
    assert await forget_events(opened, days=1) == 0
    assert await forget(opened, most=0) == 1
    assert await forget_events(opened, days=1) == 1
    assert await events(opened) == []
