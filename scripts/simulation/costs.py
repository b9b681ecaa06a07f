"""What a transaction costs, and the file that has it as it was measured.

Imports the standard library and msgspec.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("costs.json")


class Sample(msgspec.Struct, frozen=True):
    """The least time that a transaction of `count` operations of a kind has taken."""

    kind: str
    count: int
    sec: float


class Line(msgspec.Struct, frozen=True):
    """Costs that grow evenly: `fixed`, and `each` for every operation, in seconds."""

    fixed: float
    each: float

    def at(self, count: float) -> float:
        """What so many operations cost."""
        return self.fixed + self.each * count


class Costs(msgspec.Struct, frozen=True):
    """What the turn and its operations cost, in seconds, with the database on the same machine.

    A turn costs `turn_sec`, and `round_trips` times what the network needs for one. In it each run
    that is queued, claimed or ended costs its own, and each line. On the loop of a host each fact
    of another one costs `hear_sec`, each line for each of its monitors `message_sec`.
    """

    turn_sec: float
    round_trips: float
    enqueue_sec: float
    claim_sec: float
    end_sec: float
    line_sec: float
    hear_sec: float
    message_sec: float

    def fixed_sec(self, network_sec: float) -> float:
        """What a turn costs in which nothing is done, with a database so far away (there and
        back).
        """
        return self.turn_sec + self.round_trips * network_sec

    def run_sec(self, lines: float) -> float:
        """What a run with so many lines costs in all its turns together, but for the turns."""
        return self.enqueue_sec + self.claim_sec + self.end_sec + lines * self.line_sec


class Size(msgspec.Struct, frozen=True):
    """What one of a kind (a run that has ended, with its step; a line) leaves, in bytes."""

    stored: float
    logged_ahead: float


class Check(msgspec.Struct, frozen=True):
    """What real stores did in one case, to hold the simulation against."""

    hosts: int
    slots: int
    runs_per_sec: float


class Measured(msgspec.Struct, frozen=True):
    """Everything that `simulate.py --measure` finds out, and under which conditions."""

    conditions: str
    costs: Costs
    samples: tuple[Sample, ...]
    run: Size
    line: Size
    checks: tuple[Check, ...]


def read(file: Path = FILE) -> Measured:
    """What was measured.

    Raises:
        msgspec.ValidationError: the file holds something else.
    """
    return msgspec.json.decode(file.read_bytes(), type=Measured)


def write(measured: Measured, file: Path = FILE) -> None:
    """Keep it, for people to read as well."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")


def fitted(samples: Sequence[Sample]) -> Line:
    """The line through `samples` whose distances are least, as parts of what was measured.

    Raises:
        ValueError: they are all of one size.
    """
    weights = [1 / sample.sec**2 for sample in samples]
    total = sum(weights)
    pairs = list(zip(weights, samples, strict=True))
    count = sum(weight * sample.count for weight, sample in pairs) / total
    sec = sum(weight * sample.sec for weight, sample in pairs) / total
    spread = sum(weight * (sample.count - count) ** 2 for weight, sample in pairs)
    if not spread:
        raise ValueError("samples of one size say nothing of what another one costs")
    together = sum(weight * (sample.count - count) * (sample.sec - sec) for weight, sample in pairs)
    each = together / spread
    return Line(sec - each * count, each)
