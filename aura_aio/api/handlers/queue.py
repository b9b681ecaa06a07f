"""The operations of the tag `queue`.

May import aiohttp and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import views
from aura_aio.api.answers import answer, page_answer
from aura_aio.api.keys import GRANT, SCHEDULER


async def get_queue_overview(request: web.Request) -> web.Response:
    """getQueueOverview."""
    return answer(views.queue_overview(await request.app[SCHEDULER].queue.overview()))


async def list_queue(request: web.Request) -> web.Response:
    """listQueue."""
    query = request["querystring"]
    entries = await request.app[SCHEDULER].queue.list(
        delayed=query["state"] == "delayed",
        limit=query["limit"],
        cursor=query.get("cursor"),
        grant=request[GRANT],
    )
    return page_answer(request, views.queue_list(entries))
