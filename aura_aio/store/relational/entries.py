"""How entries of the log are inserted: neighbours are mostly lines of one step of one run.

May import `connection` and `rows` of `store.relational`, the standard library and model only.
"""

from operator import attrgetter
from typing import Final

from aura_aio.model.log import LogLine
from aura_aio.store.relational.connection import AlikeInsert, Row
from aura_aio.store.relational.rows import row_data

INSERT_ENTRIES: Final = AlikeInsert(
    "logs",
    "seq",
    common=("cid", "plan_name", "task_name", "step", "attempt", "worker"),
    own=("timestamp", "level", "logger", "message", "data"),
)

common_of: Final = attrgetter(*INSERT_ENTRIES.common)
"""What the row of a line may have in common with its neighbours."""


def own_of(line: LogLine) -> Row:
    """What it has not."""
    data = None if line.data is None else row_data(line.data)
    return line.timestamp, line.level.number, line.logger, line.message, data
