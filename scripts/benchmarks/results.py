"""What a scenario measured, and how it is shown.

Imports the standard library, msgspec and rich.
"""

from collections.abc import Sequence
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table


class Result(msgspec.Struct, frozen=True):
    """A scenario beside its limit: one figure per round and side, in `unit`."""

    scenario: str
    unit: str
    what: str
    limit: str
    measured: tuple[float, ...]
    limits: tuple[float, ...]
    lower_is_better: bool = False

    @property
    def ratios(self) -> tuple[float, ...]:
        """Round by round: measured / limit."""
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
    """Print the table, and below it what each scenario compared."""
    console = Console()
    table = Table("scenario", "measured", "limit", "ratio", "lowest … highest", "better is")
    for result in results:
        ratios = result.ratios
        table.add_row(
            result.scenario,
            f"{_figure(result.measured)} {result.unit}",
            f"{_figure(result.limits)} {result.unit}",
            f"{median(ratios):.3g}",
            f"{min(ratios):.3g} … {max(ratios):.3g}",
            "lower" if result.lower_is_better else "higher",
        )
    console.print(table)
    for result in results:
        console.print(f"{result.scenario}: {result.what}\n  limit: {result.limit}", highlight=False)


def _figure(values: Sequence[float]) -> str:
    middle = median(values)
    return f"{middle:,.0f}" if middle >= 100 else f"{middle:.3g}"
