"""`noop`: runs that do nothing, from the first submit to the last finish as a client sees it.

Imports the other benchmarks.
"""

import time
from collections.abc import Sequence
from itertools import repeat
from typing import Final

import uvloop

from benchmarks import load, processes, side_by_side
from benchmarks.results import BEST_PEER, LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario
from benchmarks.submit import BODY, CONNECTIONS


def noop(asked: Asked) -> Sequence[Result]:
    """Runs per second, beside one loop that does it all, and the peers."""
    runs = asked.runs
    with (
        processes.aura() as aura,
        processes.bare("benchmarks.bare_runs") as bare,
        side_by_side.queues() as (peers, absent),
    ):
        ours, limit, *others = alternate(
            [
                _contender(
                    "Aura",
                    f"{runs:,} runs over HTTP, on disk, in worker processes, to the last finish",
                    aura.url,
                    runs,
                ),
                _contender(
                    LIMIT,
                    "one loop with uvloop and orjson: HTTP, SQLite (FULL) in one transaction for "
                    "all that waits, the action, its end on disk",
                    bare.url,
                    runs,
                ),
                *(_peer(each, each.fitting_runs(runs)) for each in peers),
            ],
            asked.rounds,
        )
    return [
        Result(
            scenario="noop",
            unit="runs/s",
            ours=ours,
            limit=limit,
            peers=tuple(others),
            absent=absent,
            bars=(Bar(0.5, LIMIT), Bar(2.5, BEST_PEER)),
        )
    ]


def _peer(ready: side_by_side.Ready, runs: int) -> Contender:
    return Contender(
        ready.peer.name,
        f"{ready.peer.settings}; {runs:,} runs",
        measure=lambda: ready.runs_per_sec(runs),
    )


def _contender(name: str, what: str, url: str, runs: int) -> Contender:
    return Contender(
        name,
        what,
        measure=lambda: runs_per_sec(url, runs),
        warm_up=lambda: runs_per_sec(url, max(1, runs // 10)),
    )


def runs_per_sec(url: str, runs: int) -> float:
    """From the first of so many submits to the last finish."""
    target = processes.succeeded(url) + runs
    submit_url = url + "/api/tasks/run"
    requests = repeat(load.post(submit_url, BODY), runs)
    began = time.perf_counter()
    uvloop.run(load.send(submit_url, requests, connections=CONNECTIONS, status=202))
    while processes.succeeded(url) < target:
        time.sleep(0.002)  # as a client sees it: a status is a request
    return runs / (time.perf_counter() - began)


NOOP: Final = Scenario("noop", "no-op runs, from the first submit to the last finish", noop)
