"""What Huey's workers do, with the SQLite file that the variable BENCH_DATABASE names.

Imports the standard library, huey, and its neighbour `talk`.
"""

import os

from huey import SqliteHuey

from benchmarks.peers import talk

queue = SqliteHuey(filename=os.environ["BENCH_DATABASE"], fsync=True, store_none=True)


@queue.task()
def noop() -> None:
    """Return at once."""


@queue.task()
def say() -> None:
    """Tell that it has begun."""
    talk.ring()
