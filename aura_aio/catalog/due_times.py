"""When a schedule is due: cron expressions in a time zone, and intervals from the epoch.

May import the standard library, cronsim and model only. Time zones are read from files: make a
`Timing` in a thread.
"""

import hashlib
import math
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from aura_aio.model.schedule import Schedule
from aura_aio.model.suggestions import did_you_mean

MAX_CRON_LENGTH: Final = 200

_FIRST_WINDOW_SEC: Final = 60.0
_WIDEN: Final = 4
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TimingFault(Exception):
    """A schedule whose due times cannot be computed; the sentence says why."""


class UnknownZone(TimingFault):
    """There is no time zone of this name."""


class Cron:
    """The due times of a cron expression: five fields, or six with the seconds first.

    Where clocks are put forward or back, they are those of Debian's cron, as cronsim has them: an
    expression with fixed minutes and hours is due once on such a day, at the end of the gap if its
    time is left out; one with a `*` in either goes on by the time that really passes.
    """

    def __init__(self, expression: str, timezone: str) -> None:
        """Check the expression.

        Raises:
            UnknownZone: there is no such time zone.
            TimingFault: it is no cron expression, or never due.
        """
        self._expression = expression
        self._zone = _zone(timezone)
        if len(expression) > MAX_CRON_LENGTH:
            raise TimingFault(f"A cron expression is not longer than {MAX_CRON_LENGTH} characters.")
        try:
            never = next(CronSim(expression, _EPOCH), None) is None
        except CronSimError as error:
            raise TimingFault(
                f"This is no cron expression ({str(error).lower()}): expected minute, hour, day, "
                'month and weekday, as in "30 4 * * 1-5".'
            ) from error
        if never:
            raise TimingFault("This cron expression is never due.")

    def after(self, moment: float) -> Iterator[float]:
        """The due times after `moment` (seconds since the epoch), in order; they never grow less
        or stay the same, whatever the local clocks do.
        """
        last = moment
        start = datetime.fromtimestamp(math.floor(moment), self._zone)
        for due in CronSim(self._expression, start):
            seconds = due.timestamp()
            if seconds > last:  # from within the hour that comes twice, it begins with the first
                last = seconds
                yield seconds


class Every:
    """The due times of an interval: the multiples of it since the epoch, whenever it was made."""

    def __init__(self, every_sec: float) -> None:
        self._every_sec = every_sec

    def after(self, moment: float) -> Iterator[float]:
        """The due times after `moment`, in order."""
        number = math.floor(moment / self._every_sec)
        while True:
            number += 1
            if (due := number * self._every_sec) > moment:
                yield due


Timing = Cron | Every


def timing_of(schedule: Schedule) -> Timing:
    """What says when `schedule` is due.

    Raises:
        TimingFault: as `Cron`.
    """
    if schedule.cron is not None:
        return Cron(schedule.cron, schedule.timezone)
    if schedule.every_sec is None:
        raise TimingFault("A schedule needs 'cron' or 'every'.")
    return Every(schedule.every_sec)


def latest_due(timing: Timing, after: float, until: float, most: int) -> tuple[float, ...]:
    """The last due times of `timing` in (`after`, `until`], in order, at the most `most`.

    Its cost does not grow with the length of that time: it looks at windows before its end, each
    wider than the one before.
    """
    width = _FIRST_WINDOW_SEC
    while True:
        start = max(after, until - width)
        due = deque(takewhile(lambda each: each <= until, timing.after(start)), maxlen=most)
        if len(due) >= most or start <= after:
            return tuple(due)
        width *= _WIDEN


def jittered(schedule: Schedule, timing: Timing, due: float) -> float:
    """`due` moved by the schedule's jitter: the same at every call, and always before the next due
    time, so that due times keep their order.
    """
    if not schedule.jitter_sec:
        return due
    digest = hashlib.blake2b(f"{schedule.id} {due!r}".encode(), digest_size=8).digest()
    part = int.from_bytes(digest, "big") / 2**64
    following = next(timing.after(due), math.inf)
    return due + part * min(schedule.jitter_sec, following - due)


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # no such name, no name, a folder
        known = available_timezones()
        raise UnknownZone(f"There is no time zone {name!r}.{did_you_mean(name, known)}") from error
