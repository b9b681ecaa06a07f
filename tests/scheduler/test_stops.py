"""What a stop ends, at once or later, and who sees it through.

Imports pytest, aura_aio's scheduler and model, and `whole`.
"""

from typing import Any

import pytest

from aura_aio.model.errors import (
    NotAlive,
    StoreUnavailable,
)
from aura_aio.model.fleet import Leadership
from aura_aio.model.persistence import RETRY_SEC
from aura_aio.model.states import RunEvent
from aura_aio.scheduler.system import Stopped, SystemState
from tests.scheduler.bench import START
from tests.scheduler.whole import Part, Whole, Workers
from tests.waiting import turns, until


async def test_servers_on_one_database_stop_and_start_together(whole: Whole) -> None:
    one, workers, members = whole.system, Workers(), (Part(), Part())
    two = whole.another(workers)
    await two.follow()  # alone
    for system, member in zip((one, two), members, strict=True):
        system.share(whole.subject.store.fleet, member, Leadership(leads=False))
    assert await one.start()
    await two.follow()
    await two.follow()
    assert (two.stopped_since(), workers.told) == (None, ["start"])
    whole.clock.turn(5)
    assert await one.stop(cancel=False, timeout_sec=None) == Stopped(already=False, active=0)
    await two.follow()
    whole.clock.turn(5)
    await two.follow()
    assert (two.stopped_since(), workers.told) == (START + 5, ["start", "pause"])
    assert await two.start()
    await one.follow()
    assert one.stopped_since() is None
    for system, member in zip((one, two), members, strict=True):
        system.check_alive()
        member.alive = False
        with pytest.raises(NotAlive):
            system.check_alive()
    whole.part.alive = False
    members[0].alive = True
    with pytest.raises(NotAlive):
        one.check_alive()


@pytest.mark.parametrize("leads", [True, False])
async def test_a_stop_is_seen_through_by_who_leads_if_the_one_that_was_asked_dies(
    whole: Whole, *, leads: bool
) -> None:
    """Whether it leads when it hears of it, or only after the other one has died."""
    leadership, fleet = Leadership(leads=leads), whole.subject.store.fleet
    two = whole.another(whole.workers)
    whole.system.share(fleet, Part(), Leadership(leads=False))
    two.share(fleet, Part(), leadership)
    await whole.system.start()
    await two.follow()
    cid = await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await two.follow()
    await two.follow()
    await until(lambda: whole.clock.sleepers == (2 if leads else 1))
    await whole.system.aclose()
    whole.clock.turn(20)
    assert (whole.clock.sleepers, whole.workers.cancelled) == (1 if leads else 0, [])
    leadership.set(leads=True)
    await until(lambda: whole.clock.longest() == 10)
    whole.clock.turn(10)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled[0] == (cid, 10.0)
    await two.aclose()


@pytest.mark.parametrize("how", ["start", "stop"])
async def test_who_leads_does_not_see_through_what_another_server_has_replaced(
    whole: Whole, how: str
) -> None:
    leadership, fleet = Leadership(leads=True), whole.subject.store.fleet
    two = whole.another(whole.workers)
    whole.system.share(fleet, Part(), Leadership(leads=False))
    two.share(fleet, Part(), leadership)
    await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await two.follow()
    await until(lambda: whole.clock.sleepers == 2)
    if how == "start":
        await whole.system.start()
    else:
        await whole.system.stop(cancel=False, timeout_sec=None)
    await two.follow()
    leadership.set(leads=False)
    leadership.set(leads=True)
    await turns(20)
    assert (whole.clock.sleepers, whole.workers.cancelled) == (0, [])


@pytest.mark.parametrize("what", ["list_active", "request_cancel"])
async def test_what_a_stop_ends_is_ended_once_the_store_is_there(
    whole: Whole, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    cid = await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await until(lambda: whole.clock.sleepers)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("It is away.")

    with monkeypatch.context() as patch:
        patch.setattr(whole.subject.store.runs, what, away)
        whole.clock.turn(30)
        await until(lambda: whole.clock.longest() == RETRY_SEC)
    assert [vars(each)["action"] for each in caplog.records] == ["stop_waits"]
    whole.clock.turn(RETRY_SEC)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled == [(cid, 10.0)]


async def test_runs_under_way_end_by_themselves_after_a_stop(whole: Whole) -> None:
    await whole.system.start()
    cid = await whole.run()
    assert await whole.system.stop(cancel=False, timeout_sec=None) == Stopped(False, 1)
    assert await whole.state() is SystemState.DRAINING
    assert await whole.system.stop(cancel=False, timeout_sec=None) == Stopped(False, 1)
    await whole.end(cid)
    assert await whole.state() is SystemState.STOPPED
    assert (whole.workers.cancelled, whole.clock.sleepers) == ([], 0)


async def test_who_is_too_slow_for_a_stop_is_cancelled_after_its_time(whole: Whole) -> None:
    cid = await whole.run()
    await whole.scheduler.stop(timeout_sec=30)
    await until(lambda: whole.clock.sleepers)
    whole.clock.turn(29)
    assert (whole.clock.longest(), whole.workers.cancelled) == (1, [])
    whole.clock.turn(1)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled == [(cid, 10.0)]
    cancel = (await whole.subject.runs.get(cid)).cancel
    assert cancel is not None
    assert (cancel.mode, cancel.reason) == ("graceful", "The system was stopped.")


async def test_a_stop_that_cancels_kills_after_its_time(whole: Whole) -> None:
    first, cid = await whole.run(), await whole.run()
    await whole.scheduler.stop(cancel=True, timeout_sec=30)
    await until(lambda: whole.clock.sleepers)
    assert sorted(whole.workers.cancelled) == [(first, 10.0), (cid, 10.0)]
    assert await whole.how_cancelled(first) == "graceful"
    await whole.end(first, RunEvent.FAIL)
    whole.clock.turn(30)
    await until(lambda: len(whole.workers.cancelled) == 3)
    assert whole.workers.cancelled[2] == (cid, 0.0)
    assert await whole.how_cancelled(cid) == "kill"


@pytest.mark.parametrize("how", ["start", "stop", "close"])
async def test_a_later_call_replaces_what_a_stop_had_begun(whole: Whole, how: str) -> None:
    await whole.system.start()
    await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await until(lambda: whole.clock.sleepers)
    match how:
        case "start":
            await whole.system.start()
        case "stop":
            await whole.system.stop(cancel=False, timeout_sec=None)
        case _:
            await whole.system.aclose()
    assert (whole.clock.sleepers, whole.workers.cancelled) == (0, [])


async def test_who_has_ended_meanwhile_keeps_nobody_else_from_being_cancelled(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = whole.subject.store.runs
    cids = [await whole.run() for _ in range(2)]
    active = await runs.list_active()
    await whole.end(active[0].cid)

    async def as_before() -> Any:
        return active

    monkeypatch.setattr(runs, "list_active", as_before)
    await whole.system.stop(cancel=True, timeout_sec=None)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled == [(cid, 10.0) for cid in cids if cid != active[0].cid]
