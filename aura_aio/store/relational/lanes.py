"""Lanes: the ready runs by what they need, and what those that are under way hold.

May import the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from aura_aio.model.lanes import Head, Lane
from aura_aio.model.queue_store import Holder
from aura_aio.model.run import Tasklet
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import NO_LIMITS, Row, json_text, limits_from, tasklet_from

_UNLIMITED: Final[Lane] = ("", "", NO_LIMITS)
"""The lane of all runs without limits."""
_LAST: Final = "~"
"""Comes after every digest, and after every text of limits."""


class Lanes:
    """All that wait of one plan with the same digest and the same text in the column `limits` are a
    lane, which an index begins with: what is asked here costs the same however many they are. Runs
    without limits are one lane, whatever their plan, unless that matters (`by_plan`): where some
    plans are `closed`, or closed with some digests, as others have them (`elsewhere`). Of the
    latter, those are `awaited` whose hosts have room: what their first runs need is kept for them.
    """

    def __init__(
        self,
        connection: Connection,
        closed: Collection[str] = (),
        elsewhere: Collection[tuple[str, str]] = (),
        awaited: Collection[tuple[str, str]] = (),
        *,
        by_plan: bool = False,
    ) -> None:
        self._connection = connection
        self._closed = closed
        self._elsewhere = elsewhere
        self._awaited = awaited
        self._by_plan = by_plan or bool(closed) or bool(elsewhere)

    def holders(self) -> Iterator[Holder]:
        """Who holds what, the latest start last; not more than there are slots."""
        for cid, limits, started_at in self._connection.execute(sql.HOLDERS):
            yield Holder(cid, limits_from(limits), started_at)

    def heads(self) -> Iterator[Head]:
        """The first run of each lane that is not closed, in no order."""
        if self._by_plan:
            yield from self._heads(sql.FIRST_OF_NEXT_PLAN, ("", ""))
        else:
            first = self._first(sql.FIRST_UNLIMITED)
            if first is not None:
                yield first._replace(lane=_UNLIMITED)
        yield from self._heads(sql.FIRST_OF_NEXT_LANE, ("", "", ""))

    def _heads(self, first_after: str, place: tuple[str, ...]) -> Iterator[Head]:
        """The heads of the lanes after `place`, as the statement `first_after` finds them; of what
        is closed one look is taken.
        """
        while (head := self._first(first_after, *place)) is not None:
            plan_name, digest, limits = head.lane
            if plan_name in self._closed:
                after: Lane = (plan_name, _LAST, _LAST)
            elif (plan_name, digest) not in self._elsewhere:
                yield head
                after = head.lane
            elif limits == NO_LIMITS or (plan_name, digest) not in self._awaited:
                after = (plan_name, digest, _LAST)
            else:
                yield head._replace(is_left=True)
                after = head.lane
            place = _behind(after[: len(place)])

    def head_of(self, lane: Lane, behind: int = 0) -> Head | None:
        """The first run of one lane, or the one that has so many before it."""
        if lane == _UNLIMITED:
            head = self._first(_nth(sql.FIRST_UNLIMITED), behind)
            return None if head is None else head._replace(lane=_UNLIMITED)
        if lane[-1] == NO_LIMITS:
            return self._first(_nth(sql.FIRST_OF_PLAN), *lane[:-1], behind)
        return self._first(_nth(sql.FIRST_OF_LANE), *lane, behind)

    def _first(self, statement: str, *values: str | int) -> Head | None:
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else _head(row)

    def heads_among(self, cids: Collection[str]) -> Iterator[Head]:
        """Those of the runs that are ready and of no closed plan, each in a lane of its own."""
        for row in self._connection.execute(sql.HEADS_AMONG, (json_text(list(cids)),)):
            head = _head(row)
            if head.lane[0] not in self._closed:
                yield head._replace(lane=("", "", head.cid))

    def tasklets(self, heads: Sequence[Head]) -> list[Tasklet]:
        """The Tasklets of heads, in their order."""
        cids = [head.cid for head in heads]
        rows = self._connection.execute(sql.TASKLETS, (json_text(cids),))
        found = {tasklet.cid: tasklet for tasklet in map(tasklet_from, rows)}
        return [found[cid] for cid in cids]


def _nth(first: str) -> str:
    """The statement `first`, with how many are passed over as its last value."""
    return f"{first} OFFSET ?"


def _behind(place: tuple[str, ...]) -> tuple[str, ...]:
    """What is between `place` and the next one: from `place` itself SQLite would walk over all
    that is equal to it.
    """
    return (*place[:-1], f"{place[-1]} ")


def _head(row: Row) -> Head:
    plan_name, digest, limits, priority, rank, arrival, cid = row
    order = (-priority, rank, arrival)
    return Head(order, (plan_name, digest, limits), limits_from(limits), cid)
