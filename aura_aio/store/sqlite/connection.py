"""One connection to an SQLite file.

May import `store.relational.connection`, the standard library and model only.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from aura_aio.store.relational.connection import Alike, AlikeInsert

_SIZES: Final = (1_024, 128, 16)
"""Rows of a statement: few sizes, for each is compiled once."""


class SqliteConnection(sqlite3.Connection):
    """Implements `store.relational.connection.WritingConnection`: nearly all is as it stands."""

    def insert_alike(self, insert: AlikeInsert, stretches: Sequence[Alike], /) -> None:
        """Insert all rows. Most of them go by statements for many, each of which binds once what
        they have in common, and lets go of the interpreter once: `executemany` does so for each
        row, and waits for the other threads each time.
        """
        most = self.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - 1 - len(insert.common)
        sizes = [size for size in _SIZES if size * len(insert.own) <= most]
        left: list[Sequence[Any]] = []
        for first, common, rows in stretches:
            done = 0
            for size in sizes:
                while len(rows) - done >= size:
                    own = chain.from_iterable(rows[done : done + size])
                    self.execute(_statement(insert, size), (first + done, *common, *own))
                    done += size
            left += [(first + n, *common, *rows[n]) for n in range(done, len(rows))]
        if left:
            self.executemany(insert.one, left)


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
