"""What was measured: the sides of a comparison, the bars that are set, and what is met.

Imports the standard library and msgspec.
"""

from collections.abc import Mapping
from enum import StrEnum
from statistics import median
from typing import Final

import msgspec

LIMIT: Final = "limit"
BEST_PEER: Final = "best peer"


class Verdict(StrEnum):
    """What came of a bar."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"
    """What it compares with was not to be had."""


class Side(msgspec.Struct, frozen=True):
    """One of those that are compared, with a figure for each round."""

    name: str
    what: str
    figures: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure in the middle."""
        return median(self.figures)


class Bar(msgspec.Struct, frozen=True):
    """What is to be reached: by the figure itself, or by its ratio to the side `against`
    (`LIMIT`, `BEST_PEER`, the name of a peer).
    """

    number: float
    against: str | None = None


class Conditions(msgspec.Struct, frozen=True):
    """Where and when something was measured."""

    at: str
    machine: str
    cores: int
    python: str
    load: float
    """What else the machine had to do when the scenario began: the load average of a minute."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario, or a part of one, beside its limit and its peers; all figures in `unit`.

    `absent` says of each peer that was not to be had why not.
    """

    scenario: str
    part: str = ""
    unit: str
    ours: Side
    limit: Side | None = None
    peers: tuple[Side, ...] = ()
    absent: Mapping[str, str] = {}
    bars: tuple[Bar, ...] = ()
    lower_is_better: bool = False
    conditions: Conditions | None = None

    @property
    def name(self) -> str:
        """What it is called in tables and charts."""
        return f"{self.scenario}, {self.part}" if self.part else self.scenario

    def side(self, against: str) -> Side | None:
        """The side that a bar names, if it was measured."""
        if against == LIMIT:
            return self.limit
        if against == BEST_PEER:
            best = min if self.lower_is_better else max
            return best(self.peers, key=lambda peer: peer.median, default=None)
        return next((peer for peer in self.peers if peer.name == against), None)

    def ratios(self, against: str) -> tuple[float, ...]:
        """Round by round our figure by that of the other side; none without that side."""
        side = self.side(against)
        if side is None:
            return ()
        return tuple(
            ours / theirs for ours, theirs in zip(self.ours.figures, side.figures, strict=True)
        )

    def values(self, bar: Bar) -> tuple[float, ...]:
        """What `bar` is held against, round by round; none if there is nothing to compare with."""
        return self.ours.figures if bar.against is None else self.ratios(bar.against)

    def verdict(self, bar: Bar) -> Verdict:
        """Whether the middle of the rounds reaches `bar`."""
        values = self.values(bar)
        if not values:
            return Verdict.UNKNOWN
        return Verdict.MET if self.reach(bar) >= 1 else Verdict.NOT_MET

    def reach(self, bar: Bar) -> float:
        """How far the bar is reached: 1 is just so, 2 is twice as good.

        The values of the bar must be there.
        """
        middle = median(self.values(bar))
        return bar.number / middle if self.lower_is_better else middle / bar.number
