"""Results as tables: on the screen, and in the documentation.

Imports the standard library, rich and `benchmarks.results`.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.results import LIMIT, Bar, Result, Verdict

HEAD: Final = ("what", "measured", "compared with", "ratio", "lowest … highest", "bar", "")
_WIDTH: Final = 160
"""In characters, where the output goes into a file."""
_COLORS: Final = {Verdict.MET: "green", Verdict.NOT_MET: "red", Verdict.UNKNOWN: "yellow"}


class Row(NamedTuple):
    """A line of the table; `verdict` is empty where there is no bar."""

    what: str
    measured: str
    against: str
    ratio: str
    spread: str
    bar: str
    verdict: str


def rows(results: Sequence[Result]) -> Iterator[Row]:
    """A line for each bar; one for a result without any."""
    for result in results:
        for bar in result.bars:
            yield _row(result, bar)
        if not result.bars:
            yield _row(result, None)


def show(results: Sequence[Result]) -> None:
    """Print the table, and below it who was compared and how they did."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(*HEAD)
    for row in rows(results):
        color = _COLORS.get(Verdict(row.verdict)) if row.verdict else None
        table.add_row(*row[:-1], f"[{color}]{row.verdict}[/]" if color else "")
    console.print(table)
    for line in notes(results):
        console.print(line, highlight=False, markup=False)


def markdown(results: Sequence[Result]) -> str:
    """The same table for a page."""
    lines = [_cells(HEAD), _cells(["---"] * len(HEAD))]
    lines += [_cells(row) for row in rows(results)]
    return "\n".join(lines) + "\n"


def notes(results: Sequence[Result]) -> Iterator[str]:
    """What was compared, a line for each side."""
    for result in results:
        yield f"{result.name}: {result.ours.what}"
        sides = [] if result.limit is None else [("limit: ", result.limit)]
        sides += [("", peer) for peer in result.peers]
        for label, side in sides:
            what = f"{label}{side.what}" if label else f"{side.name}: {side.what}"
            yield f"    {figure(side.median)} {result.unit}  {what}"
        for name, why in result.absent.items():
            yield f"    not measured: {name}, because {why}"


def figure(value: float) -> str:
    """A number for people: three digits, or all of those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _row(result: Result, bar: Bar | None) -> Row:
    against = LIMIT if bar is None else bar.against
    side = None if against is None else result.side(against)
    values = result.values(bar or Bar(0, LIMIT))
    return Row(
        result.name,
        f"{figure(result.ours.median)} {result.unit}",
        _named(result, against),
        f"{figure(median(values))}" if values and side is not None else "",
        f"{figure(min(values))} … {figure(max(values))}" if values else "",
        "" if bar is None else _told(result, bar),
        "" if bar is None else result.verdict(bar).value,
    )


def _named(result: Result, against: str | None) -> str:
    if against is None:
        return ""
    side = result.side(against)
    if side is None:
        return f"{against}: not measured" if against != LIMIT else ""
    return f"{side.name}: {figure(side.median)} {result.unit}"


def _told(result: Result, bar: Bar) -> str:
    sign = "≤" if result.lower_is_better else "≥"
    return f"{sign} {figure(bar.number)}" + (f" {result.unit}" if bar.against is None else "")


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
