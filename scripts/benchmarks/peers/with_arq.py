"""arq with Redis: actions, worker and client in one module.

Imports the standard library, arq, and its neighbours.
"""

import asyncio
import os
import sys
from functools import partial
from typing import Any, ClassVar

from arq import create_pool
from arq.connections import RedisSettings

from benchmarks.peers import talk
from benchmarks.peers.redis_server import redis_server


async def noop(_: dict[str, Any]) -> None:
    """Return at once."""


async def say(_: dict[str, Any]) -> None:
    """Tell that it has begun."""
    talk.ring()


class WorkerSettings:
    """As arq ships it, but for as many at once as it likes."""

    functions: ClassVar = [noop, say]
    max_jobs = 100
    redis_settings = RedisSettings.from_dsn(os.environ.get("BENCH_REDIS", "redis://127.0.0.1"))


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with redis_server() as url, asyncio.Runner() as runner:
        os.environ["BENCH_REDIS"] = url
        pool = runner.run(create_pool(RedisSettings.from_dsn(url)))

        async def is_over() -> bool:  # one leaves the queue as its result is stored
            return not await pool.zcard("arq:queue")

        with talk.workers(
            [sys.executable, "-m", "arq", "benchmarks.peers.with_arq.WorkerSettings"]
        ):
            talk.serve(
                noop=lambda count: runner.run(
                    talk.seconds_of_coroutines(partial(pool.enqueue_job, "noop"), is_over, count)
                ),
                latency=lambda count: runner.run(
                    talk.times_of_coroutines(partial(pool.enqueue_job, "say"), bell, count)
                ),
            )


if __name__ == "__main__":
    main()
