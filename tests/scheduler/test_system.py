"""The system as a whole, and what handlers call by Aura's names: begun, ended, looked at.

Imports pytest, aura_aio's scheduler, logs and model, and `whole`.
"""

import pytest
from msgspec.structs import replace

from aura_aio.model.access import Grant, Scope
from aura_aio.model.errors import (
    BatchRejected,
    IdempotencyMismatch,
    NotAlive,
    NotReady,
    RequestInvalid,
    RunsActive,
    StoreUnavailable,
)
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.states import RunEvent, RunState
from aura_aio.scheduler.retries import RetryRequest
from aura_aio.scheduler.runs import Batch
from aura_aio.scheduler.system import Stopped, SystemState
from tests.scheduler.bench import START
from tests.scheduler.whole import ASKED, Whole


async def test_what_is_dispatched_begins_with_a_start_and_ends_with_a_stop(whole: Whole) -> None:
    assert (whole.system.stopped_since(), await whole.state()) == (START, SystemState.STOPPED)
    whole.workers.is_up = False
    assert await whole.scheduler.start() is True
    assert (whole.system.stopped_since(), await whole.state()) == (None, SystemState.STARTING)
    whole.workers.is_up = True
    assert await whole.state() is SystemState.RUNNING
    assert await whole.scheduler.start() is False
    whole.clock.turn(5)
    assert await whole.scheduler.stop() == Stopped(already=False, active=0)
    assert (whole.system.stopped_since(), await whole.state()) == (START + 5, SystemState.STOPPED)
    whole.clock.turn(5)
    assert await whole.scheduler.stop() == Stopped(already=True, active=0)
    assert whole.system.stopped_since() == START + 5
    assert whole.workers.told == ["start", "pause", "pause"]


async def test_the_status_tells_how_everything_is(whole: Whole) -> None:
    await whole.hub.start()
    await whole.hub.put([LogLine(1.0, LogLevel.INFO, "x", "y")] * 3)
    await whole.run()
    whole.clock.turn(7)
    whole.clock.put(-100)
    status = await whole.system.status()
    assert (status.started_at, status.uptime_sec) == (START, 7.0)
    assert (status.oldest_seq, status.last_seq, status.log_stream.stored) == (1, 3, 3)
    assert status.counts.by_state[RunState.RUNNING] == 1
    assert status.workers == whole.workers.workers()


async def test_every_part_has_to_be_alive(whole: Whole) -> None:
    whole.system.check_alive()
    whole.part.alive = False
    with pytest.raises(
        NotAlive, match=r"^A part .* its log says which, .* most often to restart the server\.$"
    ):
        whole.system.check_alive()
    whole.part.alive = True
    whole.system.check_alive()
    whole.workers.alive = False
    with pytest.raises(NotAlive):
        whole.system.check_alive()


async def test_it_is_ready_while_its_store_answers_and_until_it_shuts_down(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks into the database, also where nothing is delayed."""

    async def locked(_: object) -> None:
        raise StoreUnavailable("The database is locked.")

    await whole.system.check_ready()
    with monkeypatch.context() as patch:
        patch.setattr(vars(whole.subject.store.queue)["_look_ups"], "ask", locked)
        with pytest.raises(NotReady, match=r"^The database is locked\.$"):
            await whole.system.check_ready()
    await whole.system.check_ready()
    whole.system.shut_down()
    with pytest.raises(NotReady, match=r"^The server is shutting down\.$"):
        await whole.system.check_ready()


async def test_a_rehearsal_names_nobody_whom_the_one_who_asks_does_not_see(whole: Whole) -> None:
    cid, asked = await whole.run("s"), replace(ASKED, task_name="s")
    for plan_name, named in (("p", (cid,)), ("q", ())):
        grant = Grant(Scope.READ, frozenset({plan_name}))
        found = await whole.scheduler.dry_run_task(asked, grant)
        assert found.waiting.reasons[0].blocking_cids == named


async def test_what_handlers_call_is_done_by_the_part_that_does_it(whole: Whole) -> None:
    scheduler = whole.scheduler
    assert scheduler.api_log_queue is scheduler.logs.queue is whole.hub.queue
    assert scheduler.plans.get("p").name == "p"
    schedules = scheduler.schedules.list(plan_name=None, plans=None, limit=1, cursor=None)
    assert schedules.items == ()
    key = whole.subject.runs.idempotency_key("k", b"")
    first = await scheduler.run_ad_hoc_task(ASKED, key)
    second = await scheduler.run_ad_hoc_task(ASKED, key)
    assert (second.cids, first.replayed, second.replayed) == (first.cids, False, True)
    with pytest.raises(IdempotencyMismatch):
        await scheduler.run_ad_hoc_task(ASKED, whole.subject.runs.idempotency_key("k", b"other"))
    key = whole.subject.runs.idempotency_key("l", b"")
    bad = RequestInvalid([("/priority", "Not a valid integer.")])
    batch = await scheduler.run_batch_ad_hoc_tasks([ASKED, bad], idempotency=key)
    assert [each.cid is None for each in batch.items] == [False, True]
    again = await scheduler.run_batch_ad_hoc_tasks([ASKED, bad], idempotency=key)
    assert again == Batch(batch.items, replayed=True)
    with pytest.raises(BatchRejected):
        await scheduler.run_batch_ad_hoc_tasks([ASKED, bad], atomic=True)
    assert (await scheduler.dry_run_task(ASKED, Grant(Scope.READ))).waiting.ahead == 2
    (cid,) = first.cids
    await whole.subject.store.queue.claim(["w1"])
    cancelling = await scheduler.cancel_task(cid, mode="kill", grace_sec=3.0, reason="Enough.")
    assert (cancelling.cid, cancelling.state) == (cid, RunState.CANCELLING)
    assert cancelling.cancel is not None
    assert (cancelling.cancel.mode, cancelling.cancel.reason) == ("kill", "Enough.")
    assert cancelling.cancel.grace_sec == 3.0
    with pytest.raises(RunsActive):
        await scheduler.reload_plans(force=False)
    await scheduler.reload_plans(force=True)
    await whole.end(cid, RunEvent.FAIL)
    key = whole.subject.runs.idempotency_key("m", b"")
    once, twice = [await scheduler.retry_task(cid, RetryRequest(), key) for _ in range(2)]
    assert (once.retry_of, twice.cid, twice.replayed) == (cid, once.cid, True)
    assert [step.step for step in once.steps] == ["a"]
    assert twice.steps == once.steps
    other = (await scheduler.run_ad_hoc_task(replace(ASKED, priority=99))).cids[0]
    await whole.subject.store.queue.claim(["w1"])
    asked = (await scheduler.cancel_task(other)).cancel
    assert asked is not None
    assert (asked.mode, asked.grace_sec, asked.reason) == ("graceful", 10.0, None)
    assert whole.workers.cancelled == [(cid, 0.0), (other, 10.0)]
