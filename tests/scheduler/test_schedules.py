"""Schedules as clients have them: made, changed, removed, listed, run now; without a server.

Imports pytest, aura_aio and `bench`.
"""

import math
import re
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.model.errors import (
    BadCursor,
    BadReference,
    InputsRejected,
    RequestInvalid,
    ScheduleExists,
    ScheduleNotFound,
    ScheduleReadOnly,
)
from aura_aio.model.origin import FromSchedule, decode_origin
from aura_aio.model.overload import DiskNearlyFull
from aura_aio.model.ports import IdempotencyKey
from aura_aio.model.schedule import CatchUp, Overlap, Schedule, ScheduleState
from aura_aio.model.sizes import InputsTooLarge
from aura_aio.model.trace import TraceContext
from aura_aio.run_settings import RunSettings
from aura_aio.scheduler.schedule_book import Entry, Source
from tests.scheduler.bench import START, STEP, Bench
from tests.scheduler.conftest import MakeBench

HOURLY: dict[str, Any] = {"plan_name": "p", "task_name": "t", "every_sec": 3600.0}
TASKS = {
    "tasks/t.yaml": f"meta: {{inputs: [{{name: n, type: integer, default: 1}}]}}\n{STEP}",
    "tasks/deep/u.yaml": STEP,
}


@pytest.fixture
async def bench(make_bench: MakeBench) -> Bench:
    """An open bench, whose plan has a schedule `p/own`, two tasks, and nothing else."""
    bench = make_bench()
    bench.schedule("id: own, every: 1d")
    bench.write(TASKS)
    await bench.open()
    return bench


async def ids(bench: Bench) -> list[str]:
    page = bench.schedules.list(plan_name=None, plans=None, limit=99, cursor=None)
    assert page.next_cursor is None
    return [entry.schedule.id for entry in page.items]


async def reopened(bench: Bench) -> None:
    await bench.close()
    await bench.open()


def known(bench: Bench, id_: str) -> Entry:
    return without_timing(bench.schedules.get(id_))


def without_timing(entry: Entry) -> Entry:
    """What can be compared of it."""
    return replace(entry, timing=None)


async def test_a_new_schedule_is_kept_and_its_time_begins_now(bench: Bench) -> None:
    more: dict[str, Any] = {"inputs": {"n": 2}, "overlap": Overlap.QUEUE, "catch_up": CatchUp.ALL}
    made = await bench.schedules.create("mine", {**HOURLY, **more, "jitter_sec": 5.0})
    schedule = Schedule(id="mine", jitter_sec=5.0, **HOURLY, **more)
    assert made.schedule == schedule
    assert made.source is Source.API
    assert made.enabled
    assert made.state == ScheduleState(
        id="mine", basis="every 3600.0 in UTC", decided_at=START, created=schedule
    )
    assert START + 3600 <= made.next_run_at < START + 3605
    assert bench.schedules.get("mine") == made
    await reopened(bench)
    assert known(bench, "mine") == without_timing(made)


async def test_one_without_an_id_is_given_one(bench: Bench) -> None:
    made = [(await bench.schedules.create(None, HOURLY)).schedule.id for _ in range(2)]
    assert sorted(await ids(bench)) == sorted({*made, "p/own"})
    assert all(len(each) == len("019cadd4-0000-7000-8000-000000000000") for each in made)


async def test_one_that_is_not_enabled_has_no_next_run(bench: Bench) -> None:
    made = await bench.schedules.create("mine", {**HOURLY, "enabled": False})
    assert (made.enabled, made.next_run_at) == (False, math.inf)
    assert made.state.basis == "every 3600.0 in UTC, disabled"


async def test_a_task_is_kept_by_its_proper_name(bench: Bench) -> None:
    made = await bench.schedules.create("mine", {**HOURLY, "task_name": "tasks:deep:u.yaml"})
    assert made.schedule.task_name == "deep/u"
    changed = await bench.schedules.update("mine", {"task_name": "tasks:t.yaml"})
    assert changed.schedule.task_name == "t"


async def test_what_stays_as_it_was_is_not_written_again(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    before = bench.store.commits
    await bench.reload()
    assert bench.store.commits == before


async def test_an_id_is_taken_once(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    with pytest.raises(ScheduleExists, match="'mine'"):
        await bench.schedules.create("mine", {**HOURLY, "every_sec": 60.0})
    assert bench.schedules.get("mine").schedule.every_sec == 3600.0


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"every_sec": None}, "", r"^Needs cron or every_sec\.$"),
        ({"every_sec": None, "cron": "61 * * * *"}, "/cron", "^This is no cron expression"),
        ({"timezone": "Europe/Berlim"}, "/timezone", "'Europe/Berlin'"),
    ],
)
async def test_what_is_never_due_is_refused(
    changes: dict[str, Any], place: str, says: str, bench: Bench
) -> None:
    if "timezone" in changes:
        changes |= {"every_sec": None, "cron": "0 4 * * *"}
    with pytest.raises(RequestInvalid) as caught:
        await bench.schedules.create("mine", {**HOURLY, **changes})
    ((where, fault),) = caught.value.faults
    assert where == place
    assert re.search(says, fault), fault
    assert await ids(bench) == ["p/own"]


@pytest.mark.parametrize("changes", [{"plan_name": "q"}, {"task_name": "v"}])
async def test_what_there_is_not_is_not_scheduled(changes: dict[str, Any], bench: Bench) -> None:
    with pytest.raises(BadReference):
        await bench.schedules.create("mine", HOURLY | changes)
    assert await ids(bench) == ["p/own"]


async def test_inputs_that_no_run_could_have_are_not_scheduled(bench: Bench) -> None:
    bench.write(
        {"tasks/t.yaml": f"meta: {{inputs: [{{name: n, type: integer}}, {{name: s}}]}}\n{STEP}"}
    )
    await bench.reload()
    with pytest.raises(InputsRejected, match="do not fit task 't' of 'p': n: "):
        await bench.schedules.create("mine", {**HOURLY, "inputs": {"n": "x"}})
    large = {"s": "x" * RunSettings().max_inputs_bytes}
    with pytest.raises(InputsTooLarge):
        await bench.schedules.create("mine", {**HOURLY, "inputs": large})
    assert await ids(bench) == ["p/own"]


# --- Changes


async def test_a_change_of_the_time_begins_anew_and_another_does_not(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    bench.clock.put(600)
    later = await bench.schedules.update("mine", {"inputs": {"n": 3}, "every_sec": 3600.0})
    assert (later.schedule.inputs, later.state.decided_at) == ({"n": 3}, START)
    assert later.state.created == later.schedule
    assert later.source is Source.API
    changed = await bench.schedules.update("mine", {"cron": "0 4 * * *"})
    assert (changed.schedule.cron, changed.schedule.every_sec) == ("0 4 * * *", None)
    assert changed.state.decided_at == START + 600
    assert changed.state.basis == "0 4 * * * in UTC"
    back = await bench.schedules.update("mine", {"every_sec": 60.0})
    assert (back.schedule.cron, back.schedule.every_sec) == (None, 60.0)
    assert back.next_run_at == START + 660
    await reopened(bench)
    assert known(bench, "mine") == without_timing(back)


async def test_who_is_enabled_again_has_missed_nothing(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    off = await bench.schedules.update("mine", {"enabled": False})
    assert (off.enabled, off.next_run_at) == (False, math.inf)
    bench.clock.put(7_000)
    on = await bench.schedules.update("mine", {"enabled": True})
    assert (on.enabled, on.state.decided_at) == (True, START + 7_000)
    assert on.next_run_at == START + 7_200


async def test_a_change_is_checked_as_what_is_new(bench: Bench) -> None:
    made = await bench.schedules.create("mine", HOURLY)
    with pytest.raises(RequestInvalid):
        await bench.schedules.update("mine", {"cron": "x"})
    with pytest.raises(BadReference):
        await bench.schedules.update("mine", {"task_name": "v"})
    assert bench.schedules.get("mine") == made


async def test_a_plans_schedule_can_only_be_enabled_and_disabled(bench: Bench) -> None:
    own = bench.schedules.get("p/own")
    assert own.source is Source.PLAN
    refused: list[dict[str, Any]] = [{"inputs": {}}, {"enabled": False, "every_sec": 5.0}]
    for changes in refused:
        with pytest.raises(ScheduleReadOnly, match=r"'p/own' stands in .* of the plan 'p'"):
            await bench.schedules.update("p/own", changes)
    with pytest.raises(ScheduleReadOnly, match=r"'p/own' stands in .* of the plan 'p'"):
        await bench.schedules.delete("p/own")
    assert await bench.schedules.update("p/own", {}) == own
    bench.clock.put(60)
    off = await bench.schedules.update("p/own", {"enabled": False})
    assert (off.source, off.schedule) == (Source.PLAN, own.schedule)
    assert (off.enabled, off.state.enabled, off.next_run_at) == (False, False, math.inf)
    assert (off.state.decided_at, off.state.created) == (START + 60, None)
    await reopened(bench)
    assert known(bench, "p/own") == without_timing(off)
    on = await bench.schedules.update("p/own", {"enabled": True})
    assert (on.enabled, on.state.enabled) == (True, None)  # as the plan says anyway


async def test_one_whose_time_cannot_be_computed_stays_as_it_is(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.schedule("id: own, every: 1d")
    await bench.open()
    (state,) = await bench.store.schedules.load()
    lost = Schedule(id="lost", plan_name="p", task_name="t", cron="0 4 * * *", timezone="Mars/Base")
    await bench.store.schedules.put(
        [ScheduleState(id="lost", basis="", decided_at=state.decided_at, created=lost)]
    )
    await reopened(bench)
    entry = bench.schedules.get("lost")
    assert (entry.timing, entry.source, entry.next_run_at) == (None, Source.API, math.inf)
    assert (entry.schedule, entry.state.created) == (lost, lost)
    accepted = await bench.schedules.run_now("lost")
    assert [run.cid for run in await bench.runs()] == [accepted.cid]
    await bench.schedules.delete("lost")
    assert await ids(bench) == ["p/own"]


async def test_who_is_removed_is_gone_for_good(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    await bench.schedules.delete("mine")
    assert await ids(bench) == ["p/own"]
    await reopened(bench)
    assert await ids(bench) == ["p/own"]


async def test_what_there_is_not_is_said_with_what_there_is(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    for ask in (
        bench.schedules.update("mind", {"enabled": False}),
        bench.schedules.delete("mind"),
        bench.schedules.run_now("mind"),
    ):
        with pytest.raises(ScheduleNotFound, match=r"no schedule 'mind'\. .*'mine'"):
            await ask
    with pytest.raises(ScheduleNotFound, match=r"no schedule 'mind'\. .*'mine'"):
        bench.schedules.get("mind")


# --- Lists


async def test_lists_have_pages(bench: Bench) -> None:
    for id_ in ("d", "b", "c"):
        await bench.schedules.create(id_, HOURLY)
    pages, cursor = [], None
    for _ in range(4):
        page = bench.schedules.list(plan_name=None, plans=None, limit=2, cursor=cursor)
        pages.append([entry.schedule.id for entry in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == [["b", "c"], ["d", "p/own"]]
    with pytest.raises(BadCursor):
        bench.schedules.list(plan_name=None, plans=None, limit=2, cursor="x")


async def test_lists_are_of_one_plan_or_of_those_that_are_seen(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.schedule("id: own, every: 1d")
    bench.write({"../q/tasks/t.yaml": STEP})
    await bench.open()
    await bench.schedules.create("mine", HOURLY)
    await bench.schedules.create("other", {**HOURLY, "plan_name": "q"})

    def seen(plan_name: str | None, plans: frozenset[str] | None) -> list[str]:
        page = bench.schedules.list(plan_name=plan_name, plans=plans, limit=9, cursor=None)
        return [entry.schedule.id for entry in page.items]

    assert seen("p", None) == ["mine", "p/own"]
    assert seen("q", None) == ["other"]
    assert seen(None, frozenset({"q"})) == ["other"]
    assert seen("p", frozenset({"q"})) == []
    assert seen(None, frozenset()) == []
    assert bench.schedules.get("other", plans=frozenset({"q"})).schedule.plan_name == "q"
    with pytest.raises(ScheduleNotFound):
        bench.schedules.get("other", plans=frozenset({"p"}))


# --- Run now


async def test_a_run_now_is_as_at_a_due_time(bench: Bench) -> None:
    await bench.schedules.create("mine", {**HOURLY, "inputs": {"n": 7}, "enabled": False})
    bench.clock.put(60)
    trace = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    accepted = await bench.schedules.run_now("mine", trace=trace)
    assert (accepted.plan_name, accepted.task_name, accepted.replayed) == ("p", "t", False)
    (run,) = await bench.runs()
    assert (run.cid, run.inputs, run.trace) == (accepted.cid, b'{"n":7}', trace)
    assert decode_origin(run.origin) == FromSchedule("mine", START + 60)
    state = bench.schedules.get("mine").state
    assert (state.last_cid, state.last_run_at) == (run.cid, START + 60)
    await reopened(bench)
    assert bench.schedules.get("mine").state == state


async def test_a_run_now_that_is_asked_for_again_is_the_first(bench: Bench) -> None:
    await bench.schedules.create("mine", HOURLY)
    key = IdempotencyKey("k", "digest")
    first = await bench.schedules.run_now("mine", key)
    await bench.schedules.update("mine", {"task_name": "deep/u"})
    bench.clock.put(60)
    again = await bench.schedules.run_now("mine", key)
    assert (again.cid, again.task_name, again.replayed) == (first.cid, "t", True)
    assert bench.schedules.get("mine").state.last_run_at == START
    assert len(await bench.runs()) == 1


async def test_a_full_disk_is_not_filled_by_a_run_now(make_bench: MakeBench) -> None:
    def refuse() -> None:
        raise DiskNearlyFull(1)

    bench = make_bench(check_space=refuse)
    bench.schedule("id: own, every: 1d")
    await bench.open()
    with pytest.raises(DiskNearlyFull):
        await bench.schedules.run_now("p/own")
    assert await bench.runs() == []
