"""Schedules where several servers share a database: who leads runs them, each due time once.

Imports aura_aio's scheduler and model, msgspec, pytest and `bench`.
"""

import pytest
from msgspec.structs import replace

from aura_aio.model.errors import ScheduleExists, ScheduleNotFound, StoreUnavailable
from aura_aio.model.fleet import Leadership
from aura_aio.model.ids import CidFactory
from aura_aio.model.schedule import DueOutcome
from aura_aio.scheduler.clockwork import Clockwork
from aura_aio.scheduler.due import DueRules
from aura_aio.scheduler.schedule_book import ScheduleBook
from aura_aio.scheduler.schedules import Schedules
from tests.scheduler.bench import Bench
from tests.scheduler.conftest import MakeBench
from tests.waiting import until


async def often(make_bench: MakeBench) -> Bench:
    """An open bench with a schedule for each minute."""
    bench = make_bench()
    bench.schedule("id: often, every: 60s")
    await bench.open()
    return bench


async def test_what_another_server_has_decided_is_not_decided_again(make_bench: MakeBench) -> None:
    bench = await often(make_bench)
    entry = bench.book.entries["p/often"]
    elsewhere = replace(entry.state, decided_at=entry.next_run_at)
    await bench.store.schedules.put([elsewhere])
    await bench.turn(60)
    assert await bench.runs() == []
    assert bench.book.entries[entry.schedule.id].state == elsewhere
    await bench.turn(60)
    assert len(await bench.runs()) == 1


async def test_only_who_leads_runs_schedules_and_keeps_what_they_are_computed_from(
    make_bench: MakeBench,
) -> None:
    bench = await often(make_bench)
    (kept,) = await bench.store.schedules.load()
    assert await bench.store.schedules.change("p/often", kept, None)
    leadership = Leadership(leads=False)
    book = ScheduleBook(bench.store.schedules, bench.plans.catalog, bench.clock, leadership)
    await book.load()
    assert len(book.entries) == 1
    assert await bench.store.schedules.load() == ()
    leadership.set(leads=True)
    await book.load()
    assert len(await bench.store.schedules.load()) == 1


async def test_who_begins_to_lead_runs_what_is_due(make_bench: MakeBench) -> None:
    bench = await often(make_bench)
    await bench.triggers.aclose()
    leadership = Leadership(leads=False)
    book = ScheduleBook(bench.store.schedules, bench.plans.catalog, bench.clock, leadership)
    await book.load()
    rules = DueRules(late_sec=60.0, catch_up_limit=100)
    clockwork = Clockwork(book, bench.admission, rules, bench.clock, leadership)
    clockwork.start()
    bench.clock.turn(60)
    await until(lambda: not book.changed.is_set())
    assert await bench.runs() == []
    leadership.set(leads=True)
    await until(lambda: book.entries["p/often"].state.last_cid is not None)
    assert len(await bench.runs()) == 1
    assert clockwork.alive
    await clockwork.aclose()


async def test_who_leads_all_the_time_reads_nothing_again(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await often(make_bench)
    await bench.triggers.aclose()
    load, loads = bench.book.load, list[float]()

    async def counted() -> None:
        loads.append(bench.clock.monotonic())
        await load()

    monkeypatch.setattr(bench.book, "load", counted)
    rules = DueRules(late_sec=60.0, catch_up_limit=100)
    clockwork = Clockwork(bench.book, bench.admission, rules, bench.clock)
    clockwork.start()
    for _ in range(2):
        await until(lambda: bench.clock.sleepers and not bench.book.changed.is_set())
        bench.clock.turn(60)
    await until(lambda: bench.clock.sleepers)
    await clockwork.aclose()
    assert len(await bench.runs()) == 1
    assert loads == []


async def test_who_begins_to_lead_reads_what_others_have_kept_until_it_can(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await often(make_bench)
    await bench.triggers.aclose()
    leadership = Leadership(leads=False)
    book = ScheduleBook(bench.store.schedules, bench.plans.catalog, bench.clock, leadership)
    load, loads = book.load, list[float]()

    async def fail_at_first() -> None:
        loads.append(bench.clock.monotonic())
        if len(loads) == 1:
            raise StoreUnavailable("It is away.")
        await load()

    monkeypatch.setattr(book, "load", fail_at_first)
    rules = DueRules(late_sec=60.0, catch_up_limit=100)
    clockwork = Clockwork(book, bench.admission, rules, bench.clock, leadership)
    book.changed.set()
    clockwork.start()
    await until(lambda: not book.changed.is_set())
    leadership.set(leads=True)
    pause_sec = StoreUnavailable("").retry_after_sec
    await until(lambda: loads and bench.clock.longest() == pause_sec)
    bench.clock.turn(pause_sec)
    await until(lambda: book.entries)
    assert loads == [0.0, pause_sec]
    told = [vars(each) for each in caplog.records if each.message == "schedules wait"]
    assert [(each["action"], each["reason"]) for each in told] == [
        ("schedules_wait", "It is away.")
    ]
    await clockwork.aclose()


async def test_a_change_does_not_bring_back_what_another_server_has_decided(
    make_bench: MakeBench,
) -> None:
    bench = await often(make_bench)
    known = bench.book.entries["p/often"].state
    decided = replace(
        known,
        decided_at=known.decided_at + 60,
        last_cid="a",
        last_run_at=1.0,
        outcome=DueOutcome.FAILED,
        message="It is gone.",
    )
    await bench.store.schedules.put([decided])
    await bench.store.schedules.put([replace(known, enabled=True)])
    assert await bench.store.schedules.load() == (replace(decided, enabled=True),)
    moved = replace(known, basis="another")
    await bench.store.schedules.put([moved])
    assert await bench.store.schedules.load() == (moved,)


HOURLY = {"plan_name": "p", "task_name": "t", "every_sec": 3600.0}


async def of_another(bench: Bench) -> Schedules:
    """The schedules of a second server, as they are now."""
    leadership = Leadership(leads=False)
    book = ScheduleBook(bench.store.schedules, bench.plans.catalog, bench.clock, leadership)
    await book.load()
    return Schedules(book, bench.admission, bench.clock, CidFactory(bench.clock))


async def test_what_two_servers_do_to_a_schedule_is_done_one_after_the_other(
    make_bench: MakeBench,
) -> None:
    """Before either has heard of the other: nothing comes back, and nothing gets lost."""
    bench = await often(make_bench)
    one, two = bench.schedules, await of_another(bench)
    await one.create("mine", HOURLY)
    with pytest.raises(ScheduleExists):
        await two.create("mine", HOURLY)
    await one.update("mine", {"jitter_sec": 5.0})
    changed = await two.update("mine", {"every_sec": 60.0})
    assert (changed.schedule.jitter_sec, changed.schedule.every_sec) == (5.0, 60.0)
    await one.delete("mine")
    for ask in (two.update("mine", {"enabled": False}), two.delete("mine"), two.run_now("mine")):
        with pytest.raises(ScheduleNotFound):
            await ask
    await one.update("p/often", {"enabled": False})
    assert (await two.update("p/often", {"enabled": True})).enabled
    assert [state.id for state in await bench.store.schedules.load()] == ["p/often"]


async def test_a_schedule_that_only_this_servers_plans_have_is_run_by_hand(
    make_bench: MakeBench,
) -> None:
    bench = await often(make_bench)
    (kept,) = await bench.store.schedules.load()
    two = await of_another(bench)
    assert await bench.store.schedules.change("p/often", kept, None)
    cid = (await two.run_now("p/often")).cid
    assert [run.cid for run in await bench.runs()] == [cid]
