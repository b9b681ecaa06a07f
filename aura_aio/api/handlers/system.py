"""The operations of the tag `system`.

May import aiohttp and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import plan_views, system_views, views
from aura_aio.api.answers import answer
from aura_aio.api.keys import ABOUT, ACCESS, MONITORS, SCHEDULER


async def start_system(request: web.Request) -> web.Response:
    """startSystem."""
    scheduler = request.app[SCHEDULER]
    started = await scheduler.start()
    pauses = await scheduler.queue.pauses()
    return answer(views.system_started(started=started, is_paused=pauses.since is not None))


async def stop_system(request: web.Request) -> web.Response:
    """stopSystem."""
    body = request["json"]
    stopped = await request.app[SCHEDULER].stop(
        cancel=body["mode"] == "cancel", timeout_sec=body.get("timeout_sec")
    )
    return answer(views.system_stopped(stopped), status=202)


async def get_system_status(request: web.Request) -> web.Response:
    """getSystemStatus."""
    scheduler = request.app[SCHEDULER]
    status = await scheduler.system.status()
    monitors, hot_reload = request.app[MONITORS].monitors, scheduler.hot_reload.is_enabled
    return answer(views.system_status(status, monitors=monitors, hot_reload=hot_reload))


async def reload_plans(request: web.Request) -> web.Response:
    """reloadPlans."""
    scheduler = request.app[SCHEDULER]
    await scheduler.reload_plans(force=request["json"]["force"])
    return answer(plan_views.reload_result(scheduler.plans.list()))


async def enable_hot_reload(request: web.Request) -> web.Response:
    """enableHotReload."""
    is_new = request.app[SCHEDULER].hot_reload.enable()
    return answer(views.hot_reload_enabled(is_new=is_new))


async def disable_hot_reload(request: web.Request) -> web.Response:
    """disableHotReload."""
    is_new = await request.app[SCHEDULER].hot_reload.disable()
    return answer(views.hot_reload_disabled(is_new=is_new))


async def get_capabilities(request: web.Request) -> web.Response:
    """getCapabilities."""
    found = system_views.capabilities(
        request.app[ABOUT],
        needs_token=not request.app[ACCESS].is_open,
        hot_reload=request.app[SCHEDULER].hot_reload.is_enabled,
    )
    return answer(found)


async def get_recovery(request: web.Request) -> web.Response:
    """getRecovery."""
    return answer(system_views.recovery(request.app[ABOUT].recovery))
