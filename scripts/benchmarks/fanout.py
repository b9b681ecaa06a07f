"""`fanout`: lines that an action logs in a burst, to many monitors; and to some while one stalls.

Imports the other benchmarks.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Final

import uvloop

from benchmarks import load, processes
from benchmarks.monitors import Monitor, all_have, monitors
from benchmarks.results import LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario

COUNTS: Final = (1, 10, 100, 1_000)
BARRED: Final = 100
"""How many monitors the bars are about."""
ONE_BY_ONE: Final = "gather(send_json)"
SMALL: Final = 10
"""Monitors, of which one stalls."""
_MOST_LINES: Final = 10_000
"""In a burst: as many as a monitor may lag behind, so that none is dropped."""
_MOST_MESSAGES: Final = 1_000_000
_MOST_ONE_BY_ONE: Final = 50_000


def fanout(asked: Asked) -> Sequence[Result]:
    """Messages per second by the number of monitors, and beside one that stalls."""
    with (
        processes.aura("--log-lines-per-sec", "0") as aura,
        processes.bare("benchmarks.bare_fanout") as bare,
    ):
        counts = COUNTS[:-1] if asked.short else COUNTS
        found = [_to_monitors(count, aura.url, bare.url, asked) for count in counts]
        return [*found, _beside_a_stalled_one(aura.url, asked)]


def _to_monitors(count: int, url: str, bare_url: str, asked: Asked) -> Result:
    share = 10 if asked.short else 1
    lines = min(_MOST_LINES, _MOST_MESSAGES // count) // share
    fewer = min(_MOST_LINES, _MOST_ONE_BY_ONE // count) // share
    ours, limit, one_by_one = alternate(
        [
            _contender(
                "Aura",
                f"{lines:,} lines of an action to {count:,} monitors, stored, a message for each",
                lambda: uvloop.run(_of_action(url, count, lines)),
            ),
            _contender(
                LIMIT,
                "ready-made frames from memory, 256 of them in each write, nothing stored",
                lambda: uvloop.run(of_bare(bare_url, "joined", count, lines)),
            ),
            _contender(
                ONE_BY_ONE,
                "aiohttp, a send_json to each monitor for each line, nothing stored",
                lambda: uvloop.run(of_bare(bare_url, "one_by_one", count, fewer)),
            ),
        ],
        asked.rounds,
    )
    return Result(
        scenario="fanout",
        part=f"{count:,} monitor{'' if count == 1 else 's'}",
        unit="messages/s",
        ours=ours,
        limit=limit,
        peers=(one_by_one,),
        bars=(Bar(20, ONE_BY_ONE), Bar(0.5, LIMIT)) if count == BARRED else (),
    )


def _beside_a_stalled_one(url: str, asked: Asked) -> Result:
    lines = _MOST_LINES // (10 if asked.short else 1)
    ours, limit = alternate(
        [
            _contender(
                "Aura",
                f"{SMALL - 1} monitors, while another one reads nothing",
                lambda: uvloop.run(_of_action(url, SMALL - 1, lines, stalled=1)),
            ),
            _contender(
                LIMIT,
                f"{SMALL - 1} monitors without it",
                lambda: uvloop.run(_of_action(url, SMALL - 1, lines)),
            ),
        ],
        asked.rounds,
    )
    return Result(
        scenario="fanout",
        part=f"one of {SMALL} stalled",
        unit="messages/s",
        ours=ours,
        limit=limit,
        bars=(Bar(0.9, LIMIT),),
    )


def _contender(name: str, what: str, measure: Callable[[], float]) -> Contender:
    return Contender(name, what, measure, warm_up=measure)


async def _of_action(url: str, count: int, lines: int, *, stalled: int = 0) -> float:
    """Messages per second, from the submit of the run that logs to the last line of the last."""
    body = {"plan_name": "bench", "task_name": "chatter", "inputs": {"lines": lines}}
    async with monitors(url, count + stalled) as opened:
        for monitor in opened[count:]:
            monitor.transport.pause_reading()
        run_url = url + "/api/tasks/run"
        return await _rate(
            opened[:count], lines, run_url, load.post(run_url, json.dumps(body).encode()), 202
        )


async def of_bare(url: str, way: str, count: int, lines: int) -> float:
    """Messages per second of a limit."""
    async with monitors(url, count) as opened:
        target = f"{url}/{way}?lines={lines}"
        return await _rate(opened, lines, target, load.post(target, b""), 200)


async def _rate(opened: list[Monitor], lines: int, url: str, request: bytes, status: int) -> float:
    began = time.perf_counter()
    await asyncio.gather(
        load.send(url, iter([request]), connections=1, status=status), all_have(opened, lines)
    )
    return lines * len(opened) / (time.perf_counter() - began)


FANOUT: Final = Scenario("fanout", "log lines to 1, 10, 100 and 1,000 monitors", fanout)
