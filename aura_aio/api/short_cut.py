"""From a connection to a handler, for paths without parameters: they are looked up.

May import aiohttp only.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

Handler = Callable[[Any], Awaitable[web.StreamResponse]]

_ANY_METHOD: Final = "*"


def with_short_cut(app: web.Application, handler: Handler) -> Handler:
    """`handler`, which is that of `app`, with a shorter way for requests that say a method and a
    whole path as they stand in the routes: what aiohttp would find is found in one step. All others
    (a query, another spelling, `Expect`) go its way. `app` is frozen.
    """
    ways = _ways(app)

    async def handle(request: web.Request) -> web.StreamResponse:
        way = ways.get((request.method, request.raw_path))
        if way is None or hdrs.EXPECT in request.headers:
            return await handler(request)
        route, passed = way
        found = UrlMappingMatchInfo({}, route)
        found.add_app(app)
        found.freeze()
        found.current_app = app
        request._match_info = found
        return await passed(request)

    return handle


def _ways(app: web.Application) -> dict[tuple[str, str], tuple[web.AbstractRoute, Handler]]:
    """For each method and path: the route, and its handler with the middlewares around it."""
    ways: dict[tuple[str, str], tuple[web.AbstractRoute, Handler]] = {}
    for resource in app.router.resources():
        if isinstance(resource, web.PlainResource):
            for route in resource:
                if route.method != _ANY_METHOD:
                    way = (route, _with_middlewares(app, route.handler))
                    ways.setdefault((route.method, resource.canonical), way)
    return ways


def _with_middlewares(app: web.Application, handler: Handler) -> Handler:
    for middleware in reversed(app.middlewares):
        handler = partial(middleware, handler=handler)
    return handler
