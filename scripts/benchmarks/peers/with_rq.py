"""RQ, as a client sees it.

Imports the standard library, redis, rq, and its neighbours.
"""

import sys

from redis import Redis
from rq import Queue
from rq.registry import FinishedJobRegistry

from benchmarks.peers import rq_actions, talk
from benchmarks.peers.redis_server import redis_server


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with redis_server() as url:
        queue = Queue(connection=Redis.from_url(url))
        ended = FinishedJobRegistry(queue=queue)

        def run_noops(count: int) -> float:
            target = ended.get_job_count(cleanup=False) + count
            return talk.seconds(
                lambda: queue.enqueue(rq_actions.noop),
                lambda: ended.get_job_count(cleanup=False) >= target,
                count,
            )

        # Without a fork for each, which its own documentation names as the quick way.
        command = [sys.executable, "-m", "rq.cli", "worker", "-u", url, "--quiet"]
        with talk.workers([*command, "-w", "rq.worker.SimpleWorker"]):
            talk.serve(
                noop=run_noops,
                latency=lambda count: talk.times(
                    lambda: queue.enqueue(rq_actions.say), bell, count
                ),
            )


if __name__ == "__main__":
    main()
