"""The k-th smallest of many numbers, without sorting them all at once. Standard library only."""

from array import array
from math import inf
from typing import Final

#: Up to so many numbers are simply sorted (some 35 MiB for a moment); more are narrowed down first.
SORTABLE: Final = 1_000_000
_BINS: Final = 4_096


def at_ranks(values: "array[float]", ranks: list[int], sortable: int = SORTABLE) -> list[float]:
    """The numbers that would stand at `ranks` (from 0) if the finite `values` were sorted.

    `values` keeps its order. Each narrowing goes over the numbers twice, keeps those of one bin out
    of 4,096, and needs 8 bytes for each of these: two of them do for hundreds of millions.
    """
    if len(values) <= sortable:
        ordered = sorted(values)
        return [ordered[rank] for rank in ranks]
    return [_at_rank(values, rank, sortable) for rank in ranks]


def median(values: "array[float]", sortable: int = SORTABLE) -> float:
    """The middle of `values`, which must not be empty; between the middle two if there are two."""
    middle = len(values) // 2
    if len(values) % 2:
        return at_ranks(values, [middle], sortable)[0]
    low, high = at_ranks(values, [middle - 1, middle], sortable)
    return (low + high) / 2


def _at_rank(values: "array[float]", rank: int, sortable: int) -> float:
    while len(values) > sortable:
        low, high = min(values), max(values)
        scale = (_BINS - 1) / (high - low) if high > low else inf
        if scale == inf:
            break  # all equal, or too close together to be told apart by bins
        counts = [0] * _BINS
        for value in values:
            counts[int((value - low) * scale)] += 1
        wanted = 0
        while rank >= counts[wanted]:
            rank -= counts[wanted]
            wanted += 1
        values = array("d", (value for value in values if int((value - low) * scale) == wanted))
    return sorted(values)[rank]
