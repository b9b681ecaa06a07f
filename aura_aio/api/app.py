"""The application: passage, routes of the contract, pages beside it.

May import aiohttp, contract, scheduler, settings and the rest of `api`.
"""

from aiohttp import web

from aura_aio.api.cors import allow_origins
from aura_aio.api.deprecation import announce_deprecations
from aura_aio.api.gate import Gate
from aura_aio.api.keys import ABOUT, ACCESS, GATE, HTTP_SETTINGS, METRICS, MONITORS, SCHEDULER
from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.api.metrics import Metrics
from aura_aio.api.pages import add_pages
from aura_aio.api.passage import passage
from aura_aio.api.request_ids import give_request_id
from aura_aio.api.routes import bind
from aura_aio.contract.document import Contract
from aura_aio.scheduler.about import About
from aura_aio.scheduler.access import Access
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.settings import HttpSettings


def make_app(
    scheduler: Scheduler,
    logs: LogConnectionManager,
    access: Access,
    about: About,
    metrics: Metrics,
    contract: Contract,
    settings: HttpSettings,
) -> web.Application:
    """The HTTP application over `scheduler` and the log stream `logs`, for whom `access` lets in.

    Raises:
        ContractError: contract and handlers do not fit.
    """
    app = web.Application(client_max_size=settings.max_body_bytes)
    app.on_response_prepare.append(give_request_id)
    app[SCHEDULER] = scheduler
    app[MONITORS] = logs
    app[ABOUT] = about
    app[METRICS] = metrics
    app[ACCESS] = access
    app[HTTP_SETTINGS] = settings
    app[GATE] = Gate(settings)
    operations = bind(app, contract)
    app.middlewares.append(passage(operations, access, metrics, settings))
    allow_origins(app, {app.router[each.operation_id] for each in contract.operations}, settings)
    announce_deprecations(app, operations)
    add_pages(app, contract)
    return app
