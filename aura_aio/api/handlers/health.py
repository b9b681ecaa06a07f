"""The operations of the tag `health`.

May import aiohttp and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api.answers import NOT_KEPT, answer
from aura_aio.api.keys import GATE, METRICS, MONITORS, SCHEDULER
from aura_aio.api.metrics import MEDIA_TYPE


async def get_health(request: web.Request) -> web.Response:
    """getHealth."""
    request.app[SCHEDULER].system.check_alive()
    return answer({"status": "ok"})


async def get_readiness(request: web.Request) -> web.Response:
    """getReadiness."""
    scheduler = request.app[SCHEDULER]
    await scheduler.system.check_ready()
    scheduler.runs.check_space()
    return answer({"status": "ready"})


async def get_metrics(request: web.Request) -> web.Response:
    """getMetrics."""
    scheduler = request.app[SCHEDULER]
    status, overview = await scheduler.system.status(), await scheduler.queue.overview()
    monitors, turned_away = request.app[MONITORS].monitors, request.app[GATE].turned_away
    text = request.app[METRICS].text(status, overview, monitors, turned_away)
    return web.Response(body=text, content_type=MEDIA_TYPE, charset="utf-8", headers=NOT_KEPT)
