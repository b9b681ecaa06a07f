"""The operations of the tag `logs`.

May import aiohttp, msgspec, model, and the rest of `api` but `app` and `routes`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from aura_aio.api import access_views, views
from aura_aio.api.answers import page_answer
from aura_aio.api.gate import aside
from aura_aio.api.json_lines import wants_lines, write_lines
from aura_aio.api.keys import GRANT, MONITORS, SCHEDULER
from aura_aio.logs.payload import payload
from aura_aio.model.audit import AuditFilter, AuditOutcome
from aura_aio.model.log import LogFilter, LogLevel
from aura_aio.model.task_names import task_name


async def list_run_logs(request: web.Request) -> web.StreamResponse:
    """listRunLogs."""
    query, cid = request["querystring"], request["match_info"]["cid"]
    logs, where, cursor = request.app[SCHEDULER].logs, _log_filter(query), query.get("cursor")
    if wants_lines(request):
        portions = logs.whole_run_log(where, cid=cid, cursor=cursor)
        with aside(request):
            return await write_lines(request, portions, payload, name=f"{cid}.ndjson")
    limit, wait_sec = query["limit"], query["wait_sec"]
    with aside(request, if_=wait_sec > 0):
        page = await logs.list_run_logs(
            where, cid=cid, limit=limit, cursor=cursor, wait_sec=wait_sec
        )
    return page_answer(request, views.log_page(page))


async def list_logs(request: web.Request) -> web.Response:
    """listLogs."""
    query = request["querystring"]
    with aside(request, if_=query["wait_sec"] > 0):
        page = await request.app[SCHEDULER].logs.list_logs(
            msgspec.structs.replace(_log_filter(query), plans=request[GRANT].plans),
            since=query["since"],
            limit=query["limit"],
            cursor=query.get("cursor"),
            wait_sec=query["wait_sec"],
        )
    return page_answer(request, views.log_page(page))


async def stream_logs(request: web.Request) -> web.StreamResponse:
    """streamLogs."""
    last_event_id = request["headers"].get("last_event_id")
    with aside(request):
        return await request.app[MONITORS].stream(
            request,
            request["querystring"],
            None if last_event_id is None else int(last_event_id),
            request[GRANT],
        )


async def connect_log_stream(request: web.Request) -> web.WebSocketResponse:
    """connectLogStream."""
    with aside(request):
        return await request.app[MONITORS].handle(request, request["querystring"], request[GRANT])


def _log_filter(query: Mapping[str, Any]) -> LogFilter:
    named = {name: query.get(name) for name in ("cid", "plan_name", "task_name", "step")}
    if named["task_name"] is not None:
        named["task_name"] = task_name(named["task_name"])
    return LogFilter(level=LogLevel(query["level"]), **named)


async def list_audit_events(request: web.Request) -> web.Response:
    """listAuditEvents."""
    query = request["querystring"]
    outcome = query.get("outcome")
    events = await request.app[SCHEDULER].logs.list_audit_events(
        AuditFilter(
            operation=query.get("operation"),
            outcome=None if outcome is None else AuditOutcome(outcome),
            by_name=query.get("by"),
            cid=query.get("cid"),
            plan_name=query.get("plan_name"),
            **{name: query[name].timestamp() for name in ("after", "before") if name in query},
        ),
        limit=query["limit"],
        cursor=query.get("cursor"),
    )
    return page_answer(request, access_views.audit_event_list(events))
