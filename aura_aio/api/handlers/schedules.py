"""The operations of the tag `schedules`.

May import aiohttp, model, and the rest of `api` but `app` and `routes`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from aura_aio.api import schedule_views, views
from aura_aio.api.access import must_see_named
from aura_aio.api.answers import answer, page_answer
from aura_aio.api.keys import GRANT, SCHEDULER, TRACE
from aura_aio.api.run_requests import idempotency_of, replayed_header
from aura_aio.model.schedule import CatchUp, Overlap
from aura_aio.scheduler.schedule_book import Entry


async def list_schedules(request: web.Request) -> web.Response:
    """listSchedules."""
    query = request["querystring"]
    entries = request.app[SCHEDULER].schedules.list(
        plan_name=query.get("plan_name"),
        plans=request[GRANT].plans,
        limit=query["limit"],
        cursor=query.get("cursor"),
    )
    return page_answer(request, schedule_views.schedule_list(entries))


async def create_schedule(request: web.Request) -> web.Response:
    """createSchedule."""
    wanted = _fields(request)
    entry = await request.app[SCHEDULER].schedules.create(wanted.pop("id", None), wanted)
    headers = {"Location": f"/api/schedules/{quote(entry.schedule.id, safe='')}"}
    return answer(schedule_views.schedule(entry), status=201, headers=headers)


async def get_schedule(request: web.Request) -> web.Response:
    """getSchedule."""
    return answer(schedule_views.schedule(_entry(request)))


async def update_schedule(request: web.Request) -> web.Response:
    """updateSchedule."""
    id_ = _entry(request).schedule.id
    entry = await request.app[SCHEDULER].schedules.update(id_, _fields(request))
    return answer(schedule_views.schedule(entry))


async def delete_schedule(request: web.Request) -> web.Response:
    """deleteSchedule."""
    id_ = _entry(request).schedule.id
    await request.app[SCHEDULER].schedules.delete(id_)
    return answer(schedule_views.schedule_deleted(id_))


async def run_schedule_now(request: web.Request) -> web.Response:
    """runScheduleNow."""
    run = await request.app[SCHEDULER].schedules.run_now(
        _entry(request).schedule.id, idempotency_of(request), trace=request.get(TRACE)
    )
    headers = {"Location": f"/api/runs/{run.cid}"} | replayed_header(run.replayed)
    body = views.run_accepted(run.cid, run.plan_name, run.task_name)
    return answer(body, status=202, headers=headers)


def _entry(request: web.Request) -> Entry:
    """The schedule in the path, if it is of a plan that who asks may see.

    Raises:
        ScheduleNotFound: there is none.
    """
    id_ = request["match_info"]["schedule_id"]
    return request.app[SCHEDULER].schedules.get(id_, plans=request[GRANT].plans)


def _fields(request: web.Request) -> dict[str, Any]:
    """The validated body as fields of `Schedule`: words become their enumerations.

    Raises:
        BadReference: the plan is not one that who asks may see.
    """
    body: Mapping[str, Any] = request["json"]
    if "plan_name" in body:
        must_see_named(request, body["plan_name"])
    words = {"overlap": Overlap, "catch_up": CatchUp}
    return {name: words.get(name, _as_it_is)(value) for name, value in body.items()}


def _as_it_is(value: Any) -> Any:
    return value
