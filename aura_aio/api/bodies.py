"""The body of a request, as bytes.

May import aiohttp, and of `api` `problems`.
"""

from typing import Final

from aiohttp import web

from aura_aio.api.problems import FieldError, InvalidRequest

_BODY: Final = web.RequestKey("body", bytes)
"""The body, once it was taken."""


async def body_of(request: web.Request) -> bytes:
    """All of it, unpacked if it came packed; empty if there is none.

    Nearly every body is there as a whole when its request is looked at: then it is taken as it is.
    aiohttp would ask for more, and copy it twice.

    Raises:
        HTTPRequestEntityTooLarge: it is larger than it may be.
        RequestPayloadError: it is not cut and packed as the headers say.
    """
    content = request.content
    if content.is_eof() and not content.at_eof():
        request[_BODY] = body = content.read_nowait()
        if len(body) > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, len(body))
        return body
    return request[_BODY] if _BODY in request else await request.read()


async def must_have_body(request: web.Request) -> None:
    """Return if there is a body, be it an empty object: what has no required property passes as
    one that is absent, and a client that lost its filters must not mean everything.

    Raises:
        InvalidRequest: there is none.
    """
    if not await body_of(request):
        raise InvalidRequest([FieldError("body", "", "The operation needs a body.")])
