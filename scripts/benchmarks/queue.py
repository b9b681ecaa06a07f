"""`queue`: what requests cost at a thousand, a hundred thousand and a million queued runs.

Imports the other benchmarks.
"""

import asyncio
import http.client
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from benchmarks import filling, processes
from benchmarks.monitors import monitors
from benchmarks.processes import Served
from benchmarks.results import LIMIT, Bar, Result, Side
from benchmarks.scenario import Asked, Scenario
from benchmarks.submit import BODY

SIZES: Final = (1_000, 100_000, 1_000_000)
SHORT_SIZES: Final = (1_000, 10_000)
TIMES: Final = 200
MONITORS: Final = 1_000
_OPTIONS: Final = ("--no-start", "--queue-limit", "100000000", "--max-monitors", "5000")
_READY: Final = "restart"
_CLAIM: Final = "claim"

Figures = defaultdict[tuple[str, int], list[float]]


class Operation(NamedTuple):
    """A request about a run that waits; `{cid}` stands for it."""

    name: str
    method: str
    path: str
    body: bytes | None
    status: int


RUN: Final = Operation("run", "POST", "/api/tasks/run", BODY, 202)
OTHERS: Final = (
    Operation("priority", "PATCH", "/api/tasks/{cid}/priority", b'{"priority":1}', 200),
    Operation("move", "POST", "/api/queue/{cid}/move-to-position", b'{"position":100}', 200),
    Operation("list", "GET", "/api/queue/list?limit=100", None, 200),
    Operation("overview", "GET", "/api/queue/overview", None, 200),
    Operation("cancel", "POST", "/api/tasks/{cid}/cancel", b"{}", 202),
)


def queue(asked: Asked) -> Sequence[Result]:
    """The 99th percentile of each request by the length of the queue; the start; the memory."""
    sizes = SHORT_SIZES if asked.short else SIZES
    figures: Figures = defaultdict(list)
    with TemporaryDirectory(prefix="aura-bench-") as name:
        folders = {size: Path(name, str(size)) for size in sizes}
        for size, data_dir in folders.items():
            data_dir.mkdir()
            asyncio.run(filling.fill(data_dir, size))
        memory = [_round(folders, figures) for _ in range(asked.rounds)]
        for _ in range(asked.rounds):  # after all else: what is claimed here runs for ever
            _claims(folders, figures)
    return [
        *(_grown(name, size, figures) for name in _names() for size in sizes[1:]),
        *(_restart(size, figures) for size in sizes[1:]),
        Result(
            scenario="queue",
            part="memory",
            unit="MiB",
            ours=Side(
                "Aura",
                f"the server with {max(sizes):,} queued runs and {MONITORS:,} monitors",
                tuple(memory),
            ),
            bars=(Bar(200),),
            lower_is_better=True,
        ),
    ]


def _names() -> Sequence[str]:
    return [RUN.name, *(each.name for each in OTHERS), _CLAIM]


def _round(folders: Mapping[int, Path], figures: Figures) -> float:
    """Each request at each length in turn; answers what the server of the longest holds, in MiB."""
    with ExitStack() as stack:
        servers: dict[int, Served] = {}
        for size, data_dir in folders.items():
            served = stack.enter_context(processes.aura(*_OPTIONS, data_dir=data_dir))
            figures[_READY, size].append(served.ready_sec)
            servers[size] = served
        cids: dict[int, list[str]] = {}
        for size, served in servers.items():
            cids[size], p99 = _asked(served.url, RUN, [""] * TIMES)
            figures[RUN.name, size].append(p99)
        for operation in OTHERS:
            for size, served in servers.items():
                _, p99 = _asked(served.url, operation, cids[size])
                figures[operation.name, size].append(p99)
        return asyncio.run(_with_monitors(servers[max(servers)]))


def _claims(folders: Mapping[int, Path], figures: Figures) -> None:
    for size, data_dir in folders.items():
        figures[_CLAIM, size].append(asyncio.run(filling.claims_p99_ms(data_dir, TIMES)))
        asyncio.run(filling.fill(data_dir, TIMES))


def _asked(url: str, operation: Operation, cids: Sequence[str]) -> tuple[list[str], float]:
    """Ask for each of `cids`, one after the other; the cids of the answers, and the 99th percentile
    in milliseconds.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    headers = {} if operation.body is None else {"Content-Type": "application/json"}
    answers, taken = [], []
    for cid in cids:
        path = operation.path.format(cid=cid)
        began = time.perf_counter()
        connection.request(operation.method, path, operation.body, headers)
        response = connection.getresponse()
        answer = response.read()
        taken.append(time.perf_counter() - began)
        if response.status != operation.status:
            raise RuntimeError(f"{operation.name}: {answer.decode(errors='replace')}")
        answers.append(str(json.loads(answer).get("cid")))
    connection.close()
    return answers, quantiles(taken, n=100, method="inclusive")[98] * 1000


async def _with_monitors(served: Served) -> float:
    async with monitors(served.url, MONITORS):
        return processes.memory_mib(served.pid)


def _grown(name: str, size: int, figures: Figures) -> Result:
    """What it costs at `size`, beside what it costs where the queue is short."""
    least, most = min(at for _, at in figures), max(at for _, at in figures)
    return Result(
        scenario="queue",
        part=f"{name} at {size:,}",
        unit="ms p99",
        ours=Side("Aura", f"{name} with {size:,} queued runs", tuple(figures[name, size])),
        limit=Side(f"at {least:,}", f"with {least:,} queued runs", tuple(figures[name, least])),
        bars=(Bar(2, LIMIT),) if size == most else (),
        lower_is_better=True,
    )


def _restart(size: int, figures: Figures) -> Result:
    least, most = min(at for _, at in figures), max(at for _, at in figures)
    return Result(
        scenario="queue",
        part=f"{_READY} at {size:,}",
        unit="s",
        ours=Side("Aura", f"to ready with {size:,} queued runs", tuple(figures[_READY, size])),
        limit=Side(f"at {least:,}", f"with {least:,} queued runs", tuple(figures[_READY, least])),
        bars=(Bar(1.5),) if size == most else (),
        lower_is_better=True,
    )


QUEUE: Final = Scenario("queue", "requests at a thousand to a million queued runs", queue)
