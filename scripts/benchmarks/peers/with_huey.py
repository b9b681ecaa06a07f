"""Huey with SQLite, as a client sees it.

Imports the standard library, and its neighbours.
"""

import os
import sys

from benchmarks.peers import talk


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with talk.folder() as data:
        os.environ["BENCH_DATABASE"] = str(data / "huey.db")
        from benchmarks.peers import huey_actions as actions  # noqa: PLC0415 - it needs the file

        ended = actions.queue.storage.result_store_size

        def run_noops(count: int) -> float:
            target = ended() + count
            return talk.seconds(actions.noop, lambda: ended() >= target, count)

        command = [sys.executable, "-m", "huey.bin.huey_consumer"]
        command += ["benchmarks.peers.huey_actions.queue", "-q"]
        with talk.workers([*command, "-w", str(talk.WORKERS), "-k", "process"], count=1):
            talk.serve(noop=run_noops, latency=lambda count: talk.times(actions.say, bell, count))


if __name__ == "__main__":
    main()
