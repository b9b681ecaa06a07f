"""`ScheduleStore`: what is kept, and that each due time is decided once, together with its runs.

Imports pytest, aura_aio.model and the fixtures.
"""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.model.errors import IdempotencyMismatch, QueueFull, ScheduleNotFound
from aura_aio.model.ports import Accepted, IdempotencyKey
from aura_aio.model.run import CancelRequest
from aura_aio.model.schedule import CatchUp, DueOutcome, Overlap, Schedule, ScheduleState
from aura_aio.model.schedule_store import Decision
from tests.store.conftest import Opening
from tests.store.opened import DEFINITION, Opened

STATE = ScheduleState(id="hello/nightly", basis="cron", decided_at=100.0)


async def kept(opened: Opened) -> list[ScheduleState]:
    """All that is kept after a restart."""
    await opened.reopen()
    return list(await opened.store.schedules.load())


def queueing(opened: Opened, count: int = 1, **changes: Any) -> Decision:
    """The decision to queue so many runs at 160."""
    decision = Decision(
        id=STATE.id,
        known=STATE.decided_at,
        decided_at=160.0,
        outcome=DueOutcome.QUEUED,
        tasklets=tuple(opened.tasklet() for _ in range(count)),
        definitions=(DEFINITION,),
    )
    return replace(decision, **changes)


async def queued(opened: Opened) -> int:
    return (await opened.store.queue.counts()).ready


async def test_what_is_put_is_kept_as_it_is_by_id(opened: Opened) -> None:
    whole = ScheduleState(
        id="mine",
        basis="every",
        decided_at=1_769_860_800.123456,
        created=Schedule(
            id="mine",
            plan_name="hello",
            task_name="greet",
            cron="30 4 * * *",
            timezone="Europe/Berlin",
            inputs={"name": "Zoë", "n": [1, 2.5, None]},
            enabled=False,
            overlap=Overlap.QUEUE,
            catch_up=CatchUp.ALL,
            jitter_sec=2.5,
        ),
        enabled=False,
        last_run_at=12.5,
        last_cid="a",
        outcome=DueOutcome.MISSED,
        message="Nobody was there.",
    )
    await opened.store.schedules.put([whole, STATE])
    assert await kept(opened) == [STATE, whole]
    changed = replace(whole, enabled=True)
    await opened.store.schedules.put([changed])
    assert await kept(opened) == [STATE, changed]
    assert await opened.store.schedules.change("mine", changed, None)
    await opened.store.schedules.put([])
    assert await kept(opened) == [STATE]


async def test_a_decision_queues_its_runs_and_moves_on_in_one(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    decision = queueing(opened, 2)
    commits = opened.store.commits
    state = await opened.store.schedules.decide(decision)
    assert opened.store.commits == commits + 1
    last = decision.tasklets[-1]
    expected = replace(
        STATE,
        decided_at=160.0,
        outcome=DueOutcome.QUEUED,
        last_cid=last.cid,
        last_run_at=last.accepted_at,
    )
    assert state == expected
    assert await kept(opened) == [expected]
    assert await opened.claim(2) == [each.cid for each in decision.tasklets]
    assert [fact.cid for fact in opened.facts[:2]] == [each.cid for each in decision.tasklets]


async def test_a_due_time_is_decided_once_whoever_asks(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    decisions = [queueing(opened) for _ in range(20)]
    states = await asyncio.gather(*map(opened.store.schedules.decide, decisions))
    assert [state is not None for state in states] == [True] + [False] * 19
    assert await queued(opened) == 1
    await opened.reopen()
    assert await opened.store.schedules.decide(queueing(opened)) is None
    assert await queued(opened) == 1


OWN = ScheduleState(
    id="mine",
    basis="every",
    decided_at=100.0,
    created=Schedule(id="mine", plan_name="hello", task_name="greet", every_sec=60.0),
)


async def test_a_change_counts_only_if_what_clients_want_is_what_it_was_decided_on(
    opened: Opened,
) -> None:
    """Whatever was decided of its due times meanwhile, which the change leaves."""
    change = opened.store.schedules.change
    assert not await change("mine", OWN, None)
    assert not await change("mine", OWN, replace(OWN, message="back"))
    assert await change("mine", None, OWN)
    assert not await change("mine", None, OWN)
    await opened.store.schedules.put([replace(OWN, decided_at=160.0, last_cid="a")])
    assert OWN.created is not None
    slower = replace(OWN, created=replace(OWN.created, inputs={"n": 1}))
    assert await change("mine", OWN, slower)
    assert await kept(opened) == [replace(slower, decided_at=160.0, last_cid="a")]
    change = opened.store.schedules.change
    assert not await change("mine", OWN, None)
    assert await change("mine", slower, None)
    assert await kept(opened) == []


async def test_a_plans_schedule_is_known_before_it_is_kept(opened: Opened) -> None:
    change = opened.store.schedules.change
    off = replace(STATE, enabled=False)
    assert not await change(STATE.id, off, STATE)
    assert await change(STATE.id, STATE, off)
    assert not await change(STATE.id, STATE, replace(STATE, enabled=True))
    assert await kept(opened) == [off]


async def test_a_run_now_keeps_a_plans_schedule_and_brings_none_of_a_client_back(
    opened: Opened,
) -> None:
    tasklet = opened.tasklet()
    with pytest.raises(ScheduleNotFound, match="'mine'"):
        await opened.store.schedules.run_now(OWN, tasklet, DEFINITION)
    assert await queued(opened) == 0
    state, _ = await opened.store.schedules.run_now(STATE, tasklet, DEFINITION)
    assert state == replace(STATE, last_cid=tasklet.cid, last_run_at=tasklet.accepted_at)
    assert await kept(opened) == [state]


async def test_nothing_is_decided_for_a_schedule_that_is_gone(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    assert await opened.store.schedules.change(STATE.id, STATE, None)
    assert await opened.store.schedules.decide(queueing(opened)) is None
    assert await queued(opened) == 0
    assert await kept(opened) == []


async def test_a_decision_to_run_nothing_is_kept_with_its_reason(opened: Opened) -> None:
    before = replace(STATE, last_cid="a", last_run_at=50.0)
    await opened.store.schedules.put([before])
    decision = Decision(
        id=STATE.id, known=100.0, decided_at=160.0, outcome=DueOutcome.MISSED, message="Too late."
    )
    expected = replace(before, decided_at=160.0, outcome=DueOutcome.MISSED, message="Too late.")
    assert await opened.store.schedules.decide(decision) == expected
    assert await kept(opened) == [expected]


async def test_a_run_that_has_not_ended_keeps_the_next_from_starting(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    first = queueing(opened, unless_busy=True)
    assert await opened.store.schedules.decide(first)
    cid = first.tasklets[0].cid

    async def decide(known: float) -> ScheduleState:
        decision = queueing(opened, known=known, decided_at=known + 60, unless_busy=True)
        state = await opened.store.schedules.decide(decision)
        assert state is not None
        return state

    skipped = await decide(160.0)  # queued
    assert (skipped.outcome, skipped.last_cid) == (DueOutcome.SKIPPED, cid)
    assert cid in str(skipped.message)
    assert await opened.claim() == [cid]
    assert (await decide(220.0)).outcome is DueOutcome.SKIPPED  # running
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert (await decide(280.0)).outcome is DueOutcome.SKIPPED  # cancelling
    await opened.end(cid)
    following = await decide(340.0)
    assert following.outcome is DueOutcome.QUEUED
    assert following.message is None
    assert following.last_cid != cid


async def test_with_overlap_runs_are_queued_behind_each_other(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    assert await opened.store.schedules.decide(queueing(opened))
    state = await opened.store.schedules.decide(queueing(opened, known=160.0, decided_at=220.0))
    assert state is not None
    assert state.outcome is DueOutcome.QUEUED
    assert await queued(opened) == 2


async def test_a_full_queue_decides_nothing(opening: Opening) -> None:
    opened = await opening(queue_limit=1)
    await opened.store.schedules.put([STATE])
    with pytest.raises(QueueFull):
        await opened.store.schedules.decide(queueing(opened, 2))
    assert await kept(opened) == [STATE]
    assert await queued(opened) == 0
    assert await opened.store.schedules.decide(queueing(opened))


async def test_a_decision_that_fails_half_way_has_not_happened(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    there = opened.tasklet()
    await opened.store.runs.enqueue((there,), (DEFINITION,))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await opened.store.schedules.decide(queueing(opened, tasklets=(opened.tasklet(), there)))
    assert await kept(opened) == [STATE]
    assert await queued(opened) == 1


async def test_a_run_beside_the_due_times_is_the_latest_and_decides_nothing(
    opened: Opened,
) -> None:
    await opened.store.schedules.put([STATE])
    tasklet = opened.tasklet()
    state, _ = await opened.store.schedules.run_now(STATE, tasklet, DEFINITION)
    assert state == replace(STATE, last_cid=tasklet.cid, last_run_at=tasklet.accepted_at)
    assert await kept(opened) == [state]
    assert await opened.store.schedules.decide(queueing(opened, unless_busy=True)) == replace(
        state,
        decided_at=160.0,
        outcome=DueOutcome.SKIPPED,
        message=f"The run {tasklet.cid} had not ended.",
    )
    assert await opened.claim(2) == [tasklet.cid]


async def test_a_key_that_comes_back_runs_nothing_and_leaves_the_latest(opened: Opened) -> None:
    await opened.store.schedules.put([STATE])
    first, second = opened.tasklet(), opened.tasklet()
    key = IdempotencyKey("k", "digest", memo=b"first")
    kept_state, accepted = await opened.store.schedules.run_now(STATE, first, DEFINITION, key)
    assert accepted == Accepted((first.cid,))
    again = replace(key, memo=b"second")
    state, replayed = await opened.store.schedules.run_now(STATE, second, DEFINITION, again)
    assert replayed == Accepted((first.cid,), replayed=True, memo=b"first")
    assert state == kept_state
    assert await kept(opened) == [kept_state]
    other = IdempotencyKey("k", "other")
    with pytest.raises(IdempotencyMismatch):
        await opened.store.schedules.run_now(STATE, opened.tasklet(), DEFINITION, other)
    assert await queued(opened) == 1
