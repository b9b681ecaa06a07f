"""When schedules are due: over both changes of the clocks, from the epoch, and long ago.

Imports pytest, hypothesis, aura_aio.catalog and model.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aura_aio.catalog.due_times import (
    Cron,
    Every,
    Timing,
    TimingFault,
    UnknownZone,
    jittered,
    latest_due,
    timing_of,
)
from aura_aio.model.schedule import Schedule

BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata")


def at(text: str) -> float:
    """Seconds since the epoch of an ISO time with its offset."""
    return datetime.fromisoformat(text).timestamp()


def next_due(timing: Timing, after: str, count: int, zone: str = BERLIN) -> list[str]:
    """The next due times, as local times with their offset."""
    due = islice(timing.after(at(after)), count)
    return [datetime.fromtimestamp(each, ZoneInfo(zone)).isoformat(" ", "minutes") for each in due]


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        # A fixed time that is left out comes at the end of the gap, once.
        ("30 2 * * *", ["2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"]),
        ("0,30 2 * * *", ["2026-03-29 03:00+02:00", "2026-03-30 02:00+02:00"]),
        # What goes on by the hour goes on by the time that passes.
        ("30 * * * *", ["2026-03-29 00:30+01:00", "2026-03-29 01:30+01:00"]),
        ("*/30 2 * * *", ["2026-03-30 02:00+02:00", "2026-03-30 02:30+02:00"]),
    ],
)
def test_the_hour_that_is_left_out_in_spring(cron: str, due: list[str]) -> None:
    assert next_due(Cron(cron, BERLIN), "2026-03-29T00:00:00+01:00", len(due)) == due


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        # A fixed time comes once, in the first of the two hours.
        ("30 2 * * *", ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]),
        # What goes on by the hour comes in both.
        (
            "30 * * * *",
            [
                "2026-10-25 01:30+02:00",
                "2026-10-25 02:30+02:00",
                "2026-10-25 02:30+01:00",
                "2026-10-25 03:30+01:00",
            ],
        ),
    ],
)
def test_the_hour_that_comes_twice_in_autumn(cron: str, due: list[str]) -> None:
    assert next_due(Cron(cron, BERLIN), "2026-10-25T01:00:00+02:00", len(due)) == due


def test_what_was_due_in_the_first_hour_is_not_due_in_the_second() -> None:
    """Asked in the second hour, cronsim begins with the first one again."""
    daily = Cron("30 2 * * *", BERLIN)
    assert next_due(daily, "2026-10-25T02:10:00+01:00", 1) == ["2026-10-26 02:30+01:00"]
    assert next_due(daily, "2026-10-25T02:30:00+02:00", 1) == ["2026-10-26 02:30+01:00"]


def test_an_interval_counts_from_the_epoch_whenever_it_is_asked() -> None:
    every = Every(5400.0)
    assert list(islice(every.after(0.0), 2)) == [5400.0, 10800.0]
    assert next(every.after(5399.9)) == 5400.0
    assert next(every.after(5400.0)) == 10800.0
    day = Every(86_400.0)
    assert next_due(day, "2026-03-28T12:00:00+00:00", 2, "UTC") == [
        "2026-03-29 00:00+00:00",
        "2026-03-30 00:00+00:00",
    ]


@pytest.mark.parametrize("every_sec", [1.0, 1.1, 7.7, 0.1 + 0.2 + 1])
def test_an_interval_leaves_none_out_and_gives_none_twice(every_sec: float) -> None:
    moment = 1_769_860_800.0
    for _ in range(1000):
        following = next(Every(every_sec).after(moment))
        assert 0 < following - moment < every_sec * 1.001
        moment = following


@pytest.mark.parametrize("cron", ["", "* * * *", "60 * * * *", "* * * * 8", "*/0 * * * *", "²L"])
def test_what_is_no_cron_expression(cron: str) -> None:
    with pytest.raises(TimingFault, match="no cron expression"):
        Cron(cron, "UTC")


def test_a_cron_expression_that_is_never_due() -> None:
    """The last working day of a month is no Sunday."""
    with pytest.raises(TimingFault, match="never due"):
        Cron("0 0 LW * */7", "UTC")


def test_a_cron_expression_is_bounded() -> None:
    with pytest.raises(TimingFault, match="not longer than 200"):
        Cron(",".join(["1"] * 100) + " * * * *", "UTC")


@pytest.mark.parametrize("zone", ["", "Nowhere", "Europe", "../x", "/etc/passwd", "a" * 300, "\0"])
def test_what_is_no_time_zone(zone: str) -> None:
    with pytest.raises(UnknownZone, match="no time zone"):
        Cron("* * * * *", zone)


def test_a_schedule_without_a_time_is_refused() -> None:
    with pytest.raises(TimingFault, match="'cron' or 'every'"):
        timing_of(Schedule(id="a", plan_name="p", task_name="t"))


CRONS = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "30 2 * * *", "15,45 1-3 * * *", "*/20 2 * * *", "0 0 * * 1"]
)
HOURS = st.integers(0, 365 * 24 * 4)
START = datetime(2026, 1, 1, tzinfo=UTC)


def within(timing: Timing, after: float, until: float) -> Iterator[float]:
    """All due times in (after, until]."""
    return takewhile(lambda due: due <= until, timing.after(after))


@settings(max_examples=150, deadline=None)
@given(CRONS, st.sampled_from(ZONES), HOURS, st.integers(0, 100_000), st.integers(0, 100_000))
def test_due_times_are_the_same_from_wherever_they_are_asked(
    cron: str, zone: str, quarter_hours: int, first: int, second: int
) -> None:
    timing = Cron(cron, zone)
    start = (START + timedelta(minutes=15 * quarter_hours)).timestamp()
    middle, end = start + first, start + first + second
    whole = list(within(timing, start, end))
    assert whole == sorted(set(whole))
    assert whole == [*within(timing, start, middle), *within(timing, middle, end)]
    for most in (1, 3, 100_000):
        assert latest_due(timing, start, end, most) == tuple(whole[-most:])


def test_the_latest_of_years_are_found_at_once() -> None:
    until = at("2026-03-01T00:00:30+00:00")
    assert latest_due(Every(1.0), 0.0, until, 2) == (until - 1, until)
    assert latest_due(Cron("* * * * *", "UTC"), 0.0, until, 2) == (until - 90, until - 30)
    yearly = latest_due(Cron("0 0 1 1 *", "UTC"), 0.0, until, 2)
    assert yearly == (at("2025-01-01T00:00:00+00:00"), at("2026-01-01T00:00:00+00:00"))
    assert latest_due(Cron("0 0 1 1 *", "UTC"), until - 5, until, 2) == ()


def jitter(schedule: Schedule, due: float) -> float:
    """How much later than `due` its run is."""
    return jittered(schedule, timing_of(schedule), due) - due


def test_jitter_is_the_same_at_every_call_and_spread_over_its_range() -> None:
    schedule = Schedule(id="p/a", plan_name="p", task_name="t", every_sec=60.0, jitter_sec=30.0)
    found = [jitter(schedule, 60.0 * number) for number in range(1000)]
    assert found == [jitter(schedule, 60.0 * number) for number in range(1000)]
    assert 0 <= min(found) < 1
    assert 29 < max(found) < 30
    assert 13 < sum(found) / len(found) < 17
    assert jitter(replace(schedule, id="p/b"), 60.0) != jitter(schedule, 60.0)
    assert jitter(replace(schedule, jitter_sec=0.0), 60.0) == 0


def test_jitter_never_reaches_the_next_due_time() -> None:
    schedule = Schedule(id="p/a", plan_name="p", task_name="t", every_sec=60.0, jitter_sec=1e6)
    found = [jitter(schedule, 60.0 * number) for number in range(1000)]
    assert 55 < max(found) < 60
