"""How numbers are spread over round intervals. Imports the standard library only."""

from array import array
from math import ceil, floor, log10
from typing import Final, TypedDict

from ._ranks import at_ranks

_WANTED_BINS: Final = 16
#: This share of the numbers, at either end, gets no bins if it lies far away from all others.
_OUTER: Final = 0.01


class Bin(TypedDict):
    """How many numbers lie from `start` up to `end`, which belongs to the next bin.

    Of whole numbers both belong to the bin. The last bin has its end in any case.
    """

    start: float
    end: float
    count: int


def histogram(values: "array[float]", *, whole: bool) -> list[Bin]:
    """Bins of the same round width over `values`, of which there must be one at least.

    A few numbers far out would press all others into one bin. They are left out then, so that the
    counts add up to less than all.
    """
    low, high = _drawn_range(values)
    if low == high:
        return [Bin(start=low, end=high, count=sum(value == low for value in values))]
    width = round_step((high - low) / _WANTED_BINS)
    if whole:
        width = max(1, ceil(width))
    first = floor(low / width)
    last = floor(high / width) if whole else max(first, ceil(high / width) - 1)
    counts = [0] * (last - first + 1)
    for value in values:
        if low <= value <= high:
            counts[max(0, min(floor(value / width) - first, last - first))] += 1
    return [
        Bin(start=number * width, end=(number + 1) * width - (1 if whole else 0), count=count)
        for number, count in enumerate(counts, first)
    ]


def round_step(step: float) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that is not below `step` (> 0)."""
    power = 10.0 ** floor(log10(step))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= step), 10 * power)


def _drawn_range(values: "array[float]") -> tuple[float, float]:
    low, high = min(values), max(values)
    outer = int((len(values) - 1) * _OUTER)
    near, far = at_ranks(values, [outer, len(values) - 1 - outer])
    if near == far:
        return low, high
    reach = far - near
    return (low if near - low <= reach else near), (high if high - far <= reach else far)
