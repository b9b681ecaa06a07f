"""What Procrastinate's workers do, with the PostgreSQL that the variable BENCH_POSTGRES names.

Imports the standard library, procrastinate, and its neighbour `talk`.
"""

import os

import procrastinate

from benchmarks.peers import talk

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(
        conninfo=os.environ["BENCH_POSTGRES"], max_size=talk.SUBMITTERS
    )
)


@app.task(name="noop")
async def noop() -> None:
    """Return at once."""


@app.task(name="say")
async def say() -> None:
    """Tell that it has begun."""
    talk.ring()
