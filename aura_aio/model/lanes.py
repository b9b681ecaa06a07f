"""Which of the runs that wait may start: lanes of runs with the same limits, merged; pure.

May import the standard library and other modules of `model` only. Every store decides its claims
with this (docs/decisions/0012).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from aura_aio.model.limits import Limits, waiting_for
from aura_aio.model.run import Limit

Lane = tuple[str, str, str]
"""What the runs of a lane have in common: the plan and its digest, if these matter, and the text of
the limits.
"""


class Head(NamedTuple):
    """The first run of a lane; all runs of a lane have the same `limits`.

    `order` is its place in the dispatch order: the priority negated, the rank, the arrival. One
    that `is_left` to another host does not start here, and what it needs is kept for it.
    """

    order: tuple[int, int, str]
    lane: Lane
    limits: Limits
    cid: str
    is_left: bool = False


class Places:
    """What is taken of each limit, and so what is left.

    If runs name different numbers for one key, the smallest counts: none of them is ever one of
    more than it asked for.
    """

    def __init__(self, taken: Iterable[Limits] = ()) -> None:
        self._taken: Counter[str] = Counter()
        self._most: dict[str, int] = {}
        for limits in taken:
            self.take(limits)

    def is_full(self, limit: Limit) -> bool:
        """Whether no place of its key is left for a run with this limit."""
        return self._taken[limit.key] >= min(limit.most, self._most.get(limit.key, limit.most))

    def lacking(self, limits: Limits) -> frozenset[str]:
        """The keys that have no place for a run with these limits: none, if it may start."""
        return frozenset(limit.key for limit in limits if self.is_full(limit))

    def take(self, limits: Limits) -> None:
        """Take one place of each."""
        for key, most in ((limit.key, limit.most) for limit in limits):
            self._taken[key] += 1
            self._most[key] = min(most, self._most.get(key, most))


def startable(
    heads: Iterable[Head],
    holders: Iterable[tuple[str, Limits]],
    head_of: Callable[[Lane], Head | None],
) -> Iterator[Head]:
    """The runs that may start, in dispatch order, as many as are asked for.

    `heads` are those of all lanes; `holders` are the runs that have limits and run, by their cids.
    Whoever asks for the next run has started the one before: then `head_of` tells who is first in
    its lane now.

    A head that has no room takes its places all the same, and keeps them for as long as this goes
    on: so nothing behind it gets what it waits for, and it is first when there is room. Those with
    the same limits wait behind it. What shares no key with it is not held up. A head that is left
    to another host takes its places, too; where there are more, others have them.

    With one exception, or runs could wait for each other for ever: a child that a holder waits for
    is not held up by a head that waits for such a holder in turn, directly or behind another.
    """
    waiting = list(heads)
    heapify(waiting)
    places = _PlacesKept(waiting, holders)
    blocked: set[Limits] = set()
    while waiting:
        head = waiting[0]
        if head.limits in blocked:
            heappop(waiting)
            continue
        has_room = places.take_or_keep(head.limits)
        if not has_room:
            blocked.add(head.limits)
        starts = has_room and not head.is_left
        if starts:
            yield head
        successor = head_of(head.lane) if starts else None
        if successor is None:
            heappop(waiting)
        else:
            heapreplace(waiting, successor)


class _PlacesKept:
    """The places as one claim sees them: what is taken, and what is kept by who has no room."""

    def __init__(self, heads: Sequence[Head], holders: Iterable[tuple[str, Limits]]) -> None:
        held = tuple(holders)
        self._all = Places(limits for _, limits in held)
        self._for_children = Places(limits for _, limits in held)
        """As `_all`, without what is kept by those that wait for the parent of a child."""
        parents = {cid for head in heads for cid in waiting_for(head.limits)}
        self._of_parents = {limit.key for cid, limits in held if cid in parents for limit in limits}
        """The keys of which a place may come free only after a child has ended."""

    def take_or_keep(self, limits: Limits) -> bool:
        """Take the places of a head; whether it may start."""
        is_child = bool(waiting_for(limits))
        lacking = (self._for_children if is_child else self._all).lacking(limits)
        self._all.take(limits)
        if lacking & self._of_parents:
            self._of_parents.update(limit.key for limit in limits)
        else:
            self._for_children.take(limits)
        return not lacking
