"""Which workers have room, and in which order they are given runs.

May import `supervisor` only.
"""

from collections.abc import Iterable
from typing import Final

from aura_aio.dispatch.supervisor import Worker

MOST_AT_ONCE: Final = 64


def free_slots(workers: Iterable[Worker], now: float) -> list[Worker]:
    """A worker for each free slot, evenly, the least busy first; at the most `MOST_AT_ONCE`.

    `now` is the monotonic time in seconds.
    """
    ordered = sorted(workers, key=lambda each: (each.busy, each.resting))
    free = [(worker, worker.free(now)) for worker in ordered]
    most = min(MOST_AT_ONCE, max((count for _, count in free), default=0))
    places = [worker for turn in range(most) for worker, count in free if turn < count]
    return places[:MOST_AT_ONCE]
