"""How entries of the log are inserted: neighbours are mostly lines of one step of one run.

May import `connection` and `rows` of `store.relational`, the standard library and model only.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from aura_aio.model.log import LogLine
from aura_aio.store.relational.connection import Alike, AlikeInsert
from aura_aio.store.relational.rows import row_data

INSERT_ENTRIES: Final = AlikeInsert(
    "logs",
    "seq",
    common=("cid", "plan_name", "task_name", "step", "attempt", "worker"),
    own=("timestamp", "level", "logger", "message", "data"),
)

_place_of = attrgetter(*INSERT_ENTRIES.common)


def stretches_of(first_seq: int, lines: Sequence[LogLine]) -> list[Alike]:
    """The rows of `lines`, for INSERT_ENTRIES."""
    stretches = []
    for place, group in groupby(lines, _place_of):
        rows = [
            (line.timestamp, line.level.number, line.logger, line.message, row_data(line.data))
            for line in group
        ]
        stretches.append(Alike(first_seq, place, rows))
        first_seq += len(rows)
    return stretches
