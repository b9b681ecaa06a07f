"""The built-in action that waits for the end of another run: `wait.for_event`.

May import model, and of `engine` `context` and `events`.
"""

import asyncio
from typing import Any, Final

from aura_aio.engine.context import ActionContext
from aura_aio.model import json
from aura_aio.model.clock import rfc3339
from aura_aio.model.event import (
    ANY_PLAN,
    EVENTS,
    RUN_FINISHED,
    EventFilter,
    EventWait,
    RunEnded,
    ends_of,
)
from aura_aio.model.suggestions import did_you_mean


async def for_event(
    context: ActionContext,
    event: str = RUN_FINISHED,
    *,
    plan: str | None = None,
    task: str | None = None,
    cid: str | None = None,
    status: str | list[str] | None = None,
    timeout_sec: float | None = None,
) -> dict[str, Any]:
    """Wait until a run has ended, and give the event: `event`, `cid`, `plan_name`, `task_name`,
    `status`, `at`, and the `result` or the `error` of that run.

    That is the first run from now on that ends as `status` (`failed|timed_out`, or a list; any, if
    absent), of `task` of this plan, or of `plan` (`*`: any). With `cid` it is that run, also if it
    has ended already. The run gives its slot away while it waits.

    Raises:
        ValueError: there is no such event, or no run ends so.
        EventCannotCome: there is no such plan, task or run; or that run has ended otherwise.
        TimeoutError: no such event came within `timeout_sec` seconds.
    """
    if event not in EVENTS:
        raise ValueError(f"There is no event {event!r}.{did_you_mean(event, EVENTS)}")
    if context.events is None:
        raise ValueError("There are no events here.")
    where = EventFilter(
        event=event,
        plan_name=_plan(plan, cid, context.plan_name),
        task_name=task,
        cid=cid,
        statuses=ends_of("|".join([status] if isinstance(status, str) else status))
        if status
        else (),
    )
    wanted = EventWait(context.cid, context.attempt, context.step, where)
    try:
        async with asyncio.timeout(timeout_sec):
            return _told(event, await context.events.wait(wanted))
    except TimeoutError:
        raise TimeoutError(f"No such event came within {timeout_sec:g} s.") from None


def _plan(plan: str | None, cid: str | None, own: str) -> str | None:
    """The plan that is meant, None for any."""
    if plan is None and cid is None:
        return own
    return None if plan == ANY_PLAN else plan


def _told(event: str, ended: RunEnded) -> dict[str, Any]:
    told: dict[str, Any] = {
        "event": event,
        "cid": ended.cid,
        "plan_name": ended.plan_name,
        "task_name": ended.task_name,
        "status": ended.status.value,
        "at": rfc3339(ended.at),
    }
    if ended.result is not None:
        told["result"] = json.loads(ended.result)
    if ended.error is not None:
        told["error"] = {"type": ended.error.type, "message": ended.error.message}
    return told


ACTIONS: Final = {"wait.for_event": for_event}
