"""One connection to an SQLite file.

May import `store.relational.connection`, the standard library and model only.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from aura_aio.store.relational.connection import AlikeInsert, Row

_LEAST: Final = 16
_SIZES: Final = (1_024, 128, _LEAST)
"""Rows of a statement: few sizes, for each is compiled once. The least divides the others."""


class SqliteConnection(sqlite3.Connection):
    """Implements `store.relational.connection.WritingConnection`: nearly all is as it stands."""

    def insert_alike(
        self, insert: AlikeInsert, first: int, common: Sequence[Row], own: Sequence[Row], /
    ) -> None:
        """Insert the rows. Those that are alike go by statements for many, each of which binds once
        what they have in common, and lets go of the interpreter once: `executemany` does so for
        each row, and waits for the other threads each time.
        """
        most = self.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - 1 - len(insert.common)
        sizes = [size for size in _SIZES if size * len(insert.own) <= most]
        done = 0
        for start, end in _stretches(common):
            self._insert_each(insert, first + done, common[done:start], own[done:start])
            done = start
            for size in sizes:
                while end - done >= size:
                    values = chain.from_iterable(own[done : done + size])
                    self.execute(_statement(insert, size), (first + done, *common[done], *values))
                    done += size
        self._insert_each(insert, first + done, common[done:], own[done:])

    def _insert_each(
        self, insert: AlikeInsert, first: int, common: Sequence[Row], own: Sequence[Row]
    ) -> None:
        if own:
            pairs = enumerate(zip(common, own, strict=True), first)
            self.executemany(
                insert.one, [(number, *alike, *each) for number, (alike, each) in pairs]
            )


def _stretches(common: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """From where to where all are the same, in steps of the least size. What is not is passed by
    quickly.
    """
    start = 0
    while start + _LEAST <= len(common):
        same, end = common[start], start
        while common[end : end + _LEAST].count(same) == _LEAST:
            end += _LEAST
        if end > start:
            yield start, end
        start = max(end, start + _LEAST)


@lru_cache(maxsize=64)
def _statement(insert: AlikeInsert, size: int) -> str:
    """The insert of `size` rows: the values are the first number, the common ones, and the own ones
    row by row.
    """
    common = "".join(f", ?{n}" for n in range(2, 2 + len(insert.common)))
    wide, start = len(insert.own), 2 + len(insert.common)
    rows = (
        f"(?1 + {n}{common}{''.join(f', ?{start + n * wide + each}' for each in range(wide))})"
        for n in range(size)
    )
    return f"{insert.into} VALUES {', '.join(rows)}"
