"""What is due of a schedule at a moment, and which of it is to be run: pure.

May import catalog's due times, model and the standard library only.
"""

import math
from typing import NamedTuple

import msgspec

from aura_aio.catalog.due_times import Timing, jittered, latest_due
from aura_aio.model.schedule import CatchUp, Overlap, Schedule


class DueRules(msgspec.Struct, frozen=True):
    """How late, in seconds, a due time may be and still be on time; and how many of those that were
    missed may be made up for at once.
    """

    late_sec: float
    catch_up_limit: int


class Due(NamedTuple):
    """Due times that are to be decided together, up to the last one: `run` are those to be run,
    `left_out` how many are not (at least; no more than the limit are counted).
    """

    until: float
    run: tuple[float, ...]
    left_out: int


def next_run_at(schedule: Schedule, timing: Timing, decided_at: float) -> float:
    """When the first due time after `decided_at` is to be run; infinite if there is none."""
    due = next(timing.after(decided_at), math.inf)
    return jittered(schedule, timing, due) if math.isfinite(due) else due


def what_is_due(
    schedule: Schedule, timing: Timing, *, decided_at: float, now: float, rules: DueRules
) -> Due | None:
    """The due times after `decided_at` whose time has come; None if there are none.

    The latest of them is run if it is not late. Those before it, and a late one, were missed:
    `catch_up` says whether they are run. With `overlap: skip` no more than one of them is.
    """
    due = latest_due(timing, decided_at, now, rules.catch_up_limit + 2)
    if due and jittered(schedule, timing, due[-1]) > now:
        due = due[:-1]
    if not due:
        return None
    is_late = now - jittered(schedule, timing, due[-1]) > rules.late_sec
    chosen = {
        CatchUp.ALL: due[-rules.catch_up_limit :],
        CatchUp.LATEST: due[-1:],
        CatchUp.NONE: () if is_late else due[-1:],
    }[schedule.catch_up]
    if schedule.overlap is Overlap.SKIP:
        chosen = chosen[-1:]
    return Due(due[-1], chosen, len(due) - len(chosen))
