"""Every state with every event, through the store: the table of the model, and nothing else.

Imports aura_aio.model and the fixtures.
"""

from itertools import product

import pytest

from aura_aio.model.errors import RunFinished
from aura_aio.model.run import CancelRequest, OnCrash
from aura_aio.model.states import STALE, TABLE, TERMINAL, RunEvent, RunState, Stale
from tests.store.opened import Opened

ILLEGAL = None
EVENT_FOR = {
    RunState.SUCCEEDED: RunEvent.SUCCEED,
    RunState.FAILED: RunEvent.FAIL,
    RunState.TIMED_OUT: RunEvent.TIME_OUT,
}


async def bring_to(opened: Opened, state: RunState, on_crash: OnCrash) -> str:
    """A run in `state`; answers its cid."""
    cid = await opened.enqueue(on_crash=on_crash)
    if state is RunState.QUEUED:
        return cid
    if state is not RunState.CANCELLED:
        assert await opened.claim() == [cid]
    if state in {RunState.CANCELLING, RunState.CANCELLED}:
        await opened.store.runs.request_cancel(cid, CancelRequest(opened.clock.now()))
    elif state in TERMINAL:
        assert await opened.end(cid, EVENT_FOR[state]) is state
    return cid


async def apply(opened: Opened, cid: str, event: RunEvent) -> RunState | Stale | None:
    """What the store makes of `event`, in the words of the table."""
    match event:
        case RunEvent.CLAIM:
            return RunState.RUNNING if await opened.claim() == [cid] else ILLEGAL
        case RunEvent.CANCEL:
            try:
                request = CancelRequest(opened.clock.now())
                return (await opened.store.runs.request_cancel(cid, request)).state
            except RunFinished:
                return ILLEGAL
        case RunEvent.LOST | RunEvent.LOST_FOR_GOOD:
            (state,) = await opened.store.runs.lose([(cid, 1)], reason="The worker is gone.")
            return state or STALE
        case _:
            return await opened.end(cid, event) or STALE


@pytest.mark.parametrize(("state", "event"), list(product(RunState, RunEvent)))
async def test_the_store_follows_the_table(
    opened: Opened, state: RunState, event: RunEvent
) -> None:
    on_crash = OnCrash.RESTART if event is RunEvent.LOST else OnCrash.FAIL
    cid = await bring_to(opened, state, on_crash)
    before = await opened.run(cid)
    opened.facts.clear()
    target = await apply(opened, cid, event)
    after = await opened.run(cid)
    assert target is TABLE[state][event]
    if isinstance(target, RunState) and target is not state:
        assert after.state is target
        assert opened.changes(cid) == [(state, target)]
    else:
        assert after == before
        assert opened.facts == []


@pytest.mark.parametrize("event", [RunEvent.SUCCEED, RunEvent.FAIL, RunEvent.STOPPED])
async def test_what_comes_with_an_old_attempt_is_stale(opened: Opened, event: RunEvent) -> None:
    cid = await opened.start(on_crash=OnCrash.RESTART)
    await opened.store.runs.lose([(cid, 1)], reason="The worker is gone.")
    assert await opened.claim() == [cid]
    before = await opened.run(cid)
    assert await opened.store.runs.finish((opened.outcome(cid, event, attempt=1),)) == (None,)
    assert await opened.store.runs.lose([(cid, 1)], reason="Again.") == (None,)
    assert await opened.run(cid) == before
    assert await opened.store.runs.finish((opened.outcome(cid, attempt=2),)) == (
        RunState.SUCCEEDED,
    )
