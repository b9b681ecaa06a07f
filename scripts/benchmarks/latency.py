"""`latency`: from a submit to the first line of the action, as a log monitor sees it.

Imports the other benchmarks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Final
from urllib.parse import urlsplit

import uvloop

from benchmarks import load, processes, side_by_side
from benchmarks.monitors import monitors
from benchmarks.results import Bar, Result, Side
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario

TIMES: Final = 200
WARM_UP_TIMES: Final = 50
PAUSE_SEC: Final = 0.01
"""Between two: what the one before leaves to do is done."""
_BODY: Final = b'{"plan_name":"bench","task_name":"say"}'


class Stopwatch:
    """A contender whose rounds have two figures: `alternate` gets the median, and `p99` is kept."""

    def __init__(
        self, name: str, what: str, take: Callable[[int], Sequence[float]], times: int = TIMES
    ) -> None:
        self.contender = Contender(name, what, self._round)
        self._take = take
        self._times = times
        self._p99: list[float] = []

    def _round(self) -> float:
        taken = self._take(self._times)
        self._p99.append(quantiles(taken, n=100, method="inclusive")[98] * 1000)
        return median(taken) * 1000

    def p99(self) -> Side:
        """The same rounds, by what 99 of a hundred did not pass."""
        return Side(self.contender.name, self.contender.what, tuple(self._p99))


def latency(asked: Asked) -> Sequence[Result]:
    """Milliseconds, one run at a time on an idle server."""
    with processes.aura() as aura, side_by_side.queues() as (peers, absent):
        uvloop.run(take(aura.url, WARM_UP_TIMES))
        watches = [
            Stopwatch(
                "Aura",
                "runTask until the first line of the action has come to a monitor, idle server",
                lambda times: uvloop.run(take(aura.url, times)),
            ),
            *(_peer(each, each.fitting_times(TIMES)) for each in peers),
        ]
        medians = alternate([watch.contender for watch in watches], asked.rounds)
    return [
        Result(
            scenario="latency",
            part=part,
            unit="ms",
            ours=sides[0],
            peers=tuple(sides[1:]),
            absent=absent,
            bars=(Bar(most),),
            lower_is_better=True,
        )
        for part, sides, most in (
            ("p50", medians, 1.0),
            ("p99", [watch.p99() for watch in watches], 4.0),
        )
    ]


def _peer(ready: side_by_side.Ready, times: int) -> Stopwatch:
    settings = ready.peer.settings
    return Stopwatch(ready.peer.name, f"{settings}; {times} a round", ready.seconds, times)


async def take(url: str, times: int) -> Sequence[float]:
    """Seconds, of each of so many runs."""
    request = load.post(url + "/api/tasks/run", _BODY)
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    async with monitors(url, 1) as (monitor,):
        transport, _ = await loop.create_connection(
            asyncio.Protocol, parts.hostname or "", parts.port or 80
        )
        taken = []
        for number in range(times):
            began = time.perf_counter()
            transport.write(request)
            await monitor.until(number + 1)
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_SEC)
        transport.close()
    return taken


LATENCY: Final = Scenario("latency", "from a submit to the first line of the action", latency)
