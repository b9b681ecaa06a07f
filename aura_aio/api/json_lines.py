"""Long answers as newline-delimited JSON: written as they are read, never held as a whole.

May import aiohttp and `negotiation`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from aiohttp import hdrs, web

from aura_aio.api.negotiation import VARIES, compress, qualities

T = TypeVar("T")

MEDIA_TYPE: Final = "application/x-ndjson"


def wants_lines(request: web.Request) -> bool:
    """Whether `Accept` asks for newline-delimited JSON rather than for JSON.

    A client that names both without saying which it likes better, as generated ones do, gets JSON.
    """
    liked = qualities(request.headers.get(hdrs.ACCEPT, ""))
    return liked.get(MEDIA_TYPE, 0.0) > liked.get("application/json", 0.0)


async def write_lines(
    request: web.Request,
    portions: AsyncIterator[Sequence[T]],
    encode: Callable[[T], bytes],
    *,
    name: str,
) -> web.StreamResponse:
    """Answer all that `portions` give, each as the line that `encode` makes of it; `name` is what
    a browser saves it as.

    What the first portion raises becomes an answer of its own; later there is none to give but
    the end of the connection.
    """
    response = web.StreamResponse(
        headers={
            "Content-Type": MEDIA_TYPE,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
    )
    if request.method == hdrs.METH_HEAD:
        response.headers.update(VARIES)
    else:
        compress(request, response)
    async for portion in portions:
        if not response.prepared:
            await response.prepare(request)
        if request.method == hdrs.METH_HEAD:  # aiohttp would send the lines
            break
        if portion:
            await response.write(b"\n".join(map(encode, portion)) + b"\n")
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof()
    return response
