"""The results in the documentation: a file, a picture, and the table in the page about them.

Imports the standard library, `benchmarks.chart`, `record`, `results` and `table`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import chart, record, table
from benchmarks.results import Result

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "explanation"
_RESULTS: Final = "benchmarks.json"
_CHART: Final = "benchmarks.svg"
_PAGE: Final = "performance.md"
BEGIN: Final = "<!-- begin: python scripts/bench.py --publish -->\n"
END: Final = "<!-- end -->\n"

_BUSY: Final = (
    " **The machine was busy with other work**: what stands beside a limit or a peer was measured "
    "by turns, and its ratio says something; figures alone, and bars for them, say little."
)


def publish(new: Sequence[Result], folder: Path = FOLDER) -> None:
    """Put `new` in place of what is published of the same scenarios, and show all of it.

    Raises:
        ValueError: the page does not say where.
    """
    results = record.merged(record.read(folder / _RESULTS), new)
    texts = shown(results, folder)
    record.write(folder / _RESULTS, results)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8", newline="\n")


def published(folder: Path = FOLDER) -> tuple[Result, ...]:
    """What is published."""
    return record.read(folder / _RESULTS)


def shown(results: Sequence[Result], folder: Path = FOLDER) -> dict[str, str]:
    """The picture and the page with `results`, by their names.

    Raises:
        ValueError: the page does not say where.
    """
    page = (folder / _PAGE).read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{folder / _PAGE} has no lines {BEGIN.strip()} and {END.strip()}")
    return {
        _CHART: chart.svg(results),
        _PAGE: f"{before}{BEGIN}{_section(results)}{END}{after}",
    }


def _section(results: Sequence[Result]) -> str:
    notes = "\n".join(table.notes(results))
    return (
        f"\n{_conditions(results)}\n\n{table.markdown(results)}\n"
        f"![How far each bar is reached, and how peers do]({_CHART})\n\n"
        f"Who was compared, with the middle of the rounds:\n\n```text\n{notes}\n```\n\n"
    )


def _conditions(results: Sequence[Result]) -> str:
    known = [result.conditions for result in results if result.conditions is not None]
    days = sorted({each.at.partition("T")[0] for each in known})
    machines = sorted({f"{each.machine}, {each.cores} cores" for each in known})
    pythons = sorted({each.python for each in known})
    loads = sorted(each.load for each in known)
    busy = any(each.load > each.cores for each in known)
    return (
        f"Measured {' to '.join(dict.fromkeys([days[0], days[-1]]))} on {' and '.join(machines)}, "
        f"Python {' and '.join(pythons)}; the load average when a scenario began was "
        f"{loads[0]} to {loads[-1]}.{_BUSY if busy else ''}"
    )
