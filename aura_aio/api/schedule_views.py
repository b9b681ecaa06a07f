"""Schedules as answers: the counterpart of `views` for what runs by itself.

May import scheduler and model.
"""

import math

from aura_aio.api.views import Answer, page, present, time
from aura_aio.model.ports import Page
from aura_aio.scheduler.schedule_book import Entry


def schedule(entry: Entry) -> Answer:
    """Schedule."""
    wanted, state = entry.schedule, entry.state
    return present(
        id=wanted.id,
        source=entry.source,
        plan_name=wanted.plan_name,
        task_name=wanted.task_name,
        cron=wanted.cron,
        every_sec=wanted.every_sec,
        timezone=wanted.timezone if wanted.cron is not None else None,
        inputs=wanted.inputs,
        enabled=entry.enabled,
        overlap=wanted.overlap,
        catch_up=wanted.catch_up,
        jitter_sec=wanted.jitter_sec,
        next_run_at=time(entry.next_run_at) if math.isfinite(entry.next_run_at) else None,
        last_run_at=time(state.last_run_at),
        last_cid=state.last_cid,
        last_outcome=state.outcome,
        last_message=state.message,
    )


def schedule_list(entries: Page[Entry]) -> Answer:
    """ScheduleList."""
    return page(map(schedule, entries.items), entries.next_cursor)


def schedule_deleted(id_: str) -> Answer:
    """ScheduleDeleted."""
    return {"id": id_, "message": f"The schedule {id_!r} is removed."}
