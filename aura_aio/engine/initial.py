"""What templates see as `initial`: what started the run.

May import model, and of `engine` `sandbox`.
"""

from typing import Any, Final

from aura_aio.engine.sandbox import Named
from aura_aio.model.clock import rfc3339
from aura_aio.model.origin import FromEvent, FromParent, FromSchedule, decode_origin

CLIENT: Final = "client"


def initial(origin: bytes | None) -> Named:
    """`trigger` is client, schedule, event or parent. Under `schedule`, `event` and `parent` stand
    the details; those of what did not start the run are None, so that a template can ask for them.
    """
    names: dict[str, Any] = {"trigger": CLIENT, "schedule": None, "event": None, "parent": None}
    match decode_origin(origin):
        case FromSchedule(id, due_at):
            names |= _detail("schedule", id=id, due_at=rfc3339(due_at))
        case FromParent(cid, step):
            names |= _detail("parent", cid=cid, step=step)
        case FromEvent() as fact:
            names |= _detail(
                "event",
                event=fact.event,
                cid=fact.cid,
                plan_name=fact.plan_name,
                task_name=fact.task_name,
                status=fact.status,
                at=rfc3339(fact.at),
            )
        case None:
            pass
    return Named("initial", names)


def _detail(trigger: str, **values: str) -> dict[str, Any]:
    return {"trigger": trigger, trigger: Named(f"initial.{trigger}", values)}
