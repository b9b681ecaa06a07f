"""OPTIONS: which methods a path takes, for every path that there is.

May import aiohttp only. What browsers ask before they send something (CORS) is answered by `cors`.
"""

from collections.abc import Iterable

from aiohttp import hdrs, web


async def options_answer(request: web.Request) -> web.Response | None:
    """The answer to OPTIONS, 204 with `Allow`; None for what is something else, or asks for a path
    that does not exist, which stays a 404.
    """
    if request.method != hdrs.METH_OPTIONS or _is_preflight(request):
        return None
    allowed = await _methods(request)
    return web.Response(status=204, headers=allow(allowed)) if allowed else None


def allow(methods: Iterable[str]) -> dict[str, str]:
    """The header `Allow` of a path that takes these methods, and OPTIONS as every path does."""
    return {hdrs.ALLOW: ", ".join(sorted({*methods, hdrs.METH_OPTIONS}))}


async def _methods(request: web.Request) -> set[str]:
    """What the path takes: it may fit several templates, with a cid in one and a word in another,
    of which the router names those up to the first that `cors` has given an OPTIONS of its own.
    """
    refused = request.match_info.http_exception
    if isinstance(refused, web.HTTPMethodNotAllowed):
        return set(refused.allowed_methods)
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        allowed |= (await resource.resolve(request))[1]
    return allowed


def _is_preflight(request: web.Request) -> bool:
    """Whether a browser asks it for one of its pages, and somebody is there who answers that."""
    return (
        hdrs.ORIGIN in request.headers
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        and request.match_info.http_exception is None
    )
