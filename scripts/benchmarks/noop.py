"""`noop`: runs that do nothing, from the first submit to the last finish as a client sees it.

Imports the other benchmarks.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import repeat

import uvloop

from benchmarks import load, processes
from benchmarks.results import LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario
from benchmarks.submit import BODY, CONNECTIONS


def noop(asked: Asked) -> Sequence[Result]:
    """Runs per second, beside a loop that awaits the same action as often."""
    runs = asked.runs
    with processes.aura() as url:
        ours, limit = alternate(
            [
                Contender(
                    "Aura",
                    f"{runs:,} runs over HTTP, on disk, in worker processes, to the last finish",
                    measure=lambda: _runs_per_sec(url, runs),
                    warm_up=lambda: _runs_per_sec(url, runs // 10),
                ),
                Contender(
                    LIMIT,
                    "one asyncio loop that awaits the same action, nothing else",
                    measure=lambda: _awaits_per_sec(runs),
                ),
            ],
            asked.rounds,
        )
    return [Result(scenario="noop", unit="runs/s", ours=ours, limit=limit, bars=(Bar(0.5, LIMIT),))]


def _runs_per_sec(url: str, runs: int) -> float:
    target = _succeeded(url) + runs
    submit_url = url + "/api/tasks/run"
    requests = repeat(load.post(submit_url, BODY), runs)
    began = time.perf_counter()
    uvloop.run(load.send(submit_url, requests, connections=CONNECTIONS, status=202))
    while _succeeded(url) < target:
        time.sleep(0.002)  # as a client sees it: a status is a request
    return runs / (time.perf_counter() - began)


def _succeeded(url: str) -> int:
    count: int = processes.get(url + "/api/system/status")["runs"]["succeeded"]
    return count


def _awaits_per_sec(runs: int) -> float:
    async def action() -> None:
        await asyncio.sleep(0)

    async def loop() -> float:
        began = time.perf_counter()
        for _ in range(runs):
            await asyncio.create_task(action())
        return time.perf_counter() - began

    return runs / uvloop.run(loop())


NOOP = Scenario("noop", "no-op runs, from the first submit to the last finish", noop)
