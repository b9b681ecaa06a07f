"""The keys under which the application holds what handlers need.

May import aiohttp, scheduler and the rest of `api`.
"""

from typing import Final

from aiohttp import web

from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.settings import HttpSettings

SCHEDULER: Final = web.AppKey("scheduler", Scheduler)
MONITORS: Final = web.AppKey("monitors", LogConnectionManager)
HTTP_SETTINGS: Final = web.AppKey("http_settings", HttpSettings)
REQUEST_ID: Final = web.RequestKey("request_id", str)
