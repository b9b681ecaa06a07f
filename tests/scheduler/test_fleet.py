"""Hosts that share a database: who is silent is given up, who comes back begins anew, one leads.

Imports aura_aio's scheduler and model, `hosts` and the store of tests.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aura_aio.model.errors import SettingsError, StoreUnavailable
from aura_aio.model.fleet import (
    HostStatus,
    PlanDigests,
)
from aura_aio.model.ports import WorkerStatus
from aura_aio.model.states import RunState
from aura_aio.scheduler.fleet import BEATS
from tests.scheduler.hosts import BEAT_SEC, Member, Site
from tests.store.opened import Opened
from tests.store.sqlite.at import sqlite_at
from tests.waiting import until

REFUSED = (
    r"^The server one .* secrets\.key in its data folder, before it starts for the first time\.$"
)


@pytest.fixture
async def site(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Site]:
    """No host yet; no beat goes wrong."""

    opened = Opened(sqlite_at(tmp_path / "aura.db"))
    await opened.open()
    site = Site(opened)
    yield site
    for member in site.members:
        member.is_cut_off = False
        await member.fleet.aclose()
    await opened.close()
    assert told(caplog, "beat_failed") == []


def told(caplog: pytest.LogCaptureFixture, action: str) -> list[dict[str, Any]]:
    """What the log says of it."""
    found = [vars(each) for each in caplog.get_records("call")]
    return [each for each in found if each.get("action") == action]


async def state_of(site: Site, cid: str) -> RunState:
    return (await site.opened.run(cid)).state


async def test_who_joined_first_leads_and_who_has_workers_only_never(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.fleet")
    workers = await site.add("w", may_lead=False)
    one, two = await site.add("one"), await site.add("two")
    gained: list[str] = []
    two.leadership.on_gain(lambda: gained.append("two"))
    assert [m.leadership.leads for m in (workers, one, two)] == [False, True, False]
    await site.turn(1)
    site.members.remove(one)
    await one.fleet.aclose()
    await site.turn(1)
    assert [m.leadership.leads for m in (workers, one, two)] == [False, False, True]
    assert gained == ["two"]
    assert [each["host"] for each in told(caplog, "leads")] == ["one", "two"]
    assert [host.id for host in two.fleet.others] == ["w"]


async def plans_of(site: Site, host_id: str) -> PlanDigests:
    """What a host tells of its plans."""
    (host,) = [each for each in await site.store.members() if each.id == host_id]
    return host.status.plans


async def tell(member: Member, plans: PlanDigests) -> None:
    """Let a host have these plans from now on."""
    async with member.fleet.tell_plans(plans):
        pass


async def test_others_know_of_new_plans_before_it_goes_on_and_are_told_of_changes(
    site: Site,
) -> None:
    one, two = await site.add("one"), await site.add("two")
    await site.turn(1)
    changes = one.changes
    await tell(two, {"p": "1"})
    assert await plans_of(site, "two") == {"p": "1"}
    await site.turn(2)
    assert await plans_of(site, "two") == {"p": "1"}
    assert one.changes == changes + 1
    two.is_cut_off = True
    with pytest.raises(StoreUnavailable):
        await tell(two, {"p": "2"})
    two.is_cut_off = False
    await site.turn(1)
    assert await plans_of(site, "two") == {"p": "1"}
    assert one.changes == changes + 1
    await two.fleet.aclose()
    site.members.remove(two)
    await site.turn(1)
    assert one.changes == changes + 2


@pytest.mark.parametrize("when", ["told", "loaded"])
async def test_who_is_stopped_while_it_tells_or_loads_has_the_plans_that_it_had(
    site: Site, when: str
) -> None:
    one = await site.add("one")
    await tell(one, {"p": "1"})
    begun = asyncio.Event()

    async def load() -> None:
        async with one.fleet.tell_plans({"p": "2"}):
            begun.set()
            await asyncio.Event().wait()

    if when == "told":
        one.held.clear()
    one.has_beaten = False
    task = asyncio.ensure_future(load())
    await until(lambda: one.has_beaten if when == "told" else begun.is_set())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    one.held.set()
    await until(lambda: _has(site, "one", {"p": "1"}))  # no beat is waited for
    await site.turn(1)
    assert await plans_of(site, "one") == {"p": "1"}
    assert begun.is_set() == (when == "loaded")


async def _has(site: Site, host_id: str, plans: PlanDigests) -> bool:
    return await plans_of(site, host_id) == plans


def _nothing() -> None:
    """Nobody is to be told."""


async def test_others_are_told_when_a_host_has_room_and_when_it_has_none_any_more(
    site: Site,
) -> None:
    one, two = await site.add("one"), await site.add("two")
    await site.turn(2)
    seen = []
    for busy in (0, 1, 2, 2, 0):
        worker = WorkerStatus("two/worker-1", 1, "ready", slots=2, busy=busy)
        two.fleet.tell(partial(HostStatus, workers=(worker,)), _nothing, _nothing)
        before = one.changes
        await site.turn(2)
        seen.append(one.changes - before)
    assert seen == [1, 0, 1, 0, 1]


async def test_who_retires_has_no_plans_for_the_others_whatever_it_loads(site: Site) -> None:
    one = await site.add("one")
    await tell(one, {"p": "1"})
    one.fleet.retire()
    await until(lambda: _has_none(site, "one"))
    await tell(one, {"p": "2"})
    assert await plans_of(site, "one") == {}
    one.is_cut_off = True
    one.fleet.retire()
    one.is_cut_off = False
    await site.turn(1)
    assert one.fleet.alive


async def _has_none(site: Site, host_id: str) -> bool:
    return not await plans_of(site, host_id)


async def test_who_is_silent_is_given_up_and_its_runs_are_lost(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = await site.add("one"), await site.add("two")
    lost, other = await site.claim("one"), await site.claim("two")
    one.is_cut_off = True
    await site.turn(BEATS)
    assert await state_of(site, lost) is RunState.RUNNING
    assert not two.leadership.leads
    await site.turn(2)
    assert await state_of(site, lost) is RunState.FAILED
    error = (await site.opened.run(lost)).error
    assert error is not None
    assert error.message.startswith("Nothing was heard of its host any more.")
    (given_up,) = told(caplog, "hosts_given_up")
    assert (given_up["hosts"], given_up["failed"], given_up["requeued"]) == (["one"], 1, 0)
    assert (one.looked, two.looked) == (0, 1)
    assert await state_of(site, other) is RunState.RUNNING
    assert (one.leadership.leads, two.leadership.leads) == (False, True)
    assert two.fleet.others == ()


async def test_who_was_given_up_is_told_when_it_comes_back_and_is_one_of_them_again(
    site: Site,
) -> None:
    one, two = await site.add("one"), await site.add("two")
    one.is_cut_off = True
    await site.turn(BEATS + 2)
    one.is_cut_off = False
    await site.turn(1)
    assert (one.given_up, two.given_up) == (1, 0)
    await site.turn(1)
    assert [host.id for host in two.fleet.others] == ["one"]
    assert (one.leadership.leads, two.leadership.leads) == (False, True)


async def test_a_database_that_was_away_makes_nobody_look_dead(site: Site) -> None:
    one, two = await site.add("one"), await site.add("two")
    cids = [await site.claim("one"), await site.claim("two")]
    for member in (one, two):
        member.is_cut_off = True
    await site.turn(3 * BEATS)
    for member in (one, two):
        member.is_cut_off = False
    await site.turn(2)
    assert [await state_of(site, cid) for cid in cids] == [RunState.RUNNING] * 2
    assert (one.given_up, two.given_up) == (0, 0)
    assert (one.leadership.leads, two.leadership.leads) == (True, False)


async def test_a_run_that_belongs_to_nobody_is_taken_care_of_by_who_leads(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = await site.add("one"), await site.add("two")
    await site.turn(1)
    assert (one.looked, two.looked) == (0, 0)
    cid = await site.claim("gone")
    await site.turn(1)
    assert await state_of(site, cid) is RunState.FAILED
    await site.turn(1)
    assert (one.looked, two.looked) == (1, 0)
    (given_up,) = told(caplog, "hosts_given_up")
    assert (given_up["hosts"], given_up["failed"]) == ([], 1)


async def test_who_seals_with_another_key_is_refused(site: Site) -> None:
    one = await site.add("one")
    joining = asyncio.create_task(site.add("two", key="another"))
    await until(lambda: len(site.clock._sleepers) == 2)
    await site.see(one, 2)
    with pytest.raises(SettingsError, match=REFUSED):
        await joining
    assert [host.id for host in await site.store.members()] == ["one"]


async def test_the_key_of_who_is_dead_keeps_nobody_out(site: Site) -> None:
    one = await site.add("one")
    one.is_cut_off = True
    joining = asyncio.create_task(site.add("two", key="another"))
    await until(lambda: len(site.clock._sleepers) == 2)
    await site.see(one, 2)
    assert (await joining).fleet.alive


async def test_beats_go_on_beside_everything_else(site: Site) -> None:
    one = await site.add("one")
    await site.turn(2)
    assert one.fleet.alive
    (host,) = await site.store.members()
    assert (host.beat, host.status.key) == (3, "k")


async def test_who_has_left_meanwhile_keeps_nobody_out(site: Site) -> None:
    one = await site.add("one")
    joining = asyncio.create_task(site.add("two", key="another"))
    await until(lambda: len(site.clock._sleepers) == 2)
    site.members.remove(one)
    await one.fleet.aclose()
    site.clock.turn(2 * BEAT_SEC)
    assert (await joining).fleet.alive


async def test_who_has_told_nothing_yet_beats_and_comes_back(site: Site) -> None:
    one = Member(site.store, "one", site.clock)
    assert one.fleet.others == ()
    await one.fleet.join()
    site.members.append(one)
    await site.turn(1)
    (host,) = await site.store.members()
    assert host.beat == 2
    await site.store.give_up({"one": 2}, reason="x")
    await site.turn(1)
    (host,) = await site.store.members()
    assert (host.id, host.beat) == ("one", 1)


async def test_who_leads_goes_on_to_for_half_the_time_without_the_database(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    one = await site.add("one")
    await site.turn(2 * BEATS)
    one.is_cut_off = True
    leads = []
    for _ in range(BEATS // 2 + 1):
        await site.turn(1)
        leads.append(one.leadership.leads)
    assert leads == [True] * (BEATS // 2) + [False]
    reasons = [each["reason"] for each in told(caplog, "fleet_not_seen")]
    assert reasons == ["cut off"] * (BEATS // 2 + 1)
    await one.fleet.aclose()  # all the same


async def test_who_does_not_learn_what_became_of_its_beat_leads_no_longer(site: Site) -> None:
    """An answer that never comes is no error: the store waits for it, however long that takes."""
    one = await site.add("one")
    await site.turn(2)
    gained: list[float] = []
    one.leadership.on_gain(lambda: gained.append(site.clock.monotonic()))
    one.held.clear()
    await site.see(one, 1)  # this beat has begun, and is not confirmed
    leads = []
    for _ in range(BEATS // 2):
        leads.append(one.leadership.leads)
        site.clock.turn(BEAT_SEC)
    assert (leads, one.leadership.leads) == ([True] * (BEATS // 2), False)
    site.clock.turn(BEAT_SEC)
    one.held.set()
    await until(lambda: site.clock.sleepers)  # confirmed: but others may have counted from then
    assert (gained, one.leadership.leads) == ([], False)
    await site.turn(1)
    assert (gained, one.leadership.leads) == ([site.clock.monotonic()], True)


async def test_a_beat_that_took_long_says_nothing_of_the_others(site: Site) -> None:
    one, two = await site.add("one"), await site.add("two")
    two.is_cut_off = True
    await site.turn(3)
    one.held.clear()
    await site.see(one, 1)
    site.clock.turn(2.5 * BEAT_SEC)
    one.held.set()
    await site.turn(BEATS)
    assert one.looked == 0
    await site.turn(1)
    assert one.looked == 1
