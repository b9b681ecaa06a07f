"""What is logged: the line that a part writes, and the entry that the log keeps of it.

May import the standard library and msgspec only.
"""

import logging
from enum import StrEnum
from typing import Any

import msgspec


class LogLevel(StrEnum):
    """How much a line matters, as spelled on the wire."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    number: int
    """The number of the standard library's `logging` for it: 10, 20, 30, 40, 50."""

    def __init__(self, name: str) -> None:
        self.number = logging.getLevelNamesMapping()[name.upper()]

    @classmethod
    def from_number(cls, number: int) -> "LogLevel":
        """The level that a `logging` number belongs to: the highest one not above it."""
        for level in reversed(cls):
            if number >= level.number:
                return level
        return cls.DEBUG


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A line as it was written; `timestamp` in seconds since the epoch, UTC.

    Python's collector need not look at lines, of which there are many: none refers to itself.
    """

    timestamp: float
    level: LogLevel
    logger: str
    message: str
    cid: str | None = None
    plan_name: str | None = None
    task_name: str | None = None
    step: str | None = None
    attempt: int | None = None
    worker: str | None = None
    data: dict[str, Any] | None = None


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """A line with its number: `seq` grows by one per entry over the server's whole life."""

    seq: int
    line: LogLine


class LogFilter(msgspec.Struct, frozen=True):
    """Which entries a reader wants; an absent condition lets everything pass.

    `plans` are any of: what belongs to none of them, as the server's own entries, does not pass.
    """

    level: LogLevel = LogLevel.DEBUG
    cid: str | None = None
    plan_name: str | None = None
    task_name: str | None = None
    step: str | None = None
    plans: frozenset[str] | None = None

    def matches(self, line: LogLine) -> bool:
        """Whether `line` passes every condition."""
        return (
            line.level.number >= self.level.number
            and (self.cid is None or line.cid == self.cid)
            and (self.plan_name is None or line.plan_name == self.plan_name)
            and (self.task_name is None or line.task_name == self.task_name)
            and (self.step is None or line.step == self.step)
            and (self.plans is None or line.plan_name in self.plans)
        )
