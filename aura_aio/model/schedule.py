"""Schedules: when a task is run by itself, and what was decided about its due times.

May import the standard library and msgspec only; computing due times is `catalog`'s.
"""

from enum import StrEnum
from typing import Any

import msgspec


class Overlap(StrEnum):
    """What happens at a due time while the run before is still queued or running."""

    SKIP = "skip"
    QUEUE = "queue"


class CatchUp(StrEnum):
    """Which of the due times are made up for that nobody was there for."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a task is run, and with which inputs; exactly one of `cron` and `every_sec` is set.

    `id` is unique over all schedules; that of a plan's is `<plan>/<its id there>`. `timezone` is
    that of `cron`; `every_sec` counts from the epoch (1970-01-01T00:00:00Z). Each due time is moved
    by up to `jitter_sec`, always the same for that due time. `inputs` are checked against the task
    at each due time.
    """

    id: str
    plan_name: str
    task_name: str
    cron: str | None = None
    every_sec: float | None = None
    timezone: str = "UTC"
    inputs: dict[str, Any] = {}
    enabled: bool = True
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.NONE
    jitter_sec: float = 0.0
