"""The rounds of a campaign, one after the other until a promise is broken, and the table at last.

Imports the standard library and `campaign.record`.
"""

import argparse
from collections import Counter
from collections.abc import Awaitable, Callable

from campaign.record import Record

MOST_SHOWN = 20


class Rounds:
    """What has come of the rounds so far; `done` counts the faults by name."""

    def __init__(self, options: argparse.Namespace, record: Record) -> None:
        self.done: Counter[str] = Counter()
        self._options = options
        self._record = record
        self._passed = 0

    async def run(self, one_round: Callable[[int], Awaitable[list[str]]]) -> int:
        """All rounds; `one_round` answers the violations in that of a number. The exit code."""
        first = self._options.first
        for number in range(first, first + self._options.rounds):
            if found := await one_round(number):
                print(*found[:MOST_SHOWN], sep="\n")
                print(f"round {number}: {len(found)} violations; seed {self._options.seed}")
                return 1
            self._passed += 1
        return 0

    def summarise(self, where: str) -> None:
        """Print the table; `where` is a word on the servers."""
        record = self._record
        print(f"{self._passed} rounds without a violation")
        print(
            f"{record.requests} requests, {record.refused} refused, {record.lost} without an answer"
        )
        print(f"{len(record.runs)} runs acknowledged, {where}")
        for name, count in sorted(self.done.items()):
            print(f"{count:6}  {name}")
