"""The operations of the tag `system`.

May import aiohttp and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import plan_views, views
from aura_aio.api.answers import answer
from aura_aio.api.keys import MONITORS, SCHEDULER


async def start_system(request: web.Request) -> web.Response:
    """startSystem."""
    started = await request.app[SCHEDULER].start()
    return answer(views.system_started(started=started))


async def stop_system(request: web.Request) -> web.Response:
    """stopSystem."""
    body = request["json"]
    stopped = await request.app[SCHEDULER].stop(
        cancel=body["mode"] == "cancel", timeout_sec=body.get("timeout_sec")
    )
    return answer(views.system_stopped(stopped), status=202)


async def get_system_status(request: web.Request) -> web.Response:
    """getSystemStatus."""
    status = await request.app[SCHEDULER].system.status()
    return answer(views.system_status(status, request.app[MONITORS].monitors))


async def reload_plans(request: web.Request) -> web.Response:
    """reloadPlans."""
    scheduler = request.app[SCHEDULER]
    await scheduler.reload_plans(force=request["json"]["force"])
    return answer(plan_views.reload_result(scheduler.plans.list()))
