"""Long answers as newline-delimited JSON: written as they are read, never held as a whole.

May import aiohttp and the standard library only.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from aiohttp import web

T = TypeVar("T")

MEDIA_TYPE: Final = "application/x-ndjson"


def wants_lines(request: web.Request) -> bool:
    """Whether `Accept` names newline-delimited JSON."""
    return any(
        each.partition(";")[0].strip().lower() == MEDIA_TYPE
        for each in request.headers.get("Accept", "").split(",")
    )


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
    async for portion in portions:
        if not response.prepared:
            await response.prepare(request)
        if portion:
            await response.write(b"\n".join(map(encode, portion)) + b"\n")
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof()
    return response
