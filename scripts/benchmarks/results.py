"""What a scenario measured, and how it is shown.

Imports the standard library, msgspec and rich.
"""

from collections.abc import Sequence
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table


class Result(msgspec.Struct, frozen=True):
    """A scenario beside its limit: one figure per round and side, in `unit`; higher is better."""

    scenario: str
    unit: str
    what: str
    limit: str
    measured: tuple[float, ...]
    limits: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Round by round: how much of the limit was reached."""
        return tuple(
            measured / limit for measured, limit in zip(self.measured, self.limits, strict=True)
        )

    def summary(self) -> dict[str, object]:
        """For JSON: the rounds and their medians."""
        return msgspec.structs.asdict(self) | {
            "median": median(self.measured),
            "median_limit": median(self.limits),
            "ratios": self.ratios,
            "median_ratio": median(self.ratios),
        }


def show(results: Sequence[Result]) -> None:
    """Print the table."""
    table = Table("scenario", "measured", "limit", "ratio", "spread", "what was compared")
    for result in results:
        ratios = result.ratios
        table.add_row(
            result.scenario,
            f"{median(result.measured):,.0f} {result.unit}",
            f"{median(result.limits):,.0f} {result.unit}",
            f"{median(ratios):.3f}",
            f"{min(ratios):.3f} … {max(ratios):.3f}",
            f"{result.what}; limit: {result.limit}",
        )
    Console().print(table)
