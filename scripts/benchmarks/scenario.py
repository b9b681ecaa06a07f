"""What a scenario is, and how it is asked for.

Imports the standard library, msgspec and `benchmarks.results`.
"""

from collections.abc import Callable, Sequence

import msgspec

from benchmarks.results import Result


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How thoroughly to measure: rounds of each side, seconds of a round that is as long as one
    wishes, runs of a round that counts them. `short` takes what is large in a smaller size: to see
    that it works, not to know the figure.
    """

    rounds: int = 5
    seconds: float = 3.0
    runs: int = 10_000
    short: bool = False


class Scenario(msgspec.Struct, frozen=True):
    """Something to measure; `title` says in a line what, `measure` does it."""

    name: str
    title: str
    measure: Callable[[Asked], Sequence[Result]]
