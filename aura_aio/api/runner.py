"""The application on its way to a socket: what aiohttp answers by itself is a problem, too.

May import aiohttp, settings and the rest of `api` but `app` and `routes`.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from aura_aio.api import problems
from aura_aio.settings import HttpSettings

_log = logging.getLogger("aura.api")

MAX_LINE_BYTES: Final = 64 * 1024
"""The longest line with method and address. Names that the contract allows take up to twelve bytes
a character there, and aiohttp's 8,190 do not hold the path of a task with long ones.
"""


@asynccontextmanager
async def bound(settings: HttpSettings) -> AsyncIterator[socket.socket]:
    """The socket of the server's address: taken first, so that a second server stops at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    address = (settings.host, settings.port)
    with await asyncio.to_thread(socket.create_server, address, family=family) as listener:
        yield listener


@asynccontextmanager
async def listening(
    app: web.Application, listener: socket.socket, settings: HttpSettings
) -> AsyncIterator[str]:
    """The application on its socket; answers its URL."""
    runner = ApiRunner(app, access_log=None, shutdown_timeout=settings.shutdown_force_sec)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        host, port = listener.getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class ApiRunner(web.AppRunner):
    """Runs an application. A request that never reaches it, because it is no HTTP, has a line that
    is too long or an `Expect` that nobody knows, is answered with a problem as well.
    """

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            _answering(made.request_handler),
            request_factory=made.request_factory,
            **{"max_line_size": MAX_LINE_BYTES, **self._kwargs},
        )


class _Server(web.Server):
    """Makes a protocol for each connection, as its parent does, of another class."""

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A problem in place of aiohttp's page. The connection ends with it: what a client that is
        not understood sends next is anybody's guess (RFC 9112, 2.2).
        """
        if request.writer.output_size > 0:
            raise ConnectionError("The answer had begun when the request failed.")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            request_id = secrets.token_hex(8)
            _log.error(
                "request failed",
                extra={"action": "request_failed", "request_id": request_id},
                exc_info=exc,
            )
            problem = problems.of_crash(request_id)
        else:
            _log.info("bad request", extra={"action": "bad_request", "reason": message})
            title = "Not a request of HTTP/1.1"
            detail = f"{title}: {' '.join((message or HTTPStatus(status).phrase).split())}"
            problem = problems.Problem(problems.TYPE_PREFIX + "bad-http", title, status, detail)
        response = problems.response(problem, instance=request.path)
        response.force_close()
        return response


def _answering(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> Callable[[Any], Awaitable[web.StreamResponse]]:
    """`handler`, with what is raised before any middleware (417) as a problem."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return problems.response(problems.of_http(error), instance=request.path)

    return handle
