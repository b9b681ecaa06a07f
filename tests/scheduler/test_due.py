"""What of a schedule is due at a moment, and which of it is run: without a store, without a clock.

Imports pytest and aura_aio's scheduler, catalog and model.
"""

import math
from typing import Any

import pytest

from aura_aio.catalog.due_times import jittered, timing_of
from aura_aio.model.schedule import CatchUp, Overlap, Schedule
from aura_aio.scheduler.due import Due, DueRules, next_run_at, what_is_due
from tests.scheduler.bench import START

HOUR = 3600.0
ONE, TWO, THREE = START + HOUR, START + 2 * HOUR, START + 3 * HOUR
RULES = DueRules(late_sec=60.0, catch_up_limit=9)


def hourly(**changes: Any) -> Schedule:
    """A schedule that is due every hour, and whose runs may overlap."""
    made = {"every_sec": HOUR, "overlap": Overlap.QUEUE, **changes}
    return Schedule(id="a", plan_name="p", task_name="t", **made)


def due_at(now: float, schedule: Schedule) -> Due | None:
    """What is due then, if all before the start is decided."""
    return what_is_due(schedule, timing_of(schedule), decided_at=START, now=now, rules=RULES)


def test_what_jitter_puts_off_is_not_due_yet_and_holds_up_nothing_before_it() -> None:
    schedule = hourly(jitter_sec=HOUR / 2, catch_up=CatchUp.ALL)
    put_off = jittered(schedule, timing_of(schedule), THREE)
    assert due_at((THREE + put_off) / 2, schedule) == Due(TWO, (ONE, TWO), 0)
    assert due_at(put_off, schedule) == Due(THREE, (ONE, TWO, THREE), 0)


@pytest.mark.parametrize(
    ("catch_up", "late_sec", "run"),
    [
        (CatchUp.NONE, 60.0, (THREE,)),
        (CatchUp.NONE, 60.1, ()),
        (CatchUp.LATEST, 60.1, (THREE,)),
        (CatchUp.ALL, 60.1, (ONE, TWO, THREE)),
    ],
)
def test_of_what_was_missed_so_much_is_made_up_for(
    catch_up: CatchUp, late_sec: float, run: tuple[float, ...]
) -> None:
    assert due_at(THREE + late_sec, hourly(catch_up=catch_up)) == Due(THREE, run, 3 - len(run))


def test_without_overlap_it_is_one_at_the_most() -> None:
    schedule = hourly(catch_up=CatchUp.ALL, overlap=Overlap.SKIP)
    assert due_at(THREE, schedule) == Due(THREE, (THREE,), 2)
    assert due_at(ONE - 1, schedule) is None


def test_what_is_never_due_again_is_never_run() -> None:
    class Over:
        """Due times that have come to an end."""

        def after(self, _: float) -> Any:
            return iter(())

    over: Any = Over()
    assert next_run_at(hourly(), over, START) == math.inf
