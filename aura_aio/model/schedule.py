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
    by up to `jitter_sec`, always the same for that due time, but not to the next one. `inputs` are
    checked against the task at each due time.
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


class DueOutcome(StrEnum):
    """What was decided at a due time."""

    QUEUED = "queued"
    """A run was queued."""
    SKIPPED = "skipped"
    """The run before had not ended, and `overlap` says to skip."""
    MISSED = "missed"
    """Nobody was there in time, and `catch_up` says not to make up for it."""
    FAILED = "failed"
    """There is no such task any more, or it does not take the inputs."""


class ScheduleState(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a schedule; times in seconds since the epoch.

    `created` is the schedule itself if a client has made it; those of plans stand there. `enabled`
    is what a client wants of a plan's, None if nothing. Every due time up to `decided_at` is
    decided: run, or left out; how the last one was, say `outcome` and `message`. `basis` names
    what the due times were computed from: when it changes, the time begins anew. `last_cid` is the
    latest run of the schedule, accepted at `last_run_at`.
    """

    id: str
    basis: str
    decided_at: float
    created: Schedule | None = None
    enabled: bool | None = None
    last_run_at: float | None = None
    last_cid: str | None = None
    outcome: DueOutcome | None = None
    message: str | None = None
