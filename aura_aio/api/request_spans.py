"""A span for each request to an operation, for OpenTelemetry; only there when it is wanted.

May import aiohttp, model and the rest of `api`.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from aura_aio.api.keys import TRACE
from aura_aio.api.request_ids import trace_of
from aura_aio.model.spans import Attributes, RequestSpans

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

UNTRACED: Final = frozenset({"getHealth", "getReadiness", "getMetrics"})
"""What is asked for every few seconds, by machines, and starts nothing."""


def trace_requests(app: web.Application, spans: RequestSpans) -> None:
    """Let every request to an operation have a span, before any other middleware; call it before
    the application is started.
    """
    app.middlewares.insert(0, _middleware(spans))


def _middleware(spans: RequestSpans) -> Middleware:
    @web.middleware
    async def with_span(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation_id = request.match_info.route.name  # as `routes.bind` names them
        if operation_id is None or operation_id in UNTRACED:
            return await handler(request)
        span = spans.request(operation_id, trace_of(request), _attributes(request))
        request[TRACE] = span.trace
        status = None
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            span.end(status)

    return with_span


def _attributes(request: web.Request) -> Attributes:
    """What the conventions for HTTP want to be known; but the query, which may have a ticket."""
    resource = request.match_info.route.resource
    agent = request.headers.get("User-Agent")
    known = {
        "http.request.method": request.method,
        "http.route": None if resource is None else resource.canonical,
        "url.scheme": request.scheme,
        "url.path": request.rel_url.raw_path,
        "client.address": request.remote,
        # Bytes that are no UTF-8 arrive as half surrogate pairs, which nobody can encode.
        "user_agent.original": agent and agent.encode(errors="backslashreplace").decode(),
        "network.protocol.version": f"{request.version.major}.{request.version.minor}",
    }
    return {name: value for name, value in known.items() if value is not None}
