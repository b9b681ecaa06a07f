"""The way of every request to its handler, and of the answer back: one middleware.

May import aiohttp, contract, scheduler, model, settings and the rest of `api` but `app`, `routes`.

It is one coroutine with plain calls in it, not a middleware for each: a dozen of them, each with
another around it, were a fifth of what a request cost (docs/decisions/0051).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from aura_aio.api import problems
from aura_aio.api.access import grant_of, must_show_no_token
from aura_aio.api.audit import audited, done_statuses
from aura_aio.api.hosts import host_check
from aura_aio.api.keys import GRANT, REQUEST_ID
from aura_aio.api.metrics import PAGE, Metrics
from aura_aio.api.negotiation import compress_if_large
from aura_aio.api.options import allow, options_answer
from aura_aio.api.problems import InvalidRequest
from aura_aio.api.request_ids import request_id_of, trace_of
from aura_aio.contract.document import Operation
from aura_aio.model.asking import answering
from aura_aio.model.errors import AuraError
from aura_aio.scheduler.access import Access
from aura_aio.settings import HttpSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger("aura.api")

_KEPT_HEADERS: Final = (
    "Connection", "Retry-After", "Sec-WebSocket-Version", "Upgrade",
)  # fmt: skip
_JSON: Final = "application/json"
_UNREADABLE: Final = "The body is not cut and packed as the headers say."


def passage(
    operations: Mapping[Any, Operation],
    access: Access,
    metrics: Metrics,
    settings: HttpSettings,
) -> Middleware:
    """What every request passes; `operations` holds the operation of each handler, and what is not
    in it are pages, which are for everybody.
    """
    come_in = _entry(operations, access, settings)
    names = {handler: operation.operation_id for handler, operation in operations.items()}

    @web.middleware
    async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        clock = asyncio.get_running_loop().time
        began = clock()
        request[REQUEST_ID] = request_id = request_id_of(request)
        trace = trace_of(request)
        with answering(request_id, None if trace is None else trace.trace_id):
            try:
                response = await come_in(request, handler)
            except Exception as error:  # whatever it is: the client gets a problem
                response = problem_of(request, error)
            compress_if_large(request, response)
        name = names.get(request.match_info.handler, PAGE)
        metrics.answered(name, response.status, clock() - began)
        return response

    return pass_through


def _entry(
    operations: Mapping[Any, Operation], access: Access, settings: HttpSettings
) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """From the door to the handler; who is not let in gets an exception."""
    must_be_at_home = host_check(settings)
    done = done_statuses(operations)

    async def come_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        must_be_at_home(request)
        must_show_no_token(request)
        asked_of = request.match_info.handler
        operation = operations.get(asked_of)
        if operation is None:
            options = await options_answer(request)
            if options is not None:
                return options
        elif operation.scope is not None:
            request[GRANT] = await grant_of(request, operation, operation.scope, access)
        _must_be_json(request)
        if operation is not None and asked_of in done:
            return await audited(request, handler, operation.operation_id, done[asked_of])
        return await handler(request)

    return come_in


def _must_be_json(request: web.Request) -> None:
    """Refuse a body that does not say it is JSON (415); forms of foreign pages cannot say so."""
    if request.headers.get(hdrs.CONTENT_TYPE) == _JSON:
        return  # as nearly all say it; aiohttp's `content_type` parses what may stand around it
    if request.body_exists and request.content_type != _JSON:
        raise web.HTTPUnsupportedMediaType(
            text="Send the body as JSON, with Content-Type: application/json "
            f"(it came as {request.content_type})."
        )


def problem_of(request: web.Request, error: Exception) -> web.Response:
    """Every error as `application/problem+json`; a crash says no more than its request id.

    Raises:
        HTTPException: it was none, but a redirect.
    """
    headers: Mapping[str, str] = {}
    match error:
        case AuraError():
            problem, headers = problems.of_error(error), problems.headers_of(error)
        case InvalidRequest():
            problem = problems.of_faults(error.faults)
        case web.HTTPException():
            if error.status < 400:
                raise error
            problem, headers = problems.of_http(error), _headers_of_http(error)
        case web.RequestPayloadError():
            problem = problems.bad_http(400, _UNREADABLE)
        case _:
            problem = _crash(request, error)
    return problems.response(problem, instance=request.path, headers=headers)


def _headers_of_http(error: web.HTTPException) -> dict[str, str]:
    headers = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers |= allow(error.allowed_methods)
    return headers


def _crash(request: web.Request, error: Exception) -> problems.Problem:
    """The client gets a 500, the log the traceback."""
    request_id = request[REQUEST_ID]
    _log.error(
        "request failed",
        extra={
            "action": "request_failed",
            "request_id": request_id,
            "method": request.method,
            "path": request.path,
        },
        exc_info=error,
    )
    return problems.of_crash(request_id)
