"""Peers in a scenario: those that answer become contenders, of the others it is said why not.

Imports the other benchmarks.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Final, NamedTuple

from benchmarks.peer import QUEUES, Asking, Peer, asking

ROUND_SEC: Final = 5
"""How long a round of a peer may take, about: it does less when it is slow."""
_FEW_RUNS: Final = 200
_FEW_TIMES: Final = 20


class Ready(NamedTuple):
    """A peer whose program has answered."""

    peer: Peer
    program: Asking

    def runs_per_sec(self, runs: int) -> float:
        """Of so many no-op runs."""
        seconds: float = self.program.ask("noop", runs)
        return runs / seconds

    def seconds(self, times: int) -> Sequence[float]:
        """From a submit to the action, so many times."""
        taken: Sequence[float] = self.program.ask("latency", times)
        return taken

    def fitting_runs(self, most: int) -> int:
        """How many it does in a round; this warms it up as well."""
        rate = self.runs_per_sec(min(_FEW_RUNS, most))
        return max(min(_FEW_RUNS, most), min(most, int(rate * ROUND_SEC)))

    def fitting_times(self, most: int) -> int:
        """How many times are measured in a round; this warms it up as well."""
        return max(_FEW_TIMES, min(most, int(ROUND_SEC / median(self.seconds(_FEW_TIMES)))))


@contextmanager
def queues() -> Iterator[tuple[Sequence[Ready], Mapping[str, str]]]:
    """The peers that run tasks; and why some are not there."""
    ready, absent = [], {}
    with ExitStack() as stack:
        for peer in QUEUES:
            why = peer.missing()
            if why is None:
                try:
                    program = stack.enter_context(asking(peer))
                    program.ask("noop", 1)
                    ready.append(Ready(peer, program))
                except RuntimeError as error:
                    why = f"{error} (build/peers/{peer.key}.log)"
            if why is not None:
                absent[peer.name] = why
        yield ready, absent
