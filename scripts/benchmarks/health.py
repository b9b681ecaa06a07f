"""`health`: how late the API answers while actions misbehave.

Imports the other benchmarks.
"""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from urllib.parse import urlsplit

from benchmarks import processes
from benchmarks.results import Result

BAD_ACTIONS = ("spin_in_thread", "spin_on_loop", "exit_process", "allocate")
ASKS = 400
PAUSE_SEC = 0.005


def health(*, rounds: int) -> Result:
    """The 99th percentile of getHealth, with every kind of bad action under way, and idle."""
    measured, limits = [], []
    options = ("--workers", "2", "--stall-sec", "2", "--worker-memory-mib", "1024")
    with processes.aura(*options) as url:
        for _ in range(rounds):
            limits.append(_p99_ms(url))
            with _misbehaving(url):
                measured.append(_p99_ms(url))
    return Result(
        scenario="health",
        unit="ms p99",
        what="getHealth while actions spin in a thread, hold the loop, exit, take all memory",
        limit="the same server, idle",
        measured=tuple(measured),
        limits=tuple(limits),
        lower_is_better=True,
    )


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
