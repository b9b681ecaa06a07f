"""How many workers a machine bears, and how much of its memory each.

May import the standard library only.
"""

import os
import sys
from typing import Final

MEMORY_SHARE: Final = 0.8


def worker_count(wanted: int) -> int:
    """How many workers there are if `wanted` are asked for: -1 means one per core."""
    return wanted if wanted >= 0 else _cores()


def share_of_memory(workers: int) -> int:
    """A worker's part of `MEMORY_SHARE` of the machine, in bytes; 0 (no limit) if unknown."""
    if sys.platform == "win32":
        return 0
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(total * MEMORY_SHARE / workers)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
