"""Who is compared, and in which order: all sides in turn, round by round.

Imports the standard library and `benchmarks.results`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.results import Side


class Contender(NamedTuple):
    """A side to be: `measure` answers the figure of one round, `warm_up` goes before the first."""

    name: str
    what: str
    measure: Callable[[], float]
    warm_up: Callable[[], object] | None = None


def alternate(contenders: Sequence[Contender], rounds: int) -> tuple[Side, ...]:
    """Measure each of `contenders` once a round; answers the sides in their order.

    Every second round goes the other way, so that nobody always has the same one before it: what
    the machine does beside meets all of them.
    """
    for contender in contenders:
        if contender.warm_up is not None:
            contender.warm_up()
    figures: list[list[float]] = [[] for _ in contenders]
    for number in range(rounds):
        turns = list(zip(contenders, figures, strict=True))
        for contender, found in turns if number % 2 == 0 else reversed(turns):
            found.append(contender.measure())
    return tuple(
        Side(contender.name, contender.what, tuple(found))
        for contender, found in zip(contenders, figures, strict=True)
    )
