"""Lanes: the ready runs by what they need, and what those that are under way hold.

May import the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Collection, Iterator
from typing import Final

from aura_aio.model.lanes import Head, Lane
from aura_aio.model.queue_store import Holder
from aura_aio.model.run import Tasklet
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import NO_LIMITS, Row, json_text, limits_from, tasklet_from

_UNLIMITED: Final[Lane] = ("", NO_LIMITS)
"""The lane of all runs without limits."""


class Lanes:
    """All that wait of one plan with the same text in the column `limits` are a lane, which an
    index begins with: what is asked here costs the same however many they are. Runs without
    limits are one lane, whatever their plan, unless some plans are `paused`.
    """

    def __init__(self, connection: Connection, paused: Collection[str] = ()) -> None:
        self._connection = connection
        self._paused = paused

    def holders(self) -> Iterator[Holder]:
        """Who holds what, the latest start last; not more than there are slots."""
        for cid, limits, started_at in self._connection.execute(sql.HOLDERS):
            yield Holder(cid, limits_from(limits), started_at)

    def heads(self) -> Iterator[Head]:
        """The first run of each lane whose plan is not paused, in no order."""
        if not self._paused:
            first = self._first(sql.FIRST_UNLIMITED)
            if first is not None:
                yield first._replace(lane=_UNLIMITED)
        else:
            yield from self._heads_of_plans()
        head = self._first(sql.FIRST_OF_LANES_OF_NEXT_PLAN, "")
        while head is not None:
            plan_name, _ = head.lane
            following = None
            if plan_name not in self._paused:
                yield head
                following = self._first(sql.FIRST_OF_NEXT_LANE, *head.lane)
            head = following or self._first(sql.FIRST_OF_LANES_OF_NEXT_PLAN, plan_name)

    def head_of(self, lane: Lane) -> Head | None:
        """The first run of one lane."""
        if lane == _UNLIMITED:
            head = self._first(sql.FIRST_UNLIMITED)
            return None if head is None else head._replace(lane=_UNLIMITED)
        plan_name, limits = lane
        if limits == NO_LIMITS:
            return self._first(sql.FIRST_OF_PLAN, plan_name)
        return self._first(sql.FIRST_OF_LANE, plan_name, limits)

    def _heads_of_plans(self) -> Iterator[Head]:
        head = self._first(sql.FIRST_OF_NEXT_PLAN, "")
        while head is not None:
            if head.lane[0] not in self._paused:
                yield head
            head = self._first(sql.FIRST_OF_NEXT_PLAN, head.lane[0])

    def _first(self, statement: str, *values: str) -> Head | None:
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else _head(row)

    def heads_among(self, cids: Collection[str]) -> Iterator[Head]:
        """Those of the runs that are ready and of no paused plan, each in a lane of its own."""
        for row in self._connection.execute(sql.HEADS_AMONG, (json_text(list(cids)),)):
            head = _head(row)
            if head.lane[0] not in self._paused:
                yield head._replace(lane=("", head.cid))

    def tasklet(self, head: Head) -> Tasklet:
        """The Tasklet of a head."""
        return tasklet_from(self._connection.execute(sql.TASKLET, (head.cid,)).fetchone())


def _head(row: Row) -> Head:
    plan_name, limits, priority, rank, arrival, cid = row
    return Head((-priority, rank, arrival), (plan_name, limits), limits_from(limits), cid)
