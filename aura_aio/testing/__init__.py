"""Tests of plans: what their fixtures give, for annotations (docs/how-to/test-a-plan.md).

May import model and the rest of `testing` but `plugin`, which is pytest's.
"""

from aura_aio.model.errors import InputsRejected, TaskNotFound
from aura_aio.model.origin import FromEvent, FromParent, FromSchedule
from aura_aio.testing.clock import VirtualClock
from aura_aio.testing.http import FakeHttp
from aura_aio.testing.runs import FinishedRun, RunAction, RunTask, StepOfRun

__all__ = [
    "FakeHttp",
    "FinishedRun",
    "FromEvent",
    "FromParent",
    "FromSchedule",
    "InputsRejected",
    "RunAction",
    "RunTask",
    "StepOfRun",
    "TaskNotFound",
    "VirtualClock",
]
