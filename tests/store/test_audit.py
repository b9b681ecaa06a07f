"""The audit trail in the store: with each change that is noted, and never without it.

Imports aura_aio.model and the fixtures.
"""

import pytest

from aura_aio.model.audit import AuditEvent, AuditFilter, AuditOutcome, Note, noting
from aura_aio.model.errors import BadCursor, RunFinished
from aura_aio.model.run import CancelRequest
from tests.store.opened import DEFINITION, Opened

TOKEN_ID = "3f9a1c2e70"  # noqa: S105 - names one


async def events(opened: Opened, **where: object) -> list[AuditEvent]:
    """The newest first."""
    filters = AuditFilter(**where)  # type: ignore[arg-type]
    page = await opened.store.audit.list_events(filters, limit=1000, cursor=None)
    return list(page.items)


def note(operation: str = "runTask", **about: str) -> Note:
    """A note of a request by a token."""
    made = Note(operation, by_token=TOKEN_ID, by_name="Ada", remote="10.0.0.7", request_id="r1")
    for name, value in about.items():
        setattr(made, name, value)
    return made


async def test_a_change_that_is_noted_is_kept_with_who_asked(opened: Opened) -> None:
    asked = note(plan_name="hello", task_name="greet")
    with noting(asked):
        cid = await opened.enqueue()
    assert asked.written
    await opened.reopen()
    assert await events(opened) == [
        AuditEvent(
            number=1,
            at=opened.clock.now(),
            operation="runTask",
            outcome=AuditOutcome.DONE,
            by_token=TOKEN_ID,
            by_name="Ada",
            remote="10.0.0.7",
            request_id="r1",
            cid=cid,
            run_count=1,
            plan_name="hello",
            task_name="greet",
        )
    ]


async def test_a_change_is_kept_with_the_token_or_the_schedule_that_it_made(opened: Opened) -> None:
    for about in ({"token_id": "4d1e"}, {"schedule_id": "nightly"}):
        told = note(**about)
        await opened.store.audit.append(told, AuditOutcome.DONE)
        assert told.written
    kept = [(event.token_id, event.schedule_id) for event in await events(opened)]
    assert kept == [(None, "nightly"), ("4d1e", None)]


async def test_what_nobody_asks_for_is_not_in_it(opened: Opened) -> None:
    await opened.end(await opened.start())
    assert await events(opened) == []


async def test_a_change_that_fails_leaves_no_event_and_can_be_told_of(opened: Opened) -> None:
    cid = await opened.start()
    await opened.end(cid)
    asked = note("cancelTask", cid=cid)
    with noting(asked), pytest.raises(RunFinished):
        await opened.store.runs.request_cancel(cid, CancelRequest(opened.clock.now()))
    assert not asked.written
    assert await events(opened) == []
    await opened.store.audit.append(asked, AuditOutcome.REFUSED, "run-finished")
    (event,) = await events(opened)
    assert (event.outcome, event.reason) == (AuditOutcome.REFUSED, "run-finished")
    assert (event.cid, event.run_count) == (cid, 0)


async def test_a_transaction_that_is_rolled_back_takes_its_event_along(opened: Opened) -> None:
    """Group commit: the one that fails is left out, with its event; the others happen."""
    bad = opened.tasklet()
    await opened.store.runs.enqueue((bad,), (DEFINITION,))
    asked = note()
    with noting(asked), pytest.raises(Exception, match=r"(?i)unique"):
        await opened.store.runs.enqueue((bad,), (DEFINITION,))
    assert not asked.written
    assert await events(opened) == []


async def test_every_run_of_a_batch_leads_to_its_event(opened: Opened) -> None:
    with noting(note("runTaskBatch")):
        cids = await opened.enqueue_many(3)
    (event,) = await events(opened)
    assert (event.cid, event.run_count) == (None, 3)
    for cid in cids:
        assert await events(opened, cid=cid) == [event]
    assert await events(opened, cid="none") == []


async def test_the_run_in_the_address_and_the_one_that_came_of_it(opened: Opened) -> None:
    old = await opened.start()
    await opened.end(old)
    with noting(note("retryTask", cid=old)):
        new = await opened.enqueue(retry_of=old)
    (event,) = await events(opened)
    assert (event.cid, event.run_count) == (old, 1)
    assert await events(opened, cid=old) == await events(opened, cid=new) == [event]


async def test_a_request_of_several_changes_has_an_event_for_each_that_changes_runs(
    opened: Opened,
) -> None:
    cids = await opened.enqueue_many(4)
    request = CancelRequest(opened.clock.now())
    with noting(note("cancelTasks")):
        for some in (cids[:2], [], cids[2:]):
            await opened.store.runs.request_cancel_each(some, request, only_queued=False)
    assert [event.run_count for event in await events(opened)] == [2, 2]


async def test_a_run_that_is_changed_twice_is_one(opened: Opened) -> None:
    """It is accepted, and moved to its place."""
    await opened.enqueue()
    tasklet = opened.tasklet()
    with noting(note("insertIntoQueue")):
        await opened.store.queue.insert(tasklet, DEFINITION, position=1)
    (event,) = await events(opened, cid=tasklet.cid)
    assert (event.cid, event.run_count) == (tasklet.cid, 1)


async def test_a_request_that_changes_no_run_has_one_event(opened: Opened) -> None:
    with noting(note("pauseQueue")):
        for plan_name in ("p", "q"):
            await opened.store.queue.pause(plan_name)
            (event,) = await events(opened)
            assert (event.operation, event.run_count) == ("pauseQueue", 0)


async def test_filters_and_order(opened: Opened) -> None:
    for operation, name in (("runTask", "Ada"), ("clearQueue", "Ada"), ("runTask", "Zoë")):
        asked = note(operation, plan_name="p" if name == "Ada" else "q")
        asked.by_name = name
        await opened.store.audit.append(asked, AuditOutcome.DONE)
        opened.clock.seconds += 10

    async def numbers(**where: object) -> list[int]:
        return [event.number for event in await events(opened, **where)]

    now = opened.clock.now()
    assert await numbers() == [3, 2, 1]
    assert await numbers(operation="runTask") == [3, 1]
    assert await numbers(by_name="Ada") == [2, 1]
    assert await numbers(plan_name="q") == [3]
    assert await numbers(outcome=AuditOutcome.REFUSED) == []
    assert await numbers(after=now - 20) == [3, 2]
    assert await numbers(before=now - 20) == [1]
    assert await numbers(by_name="Ada", operation="runTask") == [1]


async def test_a_page_that_holds_all_is_the_last(opened: Opened) -> None:
    for _ in range(2):
        await opened.store.audit.append(note(), AuditOutcome.DONE)
    page = await opened.store.audit.list_events(AuditFilter(), limit=2, cursor=None)
    assert (len(page.items), page.next_cursor) == (2, None)


async def test_pages_are_stable_while_events_come(opened: Opened) -> None:
    for _ in range(5):
        await opened.store.audit.append(note(), AuditOutcome.DONE)
    found, cursor = [], None
    while True:
        page = await opened.store.audit.list_events(AuditFilter(), limit=2, cursor=cursor)
        found += [event.number for event in page.items]
        await opened.store.audit.append(note(), AuditOutcome.DONE)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [5, 4, 3, 2, 1]
    with pytest.raises(BadCursor):
        await opened.store.audit.list_events(AuditFilter(), limit=2, cursor="x")
