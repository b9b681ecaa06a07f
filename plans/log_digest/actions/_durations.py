"""Percentiles of durations in constant memory. Imports the standard library only."""

from collections import Counter
from math import exp, floor, log
from typing import Final

#: Durations less than 2 % apart share a bucket, so that a percentile is at most 1 % off.
_LOG_STEP: Final = log(1.02)
#: No log writes shorter ones but as 0.
_SHORTEST_MS: Final = 0.001
_ZERO: Final = floor(log(_SHORTEST_MS) / _LOG_STEP)


class Durations:
    """Counts durations in milliseconds; a few hundred counters do for any number of them."""

    def __init__(self) -> None:
        self.count = 0
        self.total_ms = 0.0
        self.max_ms = 0.0
        self._buckets: Counter[int] = Counter()

    def add(self, duration_ms: float) -> None:
        """Counts one duration."""
        self.count += 1
        self.total_ms += duration_ms
        self.max_ms = max(self.max_ms, duration_ms)
        is_zero = duration_ms <= _SHORTEST_MS
        self._buckets[_ZERO if is_zero else floor(log(duration_ms) / _LOG_STEP)] += 1

    @property
    def mean_ms(self) -> float:
        """The mean, or 0 if there is no duration."""
        return self.total_ms / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """The duration that `percent` of all do not exceed, to 1 %; 0 if there is none."""
        wanted = self.count * percent / 100
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return 0.0 if bucket == _ZERO else min(self.max_ms, exp((bucket + 0.5) * _LOG_STEP))
        return 0.0
