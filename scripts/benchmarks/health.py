"""`health`: how late the API answers while actions misbehave.

Imports the other benchmarks.
"""

import http.client
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.results import LIMIT, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario

BAD_ACTIONS = ("spin_in_thread", "spin_on_loop", "exit_process", "allocate")
ASKS = 400
PAUSE_SEC = 0.005


def health(asked: Asked) -> Sequence[Result]:
    """The 99th percentile of getHealth, with every kind of bad action under way, and idle."""
    options = ("--workers", "2", "--stall-sec", "2", "--worker-memory-mib", "1024")
    with processes.aura(*options) as aura:
        ours, limit = alternate(
            [
                Contender(
                    "Aura",
                    "getHealth while actions spin in a thread, hold the loop, exit, take all "
                    "memory",
                    measure=lambda: _p99_beside_bad_actions_ms(aura.url),
                ),
                Contender(LIMIT, "the same server, idle", measure=lambda: _p99_ms(aura.url)),
            ],
            asked.rounds,
        )
    return [Result(scenario="health", unit="ms p99", ours=ours, limit=limit, lower_is_better=True)]


def _p99_beside_bad_actions_ms(url: str) -> float:
    with _misbehaving(url):
        return _p99_ms(url)


@contextmanager
def _misbehaving(url: str) -> Iterator[None]:
    """Start each bad action, twice; cancel at the end what still runs."""
    cids = [processes.start_run(url, name) for name in BAD_ACTIONS * 2]
    try:
        yield
    finally:
        for cid in cids:
            processes.cancel_run(url, cid)


def _p99_ms(url: str) -> float:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    taken = []
    for _ in range(ASKS):
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
        time.sleep(PAUSE_SEC)
    connection.close()
    return quantiles(taken, n=100)[98] * 1000


HEALTH: Final = Scenario("health", "how late the API answers while actions misbehave", health)
