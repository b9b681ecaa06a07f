"""The operations of the tag `runs`.

May import aiohttp, model, and the rest of `api` but `app` and `routes`.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from aura_aio.api import plan_views, run_views, views
from aura_aio.api.answers import answer, page_answer
from aura_aio.api.gate import aside
from aura_aio.api.keys import GRANT, SCHEDULER
from aura_aio.model.access import Grant
from aura_aio.model.ports import RunFilter
from aura_aio.model.states import RunState
from aura_aio.model.task_names import task_name


async def list_active_runs(request: web.Request) -> web.Response:
    """listActiveRuns."""
    runs = await request.app[SCHEDULER].runs.list_active()
    grant = request[GRANT]
    return answer(views.active_run_list([each for each in runs if grant.sees(each[0].plan_name)]))


async def list_runs(request: web.Request) -> web.Response:
    """listRuns."""
    query = request["querystring"]
    runs = await request.app[SCHEDULER].runs.list(
        _run_filter(query, request[GRANT]),
        limit=query["limit"],
        cursor=query.get("cursor"),
        include=frozenset(query.get("include", ())),
    )
    return page_answer(request, views.run_list(runs))


async def get_run(request: web.Request) -> web.Response:
    """getRun."""
    scheduler = request.app[SCHEDULER]
    cid, wait_sec = request["match_info"]["cid"], request["querystring"]["wait_sec"]
    with aside(request, if_=wait_sec > 0):
        run = await scheduler.runs.get(cid, wait_sec=wait_sec)
    is_queued = run.state is RunState.QUEUED
    waiting = await scheduler.queue.waiting(run, request[GRANT]) if is_queued else None
    return answer(views.run_detail(run, waiting))


async def get_run_timeline(request: web.Request) -> web.Response:
    """getRunTimeline."""
    cid = request["match_info"]["cid"]
    run, steps = await request.app[SCHEDULER].runs.timeline(cid)
    return answer(run_views.timeline(run, steps))


async def list_run_callbacks(request: web.Request) -> web.Response:
    """listRunCallbacks."""
    cid = request["match_info"]["cid"]
    callback = await request.app[SCHEDULER].runs.list_run_callbacks(cid)
    return answer(run_views.run_callbacks(callback))


async def get_run_definition(request: web.Request) -> web.Response:
    """getRunDefinition."""
    cid = request["match_info"]["cid"]
    definition = await request.app[SCHEDULER].runs.get_run_definition(cid)
    return answer(plan_views.run_definition(cid, definition))


def _run_filter(query: Mapping[str, Any], grant: Grant) -> RunFilter:
    times = {
        name: query[name].timestamp()
        for name in ("created_after", "created_before", "finished_after", "finished_before")
        if name in query
    }
    return RunFilter(
        plan_name=query.get("plan_name"),
        plans=grant.plans,
        task_name=query.get("task_name") and task_name(query["task_name"]),
        statuses=tuple(RunState(word) for word in query.get("status", ())),
        labels=tuple(_label(text) for text in query.get("label", ())),
        q=query.get("q"),
        parent_cid=query.get("parent_cid"),
        retry_of=query.get("retry_of"),
        **times,
    )


def _label(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
