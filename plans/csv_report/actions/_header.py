"""Whether a CSV file's first row names the columns, and the names. Standard library only."""

import re
from collections import Counter
from typing import Final

from ._values import CellKind, classify

#: Longer names are cut: they are headings of the report.
LONGEST_NAME: Final = 60

_LIKE_A_NAME: Final = re.compile(r"[^\W\d][\w .()/%#€$:&'-]{0,59}")


def is_header(rows: list[list[str]]) -> bool:
    """Whether the first of `rows` names the columns rather than being a row like the others.

    Each column votes: a word above numbers or dates is a name, a number in the first row is none,
    and a word that comes again below it is a value. If the votes are even, a row of different
    names counts as a header, because most files have one.
    """
    if not rows:
        return False
    first, others = rows[0], rows[1:]
    votes = sum(
        _vote(name, [row[index] for row in others if index < len(row)])
        for index, name in enumerate(first)
    )
    return votes > 0 or (votes == 0 and _are_names(first))


def column_names(header: list[str], width: int) -> list[str]:
    """A different name for each column: the header's where it has one, else column_1, column_2…

    There are as many as the header has cells, or `width` if rows are usually wider.
    """
    names: list[str] = []
    for index in range(max(len(header), width)):
        written = " ".join(header[index].split()) if index < len(header) else ""
        name = written[:LONGEST_NAME] or f"column_{index + 1}"
        taken, number = name, 2
        while name in names:
            name, number = f"{taken}_{number}", number + 1
        names.append(name)
    return names


def _vote(name: str, column: list[str]) -> int:
    kind = _coarse(classify(name))
    below = Counter(_coarse(classify(cell)) for cell in column)
    del below["missing"]
    if kind == "missing" or not below:
        return 0
    if kind != "text":
        return -2
    if below["text"] < below.total() / 2:
        return 2
    if name in column:
        return -1
    lengths = {len(cell) for cell in column if cell}
    return 1 if len(column) > 2 and len(lengths) == 1 and len(name) not in lengths else 0


def _coarse(kind: CellKind) -> str:
    if kind in {"missing", "text"}:
        return kind
    return "date" if kind in {"date", "day first", "month first"} else "number"


def _are_names(row: list[str]) -> bool:
    return len(set(row)) == len(row) and all(_LIKE_A_NAME.fullmatch(cell) for cell in row)
