"""Pages of listed origins may use the operations (CORS); the only user of aiohttp-cors.

May import aiohttp, aiohttp-cors and settings only.
"""

from collections.abc import Iterable
from typing import Final

import aiohttp_cors
from aiohttp import hdrs, web

from aura_aio.settings import HttpSettings

_SENT: Final = (
    "Accept",
    hdrs.AUTHORIZATION,
    hdrs.CONTENT_TYPE,
    "Idempotency-Key",
    hdrs.IF_NONE_MATCH,
    "Last-Event-ID",
    "X-Request-ID",
)
"""What a page may send beyond what every page may."""

_SEEN: Final = (
    hdrs.ALLOW,
    hdrs.CONTENT_DISPOSITION,
    "Deprecation",
    hdrs.ETAG,
    "Idempotent-Replayed",
    hdrs.LINK,
    hdrs.LOCATION,
    hdrs.RETRY_AFTER,
    "Sunset",
    hdrs.WWW_AUTHENTICATE,
    "X-Request-ID",
)
"""What a page may see of an answer beyond what every page may."""

_ASK_AGAIN_SEC: Final = 600


def allow_origins(
    app: web.Application, resources: Iterable[web.AbstractResource], settings: HttpSettings
) -> None:
    """Let pages of `settings.cors_origins` use `resources`; nothing is changed when none is listed.

    Credentials are not allowed: a page shows a token in a header, as everybody does, and no
    browser sends anything by itself.
    """
    if not settings.cors_origins:
        return
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
        allow_credentials=False,
        allow_methods="*",
        allow_headers=_SENT,
        expose_headers=_SEEN,
        max_age=_ASK_AGAIN_SEC,
    )
    cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(settings.cors_origins, options))
    for resource in resources:
        cors.add(resource)
    app.on_response_prepare.append(_depends_on_origin)


async def _depends_on_origin(_: web.Request, response: web.StreamResponse) -> None:
    """Tell caches that another origin gets another answer, which aiohttp-cors leaves out."""
    told = response.headers.get(hdrs.VARY)
    response.headers[hdrs.VARY] = hdrs.ORIGIN if told is None else f"{told}, {hdrs.ORIGIN}"
