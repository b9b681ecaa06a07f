"""`EventStore`: an end that somebody waits for is kept with the end itself, and answered once.

Imports pytest, aura_aio.model and the fixtures.
"""

import asyncio

import pytest

from aura_aio.model.errors import QueueFull
from aura_aio.model.event import EventFilter
from aura_aio.model.run import CancelRequest, OnCrash
from aura_aio.model.schedule_store import KeptEvent
from aura_aio.model.states import RunEvent, RunState
from tests.store.conftest import Opening
from tests.store.opened import DEFINITION, Opened

EVERY_END = (EventFilter(),)


async def kept(opened: Opened, limit: int = 100) -> list[tuple[str, RunState]]:
    return [(event.cid, event.status) for event in await opened.store.events.kept(limit)]


async def only(opened: Opened) -> KeptEvent:
    (event,) = await opened.store.events.kept(100)
    return event


async def test_nothing_is_kept_while_nobody_listens(opened: Opened) -> None:
    await opened.end(await opened.start())
    opened.store.events.listen(EVERY_END)
    assert await kept(opened) == []
    cid = await opened.start()
    await opened.end(cid)
    opened.store.events.listen(())
    await opened.end(await opened.start())
    assert await kept(opened) == [(cid, RunState.SUCCEEDED)]


async def test_an_event_says_which_run_ended_how_and_when(opened: Opened) -> None:
    opened.store.events.listen(EVERY_END)
    cid = await opened.start(plan_name="p", task_name="t", depth=3)
    opened.clock.seconds += 7
    await opened.end(cid, RunEvent.FAIL)
    await opened.reopen()
    event = await only(opened)
    assert event == KeptEvent(
        number=event.number,
        cid=cid,
        plan_name="p",
        task_name="t",
        status=RunState.FAILED,
        at=opened.clock.now(),
        depth=3,
    )


async def test_every_way_to_end_is_kept_in_the_same_transaction(opened: Opened) -> None:
    opened.store.events.listen(EVERY_END)
    ended = []
    for event in (RunEvent.SUCCEED, RunEvent.FAIL, RunEvent.TIME_OUT):
        cid = await opened.start()
        commits = opened.store.commits
        ended.append((cid, await opened.end(cid, event)))
        assert opened.store.commits == commits + 1
    queued = await opened.enqueue()
    await opened.store.runs.request_cancel(queued, CancelRequest(0.0))
    ended.append((queued, RunState.CANCELLED))
    lost = await opened.start()
    await opened.store.runs.lose([(lost, 1)], reason="gone")
    ended.append((lost, RunState.FAILED))
    left = await opened.start()
    await opened.reopen()
    opened.store.events.listen(EVERY_END)
    await opened.store.runs.recover()
    ended.append((left, RunState.FAILED))
    assert await kept(opened) == ended
    assert await kept(opened, 2) == ended[:2]


async def test_what_is_no_end_is_not_kept(opened: Opened) -> None:
    opened.store.events.listen(EVERY_END)
    cid = await opened.start(on_crash=OnCrash.RESTART)
    await opened.store.runs.lose([(cid, 1)], reason="gone")
    assert await opened.claim() == [cid]
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert await kept(opened) == []


@pytest.mark.parametrize(
    ("where", "passes"),
    [
        (EventFilter(plan_name="p", task_name="t", statuses=(RunState.FAILED,)), True),
        (EventFilter(plan_name="q"), False),
        (EventFilter(task_name="u"), False),
        (EventFilter(statuses=(RunState.SUCCEEDED, RunState.CANCELLED)), False),
    ],
)
async def test_only_what_passes_a_filter_is_kept(
    opened: Opened, where: EventFilter, passes: bool
) -> None:
    opened.store.events.listen((EventFilter(plan_name="other"), where))
    await opened.end(await opened.start(plan_name="p", task_name="t"), RunEvent.FAIL)
    assert len(await kept(opened)) == passes


async def ended_of(opened: Opened, plan_name: str) -> str:
    """A run of the plan that has just ended."""
    cid = await opened.start(plan_name=plan_name)
    await opened.end(cid)
    return cid


async def test_what_other_hosts_wait_for_is_kept_as_well(opened: Opened) -> None:
    events = opened.store.events
    own, others = EventFilter(plan_name="p"), EventFilter(plan_name="q")
    events.listen([own])
    events.listen_for_others([others, own])
    ended = [await ended_of(opened, name) for name in ("p", "q", "other")]
    assert [cid for cid, _ in await kept(opened)] == ended[:2]
    assert events.listened == (own,)
    events.listen([])
    events.listen_for_others([others])
    later = [await ended_of(opened, name) for name in ("p", "q")]
    assert [cid for cid, _ in await kept(opened)] == [*ended[:2], later[1]]


async def test_an_event_is_answered_once_with_all_of_its_runs(opened: Opened) -> None:
    opened.store.events.listen(EVERY_END)
    await opened.end(await opened.start())
    event = await only(opened)
    first, second = opened.tasklet(), opened.tasklet()
    commits = opened.store.commits
    assert await opened.store.events.answer(event, (first, second), (DEFINITION,))
    assert opened.store.commits == commits + 1
    await opened.reopen()
    assert await kept(opened) == []
    answers = await asyncio.gather(
        *(opened.store.events.answer(event, (opened.tasklet(),), (DEFINITION,)) for _ in range(5))
    )
    assert answers == [False] * 5
    assert await opened.claim(5) == [first.cid, second.cid]


async def test_an_event_may_start_nothing(opened: Opened) -> None:
    opened.store.events.listen(EVERY_END)
    await opened.end(await opened.start())
    assert await opened.store.events.answer(await only(opened), (), ())
    assert await kept(opened) == []


async def test_an_event_is_kept_while_the_queue_is_full(opening: Opening) -> None:
    opened = await opening(queue_limit=1)
    opened.store.events.listen(EVERY_END)
    cid = await opened.start()
    await opened.end(cid)
    event = await only(opened)
    with pytest.raises(QueueFull):
        await opened.store.events.answer(event, (opened.tasklet(), opened.tasklet()), (DEFINITION,))
    assert await kept(opened) == [(cid, RunState.SUCCEEDED)]
    assert await opened.store.events.answer(event, (opened.tasklet(),), (DEFINITION,))
