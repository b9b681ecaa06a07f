"""Dramatiq with Redis, as a client sees it.

Imports the standard library, redis, and its neighbours.
"""

import os
import sys

from redis import Redis

from benchmarks.peers import talk
from benchmarks.peers.redis_server import redis_server


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with redis_server() as url:
        os.environ["BENCH_REDIS"] = url
        from benchmarks.peers import dramatiq_actions as actions  # noqa: PLC0415 - it needs the URL

        redis = Redis.from_url(url)

        def is_over() -> bool:  # acknowledged: the result is stored
            return not redis.hlen("dramatiq:default.msgs")

        command = [sys.executable, "-m", "dramatiq", "benchmarks.peers.dramatiq_actions"]
        with talk.workers([*command, "--processes", str(talk.WORKERS)], count=1):
            talk.serve(
                noop=lambda count: talk.seconds(actions.noop.send, is_over, count),
                latency=lambda count: talk.times(actions.say.send, bell, count),
            )


if __name__ == "__main__":
    main()
