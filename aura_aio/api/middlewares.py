"""What every request passes: request id, compression, problems, content type.

May import aiohttp and the rest of `api`. Hosts and origins are checked by `hosts`, tokens by
`access`; validation is bound by `routes`.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from aura_aio.api import problems
from aura_aio.api.keys import REQUEST_ID, TRACE
from aura_aio.api.negotiation import compress
from aura_aio.api.options import allow
from aura_aio.model.asking import answering
from aura_aio.model.errors import AuraError
from aura_aio.model.trace import TRACEPARENT, TRACESTATE, TraceContext, trace_context

_log = logging.getLogger("aura.api")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_KEPT_HEADERS: Final = (
    "Connection", "Retry-After", "Sec-WebSocket-Version", "Upgrade",
)  # fmt: skip
_JSON: Final = "application/json"
X_REQUEST_ID: Final = "X-Request-ID"

_UNREADABLE: Final = "The body is not cut and packed as the headers say."

WORTH_COMPRESSING_BYTES: Final = 16 * 1024
"""What is smaller travels in a few packets, and costs more to compress than to send."""
_COMPRESSIBLE: Final = frozenset(
    {_JSON, "application/yaml", "text/css", "text/html", "text/javascript", "text/plain"}
)


class InvalidRequest(Exception):
    """The request is not as the contract demands; raised by validation, answered with 422."""

    def __init__(self, faults: list[problems.FieldError]) -> None:
        super().__init__("invalid request")
        self.faults = faults


@web.middleware
async def with_request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take the client's X-Request-ID or make one; what is logged meanwhile has it, and the id of
    the trace.
    """
    request[REQUEST_ID] = request_id = request_id_of(request)
    trace = trace_of(request)
    with answering(request_id, None if trace is None else trace.trace_id):
        return await handler(request)


async def give_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Give the id back with the answer, also where that begins before it is complete."""
    if X_REQUEST_ID not in response.headers:
        response.headers[X_REQUEST_ID] = request.get(REQUEST_ID) or request_id_of(request)


def request_id_of(request: web.BaseRequest) -> str:
    """The id that the client has given to the request, if it can be used, or a new one."""
    return request_id_in(request.headers)


def request_id_in(headers: Mapping[str, str]) -> str:
    """The same, of a request of which there is no more than its headers."""
    given = headers.get(X_REQUEST_ID, "")
    usable = 0 < len(given) <= 128 and given.isascii() and given.isprintable()
    return given if usable else secrets.token_hex(8)


def trace_of(request: web.Request) -> TraceContext | None:
    """Where the request belongs: at its span if it has one, else where its headers say, if they do;
    noted with the request.
    """
    trace = request.get(TRACE)
    if trace is None and TRACEPARENT in request.headers:
        headers = request.headers
        trace = trace_context(headers.getall(TRACEPARENT), headers.getall(TRACESTATE, ()))
        if trace is not None:
            request[TRACE] = trace
    return trace


@web.middleware
async def with_compression(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send a large answer compressed to who takes that."""
    response = await handler(request)
    if (
        isinstance(response, web.Response)
        and isinstance(response.body, bytes)
        and len(response.body) >= WORTH_COMPRESSING_BYTES
        and response.content_type in _COMPRESSIBLE
    ):
        compress(request, response)
    return response


@web.middleware
async def with_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into `application/problem+json`; a crash says no more than its request
    id.
    """
    try:
        return await handler(request)
    except AuraError as error:
        problem = problems.of_error(error)
        headers = problems.headers_of(error)
    except InvalidRequest as error:
        problem, headers = problems.of_faults(error.faults), {}
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = problems.of_http(error)
        headers = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
        if isinstance(error, web.HTTPMethodNotAllowed):
            headers |= allow(error.allowed_methods)
    except web.RequestPayloadError:
        problem, headers = problems.bad_http(400, _UNREADABLE), {}
    except Exception:  # whatever it is: the client gets a 500, the log the traceback
        request_id = request[REQUEST_ID]
        _log.exception(
            "request failed",
            extra={
                "action": "request_failed",
                "request_id": request_id,
                "method": request.method,
                "path": request.path,
            },
        )
        problem, headers = problems.of_crash(request_id), {}
    return problems.response(problem, instance=request.path, headers=headers)


@web.middleware
async def with_json_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a body that does not say it is JSON (415); forms of foreign pages cannot say so."""
    if request.body_exists and request.content_type != _JSON:
        raise web.HTTPUnsupportedMediaType(
            text="Send the body as JSON, with Content-Type: application/json "
            f"(it came as {request.content_type})."
        )
    return await handler(request)
