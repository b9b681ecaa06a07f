"""What a client likes to be sent: media types, and answers that are compressed.

May import aiohttp and the standard library only.
"""

from collections.abc import Iterator
from typing import Final

from aiohttp import hdrs, web

VARIES: Final = {hdrs.VARY: hdrs.ACCEPT_ENCODING}


WORTH_COMPRESSING_BYTES: Final = 16 * 1024
"""What is smaller travels in a few packets, and costs more to compress than to send."""
_COMPRESSIBLE: Final = frozenset(
    {
        "application/json",
        "application/yaml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)


def qualities(accepted: str) -> dict[str, float]:
    """What an `Accept` or the like names, in small letters, each with its `q`; one that is no
    number counts as none.
    """
    return dict(_qualities(accepted))


def compress_if_large(request: web.Request, response: web.StreamResponse) -> None:
    """Send a large answer compressed to who takes that."""
    if (
        isinstance(response, web.Response)
        and isinstance(response.body, bytes)
        and len(response.body) >= WORTH_COMPRESSING_BYTES
        and response.content_type in _COMPRESSIBLE
        and hdrs.CONTENT_ENCODING not in response.headers
    ):
        compress(request, response)


def compress(request: web.Request, response: web.StreamResponse) -> None:
    """Have the answer travel compressed with gzip, if the client takes that.

    aiohttp would choose by itself, but looks for words only: it prefers `deflate`, and takes
    `gzip;q=0` for a wish.
    """
    response.headers.update(VARIES)
    if takes_gzip(request):
        response.enable_compression(web.ContentCoding.gzip)


def takes_gzip(request: web.Request) -> bool:
    """Whether the client takes an answer that is compressed with gzip."""
    liked = qualities(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
    return liked.get("gzip", liked.get("*", 0.0)) > 0


def _qualities(accepted: str) -> Iterator[tuple[str, float]]:
    for each in accepted.split(","):
        name, *parameters = (part.strip().lower() for part in each.split(";"))
        given = [part[2:] for part in parameters if part.startswith("q=")]
        try:
            yield name, float(given[0]) if given else 1.0
        except ValueError:
            yield name, 0.0
