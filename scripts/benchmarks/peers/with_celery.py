"""Celery with Redis: actions, worker and client in one module.

Imports the standard library, celery, redis, and its neighbours `talk` and `redis_server`.
"""

import os
import sys

from celery import Celery
from redis import Redis

from benchmarks.peers import talk
from benchmarks.peers.redis_server import redis_server

app = Celery("bench", broker=os.environ.get("BENCH_REDIS"), backend=os.environ.get("BENCH_REDIS"))
# What its documentation names for tasks that must survive a lost worker.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)


@app.task(name="noop")
def noop() -> None:
    """Return at once."""


@app.task(name="say")
def say() -> None:
    """Tell that it has begun."""
    talk.ring()


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with redis_server() as url:
        os.environ["BENCH_REDIS"] = url
        app.conf.update(broker_url=url, result_backend=url)
        redis = Redis.from_url(url)

        def is_over() -> bool:
            with redis.pipeline() as both:  # acknowledged late: when the result is stored
                return not any(both.llen("celery").hlen("unacked").execute())

        quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.with_celery", "worker"]
        with talk.workers([*command, "-c", str(talk.WORKERS), *quiet], count=1):
            talk.serve(
                noop=lambda count: talk.seconds(noop.delay, is_over, count),
                latency=lambda count: talk.times(say.delay, bell, count),
            )


if __name__ == "__main__":
    main()
