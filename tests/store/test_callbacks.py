"""Callbacks in the store: due with the end of their run, settled by their tries.

Imports aura_aio.model and the fixtures.
"""

import pytest

from aura_aio.model.callback import Callback, CallbackStatus, CallbackTry, DueCallback
from aura_aio.model.errors import RunNotFound
from aura_aio.model.run import CancelRequest, OnCrash
from aura_aio.model.states import RunEvent
from tests.store.opened import Opened
from tests.store.test_children import child

URL = "https://hooks.example.org/a?b=c"


async def upcoming(opened: Opened, limit: int = 10) -> list[DueCallback]:
    return list(await opened.store.callbacks.upcoming(limit))


def tried(opened: Opened, cid: str, number: int = 1, **more: object) -> CallbackTry:
    values = {"cid": cid, "number": number, "started_at": opened.clock.now(), "duration_sec": 0.5}
    return CallbackTry(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("event", [RunEvent.SUCCEED, RunEvent.FAIL, RunEvent.TIME_OUT])
async def test_a_callback_is_due_with_the_end_of_its_run(opened: Opened, event: RunEvent) -> None:
    cid = await opened.start(callback_url=URL)
    assert await upcoming(opened) == []
    assert await opened.store.callbacks.of_run(cid) == Callback(URL, CallbackStatus.WAITING)
    opened.clock.seconds += 5
    await opened.end(cid, event)
    assert opened.facts[-1].ended is not None
    assert opened.facts[-1].ended.calls_back
    now = opened.clock.now()
    assert await upcoming(opened) == [DueCallback(cid, URL, now, 0)]
    await opened.reopen()
    assert await upcoming(opened) == [DueCallback(cid, URL, now, 0)]
    assert await opened.store.callbacks.of_run(cid) == Callback(URL, CallbackStatus.PENDING, now)


async def test_ends_that_nobody_reports_are_due_as_well(opened: Opened) -> None:
    """A cancel in the queue, a lost worker, a killed server, a child that goes with its parent."""
    gone = await opened.enqueue(callback_url=URL)
    await opened.store.runs.request_cancel(gone, CancelRequest(opened.clock.now()))
    lost = await opened.start(callback_url=URL)
    await opened.store.runs.lose([(lost, 1)], reason="It is gone.")
    parent = await opened.start()
    small = await child(opened, parent, callback_url=URL)
    await opened.end(parent, RunEvent.FAIL)
    killed = await opened.start(callback_url=URL)
    await opened.reopen()
    await opened.store.runs.recover()
    assert {due.cid for due in await upcoming(opened)} == {gone, lost, small, killed}


async def test_what_goes_on_or_has_no_callback_is_not_due(opened: Opened) -> None:
    await opened.end(await opened.start())
    assert opened.facts[-1].ended is not None
    assert not opened.facts[-1].ended.calls_back
    again = await opened.start(callback_url=URL, on_crash=OnCrash.RESTART)
    await opened.store.runs.lose([(again, 1)], reason="It is gone.")
    assert await opened.claim() == [again]
    await opened.store.runs.request_cancel(again, CancelRequest(opened.clock.now()))
    assert await upcoming(opened) == []


async def test_a_try_is_kept_and_settles_it(opened: Opened) -> None:
    cid = await opened.start(callback_url=URL)
    await opened.end(cid)
    store, now = opened.store.callbacks, opened.clock.now()
    first = tried(opened, cid, status_code=503, error="No.", next_at=now + 60)
    await store.record(first)
    assert await upcoming(opened) == [DueCallback(cid, URL, now + 60, 1)]
    assert await store.of_run(cid) == Callback(URL, CallbackStatus.PENDING, now + 60, (first,))
    second = tried(opened, cid, 2, status_code=204)
    await store.record(second)
    assert await upcoming(opened) == []
    await opened.reopen()
    kept = await opened.store.callbacks.of_run(cid)
    assert kept == Callback(URL, CallbackStatus.DELIVERED, None, (first, second))


async def test_one_that_is_given_up_is_not_due(opened: Opened) -> None:
    cid = await opened.start(callback_url=URL)
    await opened.end(cid)
    last = tried(opened, cid, error="It is gone.")
    await opened.store.callbacks.record(last)
    assert await upcoming(opened) == []
    kept = await opened.store.callbacks.of_run(cid)
    assert kept == Callback(URL, CallbackStatus.FAILED, None, (last,))


async def test_the_first_due_comes_first(opened: Opened) -> None:
    cids = []
    for _ in range(3):
        cids.append(await opened.start(callback_url=URL))
        await opened.end(cids[-1])
        opened.clock.seconds += 1
    late = tried(opened, cids[0], error="No.", next_at=opened.clock.now() + 9)
    await opened.store.callbacks.record(late)
    order = [cids[1], cids[2], cids[0]]
    assert [due.cid for due in await upcoming(opened)] == order
    assert [due.cid for due in await upcoming(opened, 2)] == order[:2]


async def test_a_run_without_one_and_no_run(opened: Opened) -> None:
    cid = await opened.enqueue()
    assert await opened.store.callbacks.of_run(cid) is None
    with pytest.raises(RunNotFound):
        await opened.store.callbacks.of_run("none")
