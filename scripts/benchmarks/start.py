"""`start`: how long until a server is ready, and what it and its workers hold in memory.

Imports the other benchmarks.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks import processes
from benchmarks.results import LIMIT, Bar, Result, Side
from benchmarks.scenario import Asked, Scenario

_RUNS: Final = 20
_BARE: Final = "a bare aiohttp server with uvloop"


def start(asked: Asked) -> Sequence[Result]:
    """Seconds to ready, and MiB of the server and of a worker (Linux)."""
    starts, bare_starts = [], []
    server, bare_server, worker = [], [], []
    for number in range(asked.rounds + 1):
        with processes.aura() as aura:
            for _ in range(_RUNS):  # so that each worker has done what it is there for
                processes.finished(aura.url, processes.start_run(aura.url, "noop"))
            workers = processes.workers_of(aura.url)
            each = median(processes.memory_mib(pid) for pid in workers)
            server_mib = processes.memory_mib(aura.pid)
        with processes.bare("benchmarks.bare_server") as bare:
            bare_mib = processes.memory_mib(bare.pid)
        if number > 0:  # the first start compiles
            starts.append(aura.ready_sec)
            bare_starts.append(bare.ready_sec)
            server.append(server_mib)
            bare_server.append(bare_mib)
            worker.append(each)
    return [
        Result(
            scenario="start",
            part="to ready",
            unit="s",
            ours=Side("Aura", "from the start of the process until /readyz says so", tuple(starts)),
            limit=Side(LIMIT, f"{_BARE} until it listens", tuple(bare_starts)),
            bars=(Bar(0.7),),
            lower_is_better=True,
        ),
        Result(
            scenario="start",
            part="server",
            unit="MiB",
            ours=Side("Aura", "the server, ready and idle", tuple(server)),
            limit=Side(LIMIT, _BARE, tuple(bare_server)),
            bars=(Bar(80),),
            lower_is_better=True,
        ),
        Result(
            scenario="start",
            part="worker",
            unit="MiB",
            ours=Side("Aura", "a worker, ready and idle", tuple(worker)),
            bars=(Bar(45),),
            lower_is_better=True,
        ),
    ]


START: Final = Scenario("start", "time to ready, and memory", start)
