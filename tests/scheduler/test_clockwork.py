"""Schedules over time: each due time once, over restarts, downtime and changes of the clocks.

Imports pytest, aura_aio.model and `bench`.
"""

import logging

import pytest

from aura_aio.model.run import CancelRequest
from aura_aio.model.schedule import DueOutcome
from aura_aio.model.states import RunState
from aura_aio.scheduler.schedule_book import Source
from tests.scheduler.bench import START, STEP, Bench, TurnedClock, at
from tests.scheduler.conftest import MakeBench

HOUR = 3600.0
MINUTE = 60.0


async def scheduled(
    make_bench: MakeBench, *schedules: str, clock: TurnedClock | None = None, **settings: int
) -> Bench:
    """An open bench with these schedules."""
    bench = make_bench(clock, **settings)
    bench.schedule(*schedules)
    await bench.open()
    return bench


def outcome(bench: Bench, id_: str = "p/a") -> tuple[DueOutcome | None, str | None]:
    state = bench.book.entries[id_].state
    return state.outcome, state.message


async def test_a_run_is_queued_at_each_due_time(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 10m, overlap: queue")
    await bench.turn(599)
    assert await bench.due() == []
    await bench.turn(1)
    await bench.turn(20 * MINUTE)
    assert await bench.due() == [START + 600, START + 1200, START + 1800]
    runs = await bench.runs()
    assert {(run.plan_name, run.task_name, run.state) for run in runs} == {
        ("p", "t", RunState.QUEUED)
    }
    assert await bench.store.runs.definition(runs[0].definition_digest) is not None
    state = bench.book.entries["p/a"].state
    assert (state.last_cid, state.last_run_at) == (runs[-1].cid, START + 1800)
    assert outcome(bench) == (DueOutcome.QUEUED, None)


async def test_a_schedule_that_is_made_where_there_was_none_is_run(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.write({"tasks/t.yaml": STEP})
    await bench.open()
    await bench.turn(600)
    await bench.schedules.create("a", {"plan_name": "p", "task_name": "t", "every_sec": 60.0})
    await bench.settled()
    await bench.turn(60)
    assert len(await bench.runs()) == 1


async def test_the_inputs_are_those_of_the_schedule(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.schedule("id: a, every: 60, inputs: {city: Oslo}")
    bench.write(
        {"tasks/t.yaml": f"meta: {{inputs: [{{name: city}}, {{name: n, default: '3'}}]}}\n{STEP}"}
    )
    await bench.open()
    await bench.turn(60)
    (run,) = await bench.runs()
    assert run.inputs == b'{"city":"Oslo","n":"3"}'


@pytest.mark.parametrize(
    ("cron", "start", "hours", "due"),
    [
        # Spring: 02:30 is left out, and is run at 03:00 summer time.
        ("30 2 * * *", "2026-03-28T12:00:00+01:00", 48, [
            "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00",
        ]),
        # Autumn: 02:30 comes twice, and is run in the first of the two hours.
        ("30 2 * * *", "2026-10-24T12:00:00+02:00", 48, [
            "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00",
        ]),
        # What is run each hour is run in both.
        ("30 * * * *", "2026-10-25T01:45:00+02:00", 3, [
            "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00",
        ]),
    ],
)  # fmt: skip
async def test_over_a_change_of_the_clocks(
    make_bench: MakeBench, cron: str, start: str, hours: int, due: list[str]
) -> None:
    bench = await scheduled(
        make_bench,
        f'id: a, cron: "{cron}", timezone: Europe/Berlin, overlap: queue',
        clock=TurnedClock(at(start)),
    )
    await bench.turn(hours * HOUR)
    assert await bench.due() == [at(each) for each in due]


async def test_a_restart_within_the_hour_that_comes_twice_runs_nothing_again(
    make_bench: MakeBench,
) -> None:
    bench = await scheduled(
        make_bench,
        'id: a, cron: "30 2 * * *", timezone: Europe/Berlin, overlap: queue, catch_up: all',
        clock=TurnedClock(at("2026-10-25T02:00:00+02:00")),
    )
    await bench.turn(40 * MINUTE)
    assert len(await bench.due()) == 1
    await bench.close()
    bench.clock.turn(35 * MINUTE)  # 02:15 again
    await bench.open()
    await bench.turn(HOUR)
    assert await bench.due() == [at("2026-10-25T02:30:00+02:00")]


async def test_a_restart_neither_loses_nor_doubles_a_due_time(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 10m, overlap: queue")
    await bench.turn(600)
    await bench.close()
    await bench.open()
    assert await bench.due() == [START + 600]
    await bench.turn(590)
    await bench.close()
    bench.clock.turn(30)  # the due time passes meanwhile, and is on time still
    await bench.open()
    assert await bench.due() == [START + 600, START + 1200]
    await bench.turn(600)
    assert await bench.due() == [START + 600, START + 1200, START + 1800]


async def test_a_restart_does_not_roll_the_jitter_again(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, jitter_sec: 1800, overlap: queue")
    will_be = bench.book.entries["p/a"].next_run_at
    assert START + HOUR < will_be < START + 1.5 * HOUR
    bench.clock.turn(will_be - bench.clock.now() - 1)  # between the due time and its run
    await bench.settled()
    assert await bench.due() == []
    await bench.close()
    await bench.open()
    assert bench.book.entries["p/a"].next_run_at == will_be
    await bench.turn(1)
    assert await bench.due() == [START + HOUR]
    (run,) = await bench.runs()
    assert run.created_at == pytest.approx(will_be)


@pytest.mark.parametrize(
    ("catch_up", "numbers"),
    [("none", []), ("latest", [3]), ("all", [1, 2, 3])],
)
async def test_what_was_missed_is_made_up_for_as_the_schedule_says(
    make_bench: MakeBench, catch_up: str, numbers: list[int]
) -> None:
    bench = await scheduled(make_bench, f"id: a, every: 1h, overlap: queue, catch_up: {catch_up}")
    await bench.close()
    bench.clock.turn(3.5 * HOUR)
    await bench.open()
    assert await bench.due() == [START + number * HOUR for number in numbers]
    missed = (DueOutcome.MISSED, "It was too late when somebody was there again.")
    assert outcome(bench) == ((DueOutcome.QUEUED, None) if numbers else missed)
    await bench.turn(HOUR)
    assert await bench.due() == [START + number * HOUR for number in [*numbers, 4]]


async def test_what_was_decided_of_a_due_time_stands_in_the_log(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.schedules")
    bench = await scheduled(make_bench, "id: a, every: 1h, catch_up: none, overlap: skip")
    await bench.turn(2 * HOUR)
    await bench.close()
    bench.clock.turn(3.5 * HOUR)
    await bench.open()
    told = [vars(each) for each in caplog.records]
    asked = ("action", "schedule", "runs", "left_out")
    assert [tuple(each.get(name) for name in asked) for each in told] == [
        ("schedule_queued", "p/a", 1, 0),
        ("schedule_skipped", "p/a", None, None),
        ("schedule_missed", "p/a", None, 3),
    ]
    assert ["reason" in each for each in told] == [False, True, True]
    assert [each["cid"] for each in told[:1]] == [run.cid for run in await bench.runs()]


async def test_only_so_many_are_made_up_for(make_bench: MakeBench) -> None:
    bench = await scheduled(
        make_bench, "id: a, every: 1h, overlap: queue, catch_up: all", catch_up_limit=2
    )
    await bench.close()
    bench.clock.turn(1000.5 * HOUR)
    await bench.open()
    assert await bench.due() == [START + 999 * HOUR, START + 1000 * HOUR]


async def test_making_up_for_all_without_overlap_is_one_run(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, catch_up: all")
    await bench.close()
    bench.clock.turn(3.5 * HOUR)
    await bench.open()
    assert await bench.due() == [START + 3 * HOUR]


async def test_a_run_that_has_not_ended_is_not_overlapped(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h")
    await bench.turn(2 * HOUR)
    assert await bench.due() == [START + HOUR]
    assert outcome(bench)[0] is DueOutcome.SKIPPED
    await bench.close()
    await bench.open()
    await bench.turn(HOUR)  # over a restart, too
    assert await bench.due() == [START + HOUR]
    await bench.end()
    await bench.turn(HOUR)
    assert await bench.due() == [START + HOUR, START + 4 * HOUR]
    (_, run) = await bench.runs()
    await bench.store.runs.request_cancel(run.cid, CancelRequest(0.0))
    await bench.turn(HOUR)
    assert len(await bench.due()) == 3


async def test_a_clock_that_is_put_forward_is_noticed_within_a_minute(
    make_bench: MakeBench,
) -> None:
    bench = await scheduled(
        make_bench,
        "id: a, every: 1h, overlap: queue, catch_up: latest",
        "id: b, every: 1h, overlap: queue",
    )
    bench.clock.put(2.5 * HOUR)
    bench.clock.turn(MINUTE)
    await bench.settled()
    assert await bench.due() == [START + 2 * HOUR]
    assert outcome(bench, "p/b")[0] is DueOutcome.MISSED
    await bench.turn(HOUR)
    assert sorted(await bench.due())[1:] == [START + 3 * HOUR] * 2


async def test_a_clock_that_is_put_back_brings_no_due_time_again(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, overlap: queue, catch_up: all")
    await bench.turn(2.5 * HOUR)
    assert await bench.due() == [START + HOUR, START + 2 * HOUR]
    with caplog.at_level(logging.WARNING, "aura"):
        bench.clock.put(-2 * HOUR)
        for _ in range(140):
            bench.clock.turn(MINUTE)
            await bench.settled()
    told = [record for record in caplog.records if vars(record).get("action") == "clock_put_back"]
    assert len(told) == 1
    assert await bench.due() == [START + HOUR, START + 2 * HOUR]
    await bench.close()
    await bench.open()
    await bench.turn(HOUR)
    assert await bench.due() == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]


async def test_a_clock_that_is_put_right_by_a_second_is_not_worth_a_line(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h")
    for by, lines in ((-1, 0), (-1.5, 1)):
        bench.clock.put(by - MINUTE)
        bench.clock.turn(MINUTE)
        await bench.settled()
        assert len(caplog.records) == lines


async def test_times_before_a_schedule_was_there_are_not_missed(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, overlap: queue, catch_up: all")
    await bench.turn(90 * MINUTE)
    bench.schedule(
        "id: a, every: 30m, overlap: queue, catch_up: all",
        "id: b, every: 1h, overlap: queue, catch_up: all",
    )
    await bench.reload()
    assert await bench.due() == [START + HOUR]  # 1:30 would have been due by the new interval
    await bench.turn(30 * MINUTE)
    assert sorted(await bench.due()) == [START + HOUR, START + 2 * HOUR, START + 2 * HOUR]
    await bench.close()
    bench.clock.turn(35 * MINUTE)
    await bench.open()  # it is due at other times than before no more
    assert sorted(await bench.due())[3:] == [START + 2.5 * HOUR]


async def test_times_while_a_schedule_was_disabled_are_not_missed(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, overlap: queue, catch_up: all")
    await bench.schedules.update("p/a", {"enabled": False})
    await bench.turn(2.5 * HOUR)
    await bench.close()
    await bench.open()
    assert not bench.schedules.get("p/a").enabled
    await bench.schedules.update("p/a", {"enabled": True})
    await bench.settled()
    assert await bench.due() == []
    await bench.turn(HOUR)
    assert await bench.due() == [START + 3 * HOUR]


async def test_what_a_plan_disables_begins_anew_when_it_enables_it(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, catch_up: all, enabled: false")
    await bench.close()
    bench.clock.turn(2.5 * HOUR)
    bench.schedule("id: a, every: 1h, catch_up: all")
    await bench.open()
    await bench.turn(HOUR)
    assert await bench.due() == [START + 3 * HOUR]


async def test_a_schedule_of_a_broken_file_goes_on_where_it_was(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, overlap: queue, catch_up: latest")
    await bench.schedules.update("p/a", {"enabled": True})
    bench.write({"schedule.yaml": "- {id: a"})
    await bench.reload()
    assert not bench.book.entries
    await bench.turn(2.5 * HOUR)
    bench.schedule("id: a, every: 1h, overlap: queue, catch_up: latest")
    await bench.reload()
    assert await bench.due() == [START + 2 * HOUR]


async def test_a_task_that_is_gone_fails_its_due_time_and_no_other(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await scheduled(make_bench, "id: b, every: 1h, overlap: queue")
    bench.write({"tasks/u.yaml": STEP})
    await bench.reload()
    await bench.schedules.create("a", {"plan_name": "p", "task_name": "u", "every_sec": HOUR})
    bench.write({"tasks/u.yaml": ""})
    await bench.reload()
    await bench.turn(HOUR)
    assert await bench.due() == [START + HOUR]
    failed, message = outcome(bench, "a")
    assert failed is DueOutcome.FAILED
    assert "has no task 'u'" in str(message)
    (told,) = [vars(each) for each in caplog.records if each.levelno == logging.ERROR]
    assert (told["action"], told["schedule"], told["reason"]) == ("schedule_failed", "a", message)
    assert bench.schedules.get("a").source is Source.API
    bench.write({"tasks/u.yaml": STEP})
    await bench.reload()
    await bench.turn(HOUR)
    assert await bench.due() == [START + HOUR, START + 2 * HOUR, START + 2 * HOUR]


async def test_a_full_queue_makes_a_due_time_wait(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, "id: a, every: 1h, overlap: queue", queue_limit=1)
    await bench.turn(HOUR)
    bench.clock.turn(HOUR)
    await bench.settled()
    assert await bench.due() == [START + HOUR]
    await bench.end()
    bench.clock.turn(5)
    await bench.settled()
    assert await bench.due() == [START + HOUR, START + 2 * HOUR]


async def test_many_schedules_that_are_due_at_once_share_a_commit(make_bench: MakeBench) -> None:
    bench = await scheduled(make_bench, *(f"id: a{number}, every: 1h" for number in range(200)))
    before = bench.store.commits
    await bench.turn(HOUR)
    assert len(await bench.due()) == 200
    assert bench.store.commits - before < 20
