"""What is counted of a column of numbers, of text, and of dates. Imports the standard library only.

Memory per column: 8 bytes per number; for text at most `MOST_DISTINCT` different values of at most
`LONGEST_KEPT` characters; for dates one counter per day.
"""

from array import array
from collections import Counter
from datetime import date, datetime, time
from hashlib import blake2b
from math import fsum, sqrt
from typing import Final, TypedDict

from ._histogram import Bin, histogram
from ._ranks import median
from ._values import Mark, read_date, read_number

#: So many different texts are counted in a column. Of more it is only known that there are more.
MOST_DISTINCT: Final = 100_000
#: Of a longer text only the beginning is kept, and a digest that tells it from others like it.
LONGEST_KEPT: Final = 100
MOST_FREQUENT: Final = 10

_MIDNIGHT: Final = time()


class Count(TypedDict):
    """How often a value occurs."""

    value: str
    count: int


class Numbers(TypedDict):
    """Aggregates of numbers. `stdev` is the sample's, for which there must be two numbers."""

    min: float
    max: float
    sum: float
    mean: float
    median: float
    stdev: float | None
    whole: bool  # no number has a fraction
    bins: list[Bin]


class Texts(TypedDict):
    """Aggregates of text."""

    distinct: int
    distinct_is_exact: bool  # False: there are more, which were not counted
    most_frequent: list[Count]
    longest: int  # characters


class Dates(TypedDict):
    """Aggregates of dates, which are written as in ISO 8601, without an offset (UTC)."""

    first: str
    last: str
    per_period: list[Count]  # in order; a period is a day, a month, or a year


class NumberTally:
    """Keeps numbers."""

    def __init__(self, decimal_mark: Mark) -> None:
        self._decimal_mark: Mark = decimal_mark
        self._numbers = array("d")

    def add(self, cell: str) -> bool:
        """Keeps the number that `cell` writes; False if it writes none."""
        number = read_number(cell, self._decimal_mark)
        if number is None:
            return False
        self._numbers.append(number)
        return True

    def __len__(self) -> int:
        return len(self._numbers)

    def summary(self) -> Numbers:
        """The aggregates of the numbers, of which there must be one at least."""
        numbers, count = self._numbers, len(self._numbers)
        total = fsum(numbers)
        mean = total / count
        whole = all(number.is_integer() for number in numbers)
        squares = fsum((number - mean) ** 2 for number in numbers)
        return Numbers(
            min=min(numbers),
            max=max(numbers),
            sum=total,
            mean=mean,
            median=median(numbers),
            stdev=sqrt(squares / (count - 1)) if count > 1 else None,
            whole=whole,
            bins=histogram(numbers, whole=whole),
        )


class TextTally:
    """Counts the different texts."""

    def __init__(self) -> None:
        self._texts: Counter[str] = Counter()
        self._count = 0
        self._longest = 0

    def add(self, cell: str) -> bool:
        """Counts `cell`: every text is one."""
        self._count += 1
        self._longest = max(self._longest, len(cell))
        if len(cell) > LONGEST_KEPT:
            digest = blake2b(cell.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
            cell = f"{cell[:LONGEST_KEPT]}… ({digest})"
        if cell in self._texts or len(self._texts) < MOST_DISTINCT:
            self._texts[cell] += 1
        return True

    def __len__(self) -> int:
        return self._count

    def summary(self) -> Texts:
        """The aggregates; of equally frequent texts the first in the alphabet comes first."""
        by_count = sorted(self._texts.items(), key=lambda item: (-item[1], item[0]))
        return Texts(
            distinct=len(self._texts),
            distinct_is_exact=self._texts.total() == self._count,
            most_frequent=[Count(value=text, count=n) for text, n in by_count[:MOST_FREQUENT]],
            longest=self._longest,
        )


class DateTally:
    """Counts dates by day, and keeps the first and the last."""

    def __init__(self, *, day_first: bool) -> None:
        self._day_first = day_first
        self._days: Counter[date] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._has_times = False

    def add(self, cell: str) -> bool:
        """Counts the date that `cell` writes; False if it writes none."""
        moment = read_date(cell, day_first=self._day_first)
        if moment is None:
            return False
        self._days[moment.date()] += 1
        self._first = moment if self._first is None else min(self._first, moment)
        self._last = moment if self._last is None else max(self._last, moment)
        self._has_times = self._has_times or moment.time() != _MIDNIGHT
        return True

    def __len__(self) -> int:
        return self._days.total()

    def summary(self) -> Dates:
        """The aggregates of the dates, of which there must be one at least."""
        return Dates(
            first=self._written(self._first),
            last=self._written(self._last),
            per_period=count_per_period(self._days),
        )

    def _written(self, moment: datetime | None) -> str:
        if moment is None:
            return ""
        shape = "%Y-%m-%d %H:%M:%S" if self._has_times else "%Y-%m-%d"
        return moment.strftime(shape)


def count_per_period(days: Counter[date]) -> list[Count]:
    """How many dates fall on each day, month or year, whichever gives a few dozen periods.

    In order, and without a gap: a period on which none falls has the count 0.
    """
    first, last = min(days), max(days)
    span = (last - first).days
    if span > 1_500:
        periods = {f"{year:04}": 0 for year in range(first.year, last.year + 1)}
    else:
        length = len("2026-03-01") if span <= 45 else len("2026-03")
        between = (date.fromordinal(first.toordinal() + number) for number in range(span + 1))
        periods = {day.isoformat()[:length]: 0 for day in between}
    length = len(next(iter(periods)))
    for day, count in days.items():
        periods[day.isoformat()[:length]] += count
    return [Count(value=period, count=count) for period, count in periods.items()]
