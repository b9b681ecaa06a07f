"""Rows that come together are written by one statement, which takes an array for each value.

May import the standard library only.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

LEAST_ADDED: Final = 8
LEAST_CHANGED: Final = 2
"""With fewer rows the arrays cost more than they save."""
MOST_CHARACTERS: Final = 16 * 2**20
"""Of the arrays of a statement; what is larger goes row by row."""
MOST_STATEMENTS: Final = 100

_VALUE: Final = re.compile(r"\$(\d+)")
_INSERT: Final = re.compile(
    r"\s*(?P<into>INSERT INTO \w+) \((?P<columns>[^()]*)\)\s*VALUES\s*\((?P<values>[^()]*)\)\s*"
    r"(?P<met>ON CONFLICT (?:\((?P<key>[^()]*)\) )?DO (?:NOTHING|UPDATE SET .*))?",
    re.DOTALL,
)
_CHANGE: Final = re.compile(
    r"\s*(?P<what>UPDATE (?P<updated>\w+)\s+SET .*?|DELETE FROM (?P<deleted>\w+))"
    r"\s+WHERE (?P<column>\w+) = \$(?P<key>\d+)(?P<guard>\s+AND .*?)?\s*",
    re.DOTALL,
)
_NO_CHANGE: Final = re.compile(r"\b(SELECT|RETURNING|OR)\b")


class Whole(NamedTuple):
    """What does for many rows what a statement does for one; without the types of its values."""

    text: str
    """With `{rows}` for what they come from."""
    key: tuple[int, ...]
    """The places of the values that tell its rows apart: if two have the same, one comes into the
    other's way. Empty: none can."""
    least: int
    """How many rows it is for, at the least."""

    def takes(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether `rows` can go by it: they are many, and none comes into another's way."""
        if len(rows) < self.least:
            return False
        return not self.key or len({tuple(row[n] for n in self.key) for row in rows}) == len(rows)

    def of(self, types: Sequence[str]) -> str:
        """The statement, with an array for each of the values, which have these types."""
        arrays = ", ".join(f"CAST(${n} AS {type_}[])" for n, type_ in enumerate(types, 1))
        names = ", ".join(f"p{n}" for n, _ in enumerate(types, 1))
        return self.text.replace("{rows}", f"unnest({arrays}) AS rows ({names})")


@lru_cache(MOST_STATEMENTS)
def whole(text: str) -> Whole | None:
    """What does for many rows what this statement, with `$1` for its first value, does for one;
    None if there is no such thing.
    """
    if (insert := _INSERT.fullmatch(text)) is not None:
        return _insert_of(insert)
    change = _CHANGE.fullmatch(text)
    return None if change is None or _NO_CHANGE.search(text) else _change_of(change)


def _insert_of(insert: re.Match[str]) -> Whole | None:
    into, columns, values = insert["into"], insert["columns"], insert["values"]
    met = insert["met"] or ""
    places = dict(zip(_names(columns), _names(values), strict=True))
    key = [_VALUE.fullmatch(places[name]) for name in _names(insert["key"] or "")]
    if "RETURNING" in met or (met and not all(key)):
        return None
    selected = _VALUE.sub(r"p\1", values)
    return Whole(
        f"{into} ({columns}) SELECT {selected} FROM {{rows}} {met}",  # noqa: S608 # nosec B608
        tuple(int(each[1]) - 1 for each in key if each),
        LEAST_ADDED,
    )


def _change_of(change: re.Match[str]) -> Whole:
    """The planner is left but one way: to look each row up by its key. Of an equality it may think
    that it could as well read all rows of the table, and look each up in the array; and by a guard
    that it can see through it may choose another index.
    """
    table, key, guard = change["updated"] or change["deleted"], change["key"], change["guard"]
    found = f"{table}.{change['column']} = ANY(ARRAY[rows.p{key}])"
    if guard:
        found += f" AND CASE WHEN {guard.strip().removeprefix('AND ')} THEN TRUE END"
    source = "FROM" if change["updated"] else "USING"
    what, found = (_VALUE.sub(r"rows.p\1", each) for each in (change["what"], found))
    return Whole(f"{what} {source} {{rows}} WHERE {found}", (int(key) - 1,), LEAST_CHANGED)


def arrays(rows: Sequence[Sequence[Any]]) -> list[str] | None:
    """The columns of `rows` as PostgreSQL writes arrays; None if too much is in them."""
    columns = [_array(column) for column in zip(*rows, strict=True)]
    return columns if sum(map(len, columns)) <= MOST_CHARACTERS else None


def _names(text: str) -> list[str]:
    return [each.strip() for each in text.split(",")] if text else []


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
