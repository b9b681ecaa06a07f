"""Lanes: the ready runs by what they need, and what those that are under way hold.

May import the rest of `store.sqlite`, the standard library and model only.
"""

import sqlite3
from collections.abc import Iterator

from aura_aio.model.lanes import Head
from aura_aio.model.ports import Holder
from aura_aio.model.run import Tasklet
from aura_aio.store.sqlite import sql
from aura_aio.store.sqlite.rows import NO_LIMITS, Row, limits_from, tasklet_from


class Lanes:
    """All that wait with the same text in the column `limits` are a lane, which an index begins
    with: what is asked here costs the same however many they are.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def holders(self) -> Iterator[Holder]:
        """Who holds what, the latest start last; not more than there are slots."""
        for cid, limits, started_at in self._connection.execute(sql.HOLDERS):
            yield Holder(cid, limits_from(limits), started_at)

    def heads(self) -> Iterator[Head]:
        """The first run of each lane, in no order."""
        head = self.head_of(NO_LIMITS)
        if head is not None:
            yield head
        # The texts of all other lanes come after this one.
        row = self._connection.execute(sql.FIRST_OF_NEXT_LANE, (NO_LIMITS,)).fetchone()
        while row is not None:
            yield _head(row)
            row = self._connection.execute(sql.FIRST_OF_NEXT_LANE, (row[0],)).fetchone()

    def head_of(self, lane: str) -> Head | None:
        """The first run of one lane."""
        if lane == NO_LIMITS:
            row = self._connection.execute(sql.FIRST_UNLIMITED).fetchone()
        else:
            row = self._connection.execute(sql.FIRST_OF_LANE, (lane,)).fetchone()
        return None if row is None else _head(row)

    def tasklet(self, head: Head) -> Tasklet:
        """The Tasklet of a head."""
        return tasklet_from(self._connection.execute(sql.TASKLET, (head.cid,)).fetchone())


def _head(row: Row) -> Head:
    limits, priority, rank, cid = row
    return Head((-priority, rank, cid), limits, limits_from(limits))
