"""The operations of the tag `health`.

May import aiohttp and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api.answers import answer
from aura_aio.api.keys import SCHEDULER


async def get_health(request: web.Request) -> web.Response:
    """getHealth."""
    request.app[SCHEDULER].system.check_alive()
    return answer({"status": "ok"})


async def get_readiness(request: web.Request) -> web.Response:
    """getReadiness."""
    await request.app[SCHEDULER].system.check_ready()
    return answer({"status": "ready"})
