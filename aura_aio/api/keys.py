"""The keys under which the application holds what handlers need.

May import aiohttp, model, scheduler and the rest of `api`.
"""

from typing import Final

from aiohttp import web

from aura_aio.api.compiled import Compiled
from aura_aio.api.gate import Gate
from aura_aio.api.judges import Judges
from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.api.metrics import Metrics
from aura_aio.model.access import Grant
from aura_aio.model.trace import TraceContext
from aura_aio.scheduler.about import About
from aura_aio.scheduler.access import Access
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.settings import HttpSettings

SCHEDULER: Final = web.AppKey("scheduler", Scheduler)
ACCESS: Final = web.AppKey("access", Access)
ABOUT: Final = web.AppKey("about", About)
METRICS: Final = web.AppKey("metrics", Metrics)
MONITORS: Final = web.AppKey("monitors", LogConnectionManager)
GATE: Final = web.AppKey("gate", Gate)
HTTP_SETTINGS: Final = web.AppKey("http_settings", HttpSettings)
JUDGES: Final = web.AppKey("judges", Judges)
GOOD_TASK: Final = web.AppKey("good_task", Compiled)
"""A task of a batch at the first look."""
GRANT: Final = web.RequestKey("grant", Grant)
"""What who asks may do; there for operations with a scope."""
TAKES_TICKET: Final = web.RequestKey("takes_ticket", bool)
"""Whether the query parameter `TICKET` is a ticket; where it is not there, it is none."""
TICKET: Final = "ticket"
"""The query parameter that a ticket travels in (`components.securitySchemes.ticket`)."""
REQUEST_ID: Final = web.RequestKey("request_id", str)
TRACE: Final = web.RequestKey[TraceContext | None]("trace", TraceContext)
"""Where in which trace the request belongs, and what comes of it; None if that is nowhere."""
