"""The operations of the tag `logs`.

May import aiohttp, model, and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import views
from aura_aio.api.answers import answer
from aura_aio.api.keys import MONITORS, SCHEDULER
from aura_aio.model.log import LogFilter, LogLevel


async def list_run_logs(request: web.Request) -> web.Response:
    """listRunLogs."""
    query = request["querystring"]
    page = await request.app[SCHEDULER].runs.logs(
        LogFilter(level=LogLevel(query["level"]), step=query.get("step")),
        cid=request["match_info"]["cid"],
        limit=query["limit"],
        cursor=query.get("cursor"),
        wait_sec=query["wait_sec"],
    )
    return answer(views.log_page(page))


async def connect_log_stream(request: web.Request) -> web.WebSocketResponse:
    """connectLogStream."""
    return await request.app[MONITORS].handle(request, request["querystring"])
