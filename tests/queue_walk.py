"""What may start, found the naive way: by a walk over the whole queue.

Imports aura_aio.model only.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aura_aio.model.limits import Limits


class Waiting(NamedTuple):
    """A run in the queue; tuples sort as the queue does."""

    order: tuple[int, int, str]
    limits: Limits


def fits(limits: Limits, taken: Sequence[Limits]) -> bool:
    """Whether one more fits in, by every number that is named for a key."""
    for limit in limits:
        others = [each.most for held in taken for each in held if each.key == limit.key]
        if len(others) + 1 > min([limit.most, *others]):
            return False
    return True


def walk(queue: Iterable[Waiting], holding: Sequence[Limits], most: int) -> list[Waiting]:
    """What starts, by looking at every run in turn: one that does not fit keeps its places, and
    those with the same limits wait behind it.
    """
    taken = list(holding)
    closed: set[Limits] = set()
    started: list[Waiting] = []
    for run in sorted(queue):
        if len(started) == most:
            break
        if run.limits in closed:
            continue
        if fits(run.limits, taken):
            started.append(run)
        else:
            closed.add(run.limits)
        taken.append(run.limits)
    return started
