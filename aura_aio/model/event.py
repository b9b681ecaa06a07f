"""Events as tasks and actions wait for them: which run's end is meant.

May import the standard library, msgspec and other modules of `model` only.
"""

from typing import Any, Final

import msgspec

from aura_aio.model.states import RunState

RUN_FINISHED: Final = "run.finished"
"""The event that a run has ended, however it did."""

EVENTS: Final = (RUN_FINISHED,)


class EventFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which ends of runs are meant: every condition that is set must hold; `statuses` is any of."""

    event: str = RUN_FINISHED
    plan_name: str | None = None
    task_name: str | None = None
    cid: str | None = None
    statuses: tuple[RunState, ...] = ()

    def matches(self, *, plan_name: str, task_name: str, cid: str, status: RunState) -> bool:
        """Whether the end of this run, as `status`, passes every condition."""
        return (
            self.plan_name in (None, plan_name)
            and self.task_name in (None, task_name)
            and self.cid in (None, cid)
            and (not self.statuses or status in self.statuses)
        )


class EventTrigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry under `on` of a task: it is run, with these inputs, after each such event."""

    where: EventFilter
    inputs: dict[str, Any] = {}
