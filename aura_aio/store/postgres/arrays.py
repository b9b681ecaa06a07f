"""Rows that come together go into a table by one statement, which takes an array for each column.

May import the standard library only.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

LEAST_ROWS: Final = 8
"""With fewer the arrays cost more than they save."""
MOST_CHARACTERS: Final = 16 * 2**20
"""Of the arrays of a statement; what is larger goes row by row."""

_INSERT: Final = re.compile(r"\s*(INSERT INTO \w+ \([^()]*\))\s*VALUES\s*\(([^()]*)\)\s*")
_VALUE: Final = re.compile(r"\$(\d+)")


def is_insert(text: str) -> bool:
    """Whether the statement (with `$1` for the first value) adds one row and does nothing else: no
    row of a set can then come into another's way.
    """
    return _INSERT.fullmatch(text) is not None


def of_arrays(text: str, types: Sequence[str]) -> str:
    """The same insert with an array for each of its values, which have these types."""
    match = _INSERT.fullmatch(text)
    if match is None:
        raise ValueError(f"no insert of one row: {text}")
    into, values = match.groups()
    arrays = ", ".join(f"CAST(${n} AS {type_}[])" for n, type_ in enumerate(types, 1))
    names = ", ".join(f"p{n}" for n, _ in enumerate(types, 1))
    values = _VALUE.sub(r"p\1", values)
    return f"{into} SELECT {values} FROM unnest({arrays}) AS rows ({names})"  # noqa: S608 # nosec B608


def arrays(rows: Sequence[Sequence[Any]]) -> list[str] | None:
    """The columns of `rows` as PostgreSQL writes arrays; None if there are too few rows for
    that, or too much is in them.
    """
    if len(rows) < LEAST_ROWS:
        return None
    columns = [_array(column) for column in zip(*rows, strict=True)]
    return columns if sum(map(len, columns)) <= MOST_CHARACTERS else None


def _array(column: Iterable[Any]) -> str:
    return "{" + ",".join(map(_element, column)) + "}"


def _element(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bytes():
            return f'"\\\\x{value.hex()}"'
        case int():  # a bool and an enum's member, too
            return str(int(value))
        case float():
            return float.__repr__(value)
        case _:
            raise TypeError(f"no value of a row: {type(value).__name__}")
