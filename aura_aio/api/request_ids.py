"""The id of a request, and the trace that it belongs to.

May import aiohttp, model, and of `api` `keys`.
"""

import random
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from multidict import istr

from aura_aio.api.keys import REQUEST_ID, TRACE
from aura_aio.model.trace import TRACEPARENT, TRACESTATE, TraceContext, trace_context

X_REQUEST_ID: Final = istr("X-Request-ID")
_TRACEPARENT: Final = istr(TRACEPARENT)


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
    # Nobody gains by a guess; to ask the system for random bits costs as much as to parse the body.
    return given if usable else f"{random.getrandbits(64):016x}"


def trace_of(request: web.Request) -> TraceContext | None:
    """Where the request belongs: at its span if it has one, else where its headers say, if they do;
    noted with the request.
    """
    try:
        return request[TRACE]
    except KeyError:
        pass
    trace, headers = None, request.headers
    if _TRACEPARENT in headers:
        trace = trace_context(headers.getall(TRACEPARENT), headers.getall(TRACESTATE, ()))
    request[TRACE] = trace
    return trace
