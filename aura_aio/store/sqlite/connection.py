"""One connection to an SQLite file.

May import `store.relational.connection`, the standard library and model only.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from aura_aio.store.relational.connection import AlikeInsert, Row

_SIZES: Final = (64, 32, 16, 8)
"""Rows of a statement: few sizes, for each is compiled once."""
_LEAST_ALIKE: Final = 16
_SIZES_ALIKE: Final = (128, _LEAST_ALIKE)
"""The same, of rows that are alike; the least divides the other. More would hold more memory."""
_ROW: Final = re.compile(r"VALUES\s*(\([?,\s]*\))")


class SqliteConnection(sqlite3.Connection):
    """Implements `store.relational.connection.WritingConnection`: nearly all is as it stands.

    Many rows go by statements for several, each of which lets go of the interpreter once:
    `executemany` does so for each row, and waits for the other threads each time.
    """

    def insert(self, sql: str, rows: Sequence[Row], /) -> None:
        """Insert the rows, most of them by statements for several."""
        done = 0
        for size in self._fitting(_SIZES, len(rows[0])) if rows else ():
            while len(rows) - done >= size:
                values = tuple(chain.from_iterable(rows[done : done + size]))
                self.execute(_several(sql, size), values)
                done += size
        if done < len(rows):
            self.executemany(sql, rows[done:])

    def insert_alike(
        self, insert: AlikeInsert, first: int, common: Sequence[Row], own: Sequence[Row], /
    ) -> None:
        """Insert the rows; those that are alike by statements that bind once what they have in
        common.
        """
        sizes = self._fitting(_SIZES_ALIKE, len(insert.own), 1 + len(insert.common))
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
        pairs = enumerate(zip(common, own, strict=True), first)
        self.insert(insert.one, [(number, *alike, *each) for number, (alike, each) in pairs])

    def _fitting(self, sizes: Sequence[int], wide: int, beside: int = 0) -> list[int]:
        """Those of `sizes` of which a statement may have all values: so many of each row, and
        `beside` these.
        """
        most = self.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - beside
        return [size for size in sizes if size * wide <= most]


def _stretches(common: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """From where to where all are the same, in steps of the least size. What is not is passed by
    quickly.
    """
    start = 0
    while start + _LEAST_ALIKE <= len(common):
        same, end = common[start], start
        while common[end : end + _LEAST_ALIKE].count(same) == _LEAST_ALIKE:
            end += _LEAST_ALIKE
        if end > start:
            yield start, end
        start = max(end, start + _LEAST_ALIKE)


@lru_cache(maxsize=64)
def _several(insert: str, size: int) -> str:
    """The insert of one row (`VALUES (?, …)`) for `size` of them at once."""
    found = _ROW.search(insert)
    if found is None:
        raise ValueError(f"no row of values in: {insert}")
    return insert.replace(found[1], ", ".join([found[1]] * size))


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
