"""A CSV file's profile: every row validated, every column aggregated. Standard library only.

The file is read twice: once to learn each column's type from all of its cells, once to validate and
to aggregate. A type that is guessed from the first rows alone is wrong as soon as rows are sorted.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypedDict

from ._columns import Aggregates, Column, ColumnType, conclude, figures
from ._dialect import Format
from ._reader import CsvReader, Record
from ._values import CellKind, classify

#: Of each kind of problem, so many are described; the others are counted.
DESCRIBED: Final = 5
#: So many rows lie between two reports of how far the work is.
ROWS_PER_REPORT: Final = 5_000

_LONGEST_QUOTE: Final = 40

#: Told how far the work is, from 0 to 1. What it raises (for a cancelled run) ends the work.
Progress = Callable[[float], None]


class Problem(TypedDict):
    """Something in the file that is not as it should be."""

    line: int  # from 1; 0 if it concerns the whole file
    column: str  # "" if it concerns the whole row
    kind: str  # a few words that are the same for all problems of this kind
    detail: str


class Profile(TypedDict):
    """All that a report tells. Travels between steps as JSON."""

    format: Format
    rows: int
    valid_rows: int  # as wide as the header, and without an invalid cell
    columns: list[Aggregates]
    figures: dict[str, dict[str, Any]]  # the columns in short, by their names
    problem_counts: dict[str, int]
    problems: list[Problem]  # in the file's order; the first few of each kind


class ProblemList:
    """Counts problems, and keeps the first few of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[Problem] = []

    def add(self, problem: Problem, times: int = 1) -> None:
        """Counts `problem` as often as it occurs."""
        self.counts[problem["kind"]] += times
        if self.counts[problem["kind"]] - times < DESCRIBED:
            self.kept.append(problem)


def read_profile(source: Format, on_progress: Progress) -> Profile:
    """Reads the file of `source` twice, and gives its profile.

    Raises ValueError where the file can't be a CSV file any more.
    """
    types = survey(source, lambda fraction: on_progress(fraction / 2))
    columns = [Column(name, type_) for name, type_ in zip(source["columns"], types, strict=True)]
    problems = ProblemList()
    reader = CsvReader(source)
    rows = valid_rows = 0
    for record in reader:
        rows += 1
        valid_rows += _take_row(record, columns, problems)
        if rows % ROWS_PER_REPORT == 0:
            on_progress(0.5 + reader.fraction_read / 2)
    _note_what_was_overlooked(reader, problems)
    on_progress(1.0)
    aggregates = [column.aggregates() for column in columns]
    return Profile(
        format=source,
        rows=rows,
        valid_rows=valid_rows,
        columns=aggregates,
        figures={column["name"]: figures(column) for column in aggregates},
        problem_counts=dict(problems.counts),
        problems=sorted(problems.kept, key=lambda problem: problem["line"]),
    )


def survey(source: Format, on_progress: Progress) -> list[ColumnType]:
    """The type of each column, from all of its cells."""
    kinds: list[Counter[CellKind]] = [Counter() for _ in source["columns"]]
    reader = CsvReader(source)
    for number, record in enumerate(reader, 1):
        for counter, cell in zip(kinds, record.cells, strict=False):
            counter[classify(cell)] += 1
        if number % ROWS_PER_REPORT == 0:
            on_progress(reader.fraction_read)
    return [conclude(counter) for counter in kinds]


class _Oddity(NamedTuple):
    kind: str
    times: int
    line: int
    detail: str


def _take_row(record: Record, columns: list[Column], problems: ProblemList) -> bool:
    """Adds the record's cells to the columns; True if nothing was wrong with any of them."""
    line, cells = record
    is_valid = True
    if len(cells) != len(columns):
        is_valid = False
        kind = "short row" if len(cells) < len(columns) else "long row"
        detail = f"{len(cells)} cells, of {len(columns)} columns"
        problems.add(Problem(line=line, column="", kind=kind, detail=detail))
        cells = cells + [""] * (len(columns) - len(cells))
    for column, cell in zip(columns, cells, strict=False):
        if not column.add(cell):
            is_valid = False
            shown = cell if len(cell) <= _LONGEST_QUOTE else cell[:_LONGEST_QUOTE] + "…"
            kind = f"not a {column.kind}"
            problems.add(Problem(line=line, column=column.name, kind=kind, detail=shown))
    return is_valid


def _note_what_was_overlooked(reader: CsvReader, problems: ProblemList) -> None:
    quote_line = reader.unclosed_quote_line
    for oddity in (
        _Oddity("unclosed quote", int(quote_line > 0), quote_line, "all that follows is one cell"),
        _Oddity("blank line", reader.blank_lines, 0, f"{reader.blank_lines:,} skipped"),
        _Oddity("NUL character", reader.nul_characters, 0, f"{reader.nul_characters:,} removed"),
        _Oddity(
            "undecodable character",
            reader.undecodable_characters,
            0,
            f"{reader.undecodable_characters:,} replaced by \ufffd",
        ),
    ):
        if oddity.times:
            problem = Problem(line=oddity.line, column="", kind=oddity.kind, detail=oddity.detail)
            problems.add(problem, oddity.times)
