"""The application on its way to a socket: what aiohttp answers by itself is a problem, too.

May import aiohttp, settings and the rest of `api` but `app` and `routes`.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_websocket import WebSocketReader
from aiohttp.web_protocol import RequestHandler

from aura_aio.api import problems
from aura_aio.api.gate import ALWAYS_ANSWERED, ROOM, Gate, TurnedAway
from aura_aio.api.keys import GATE
from aura_aio.api.masked import MaskedOnly
from aura_aio.api.patience import PatientHandler
from aura_aio.api.request_ids import X_REQUEST_ID, request_id_of
from aura_aio.api.short_cut import with_short_cut
from aura_aio.settings import HttpSettings

_log = logging.getLogger("aura.api")

LINGER_SEC: Final = 2.0
"""So long a client that was refused before its body was there may go on to send it: closed at once,
it might not get to see the answer.
"""
BACKLOG: Final = 4_096
"""Connections that may wait for the server, as they do while another takes its place. The 128 of
aiohttp overflow in a rush of clients; the kernel then drops what they send, and they wait seconds
until they try again.
"""
ACCEPTED_AT_ONCE: Final = 1 if sys.platform == "win32" else 32
"""So often is the socket listened on: uvloop takes one new connection for each in a turn of the
loop. While connections that are there keep it busy, a turn takes long, and new ones would wait.
"""
_TOO_MANY_HEADERS: Final = "Too many headers received"
"""What aiohttp says of them; it raises nothing that says more."""


@asynccontextmanager
async def bound(
    settings: HttpSettings, given: socket.socket | None
) -> AsyncIterator[socket.socket]:
    """The socket of the server's address, unless it is `given`: taken first, so that a second
    server stops at once.
    """
    if given is None:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        address = (settings.host, settings.port)
        given = await asyncio.to_thread(
            socket.create_server, address, family=family, backlog=BACKLOG
        )
    with given as listener:
        yield listener


@asynccontextmanager
async def listening(
    app: web.Application, listener: socket.socket, settings: HttpSettings
) -> AsyncIterator[str]:
    """The application on its socket; answers its URL."""
    runner = ApiRunner(app, settings)
    await runner.setup()
    try:
        host, port = listener.getsockname()[:2]
        for each in (listener, *(listener.dup() for _ in range(1, ACCEPTED_AT_ONCE))):
            await web.SockSite(runner, each, backlog=BACKLOG).start()
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class ApiRunner(web.AppRunner):
    """Runs an application within the limits of `settings`. A request that never reaches it, because
    it is no HTTP, too long or too slow, has an `Expect` that nobody knows, or finds no room, is
    answered with a problem as well.
    """

    def __init__(self, app: web.Application, settings: HttpSettings) -> None:
        super().__init__(
            app,
            access_log=None,
            shutdown_timeout=settings.shutdown_force_sec,
            keepalive_timeout=settings.idle_timeout_sec,
            max_line_size=settings.max_url_bytes,
            max_field_size=settings.max_header_bytes,
            max_headers=settings.max_headers,
            lingering_time=LINGER_SEC,
        )
        self._settings = settings

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        gate = self.app[GATE]
        return _Server(
            _answering(with_short_cut(self.app, made.request_handler), gate),
            gate,
            self._settings,
            request_factory=made.request_factory,
            **self._kwargs,
        )


class _Server(web.Server):
    """Makes a protocol for each connection, as its parent does, of another class."""

    def __init__(
        self,
        handler: Callable[[Any], Awaitable[web.StreamResponse]],
        gate: Gate,
        settings: HttpSettings,
        **options: Any,
    ) -> None:
        super().__init__(handler, **options)
        self._gate = gate
        self._settings = settings

    def __call__(self) -> RequestHandler:
        connections = self._gate.connections
        if connections.taken >= connections.most:
            return cast(RequestHandler, TurnedAway(self._gate, self._loop))
        return _Protocol(self._gate, self._settings, self, loop=self._loop, **self._kwargs)


class _Protocol(PatientHandler):
    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """A WebSocket begins; only masked frames are read."""
        super().set_parser(cast(WebSocketReader, MaskedOnly(parser)), data_received_cb)

    def log_exception(self, *args: Any, **options: Any) -> None:
        """A body that cannot be unpacked was answered, and is no fault of ours to be logged."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)

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
        request_id = request_id_of(request)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error(
                "request failed",
                extra={"action": "request_failed", "request_id": request_id},
                exc_info=exc,
            )
            problem = problems.of_crash(request_id)
        else:
            _log.info("bad request", extra={"action": "bad_request", "reason": message})
            problem = self._bad_request(status, exc, message)
        response = problems.response(problem, instance=request.path)
        response.force_close()
        response.headers[X_REQUEST_ID] = request_id
        return response

    def _bad_request(
        self, status: int, exc: BaseException | None, message: str | None
    ) -> problems.Problem:
        if isinstance(exc, LineTooLong):
            if exc.args[1] == self.max_line_size:
                return problems.over_limit(414, f"The address is longer than {exc.args[1]} bytes.")
            return problems.over_limit(431, f"A header is longer than {exc.args[1]} bytes.")
        if message == _TOO_MANY_HEADERS:
            return problems.over_limit(431, f"There are more than {self.max_headers} headers.")
        return problems.bad_http(status, message or HTTPStatus(status).phrase)


def _answering(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], gate: Gate
) -> Callable[[Any], Awaitable[web.StreamResponse]]:
    """`handler`, if there is room for the request; what is raised before any middleware (417) as a
    problem.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        cast(PatientHandler, request.protocol).begin()
        if request.version not in {HttpVersion10, HttpVersion11}:
            version = ".".join(map(str, request.version))
            problem = problems.bad_http(400, f"It says it is one of HTTP/{version}.")
            return _named(request, problems.response(problem, instance=request.path))
        room = gate.room_for(request)
        if room.taken >= room.most and request.path not in ALWAYS_ANSWERED:
            return _named(request, gate.turn_away(request, room))
        request[ROOM] = room
        room.taken += 1
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            problem = problems.of_http(error)
            return _named(request, problems.response(problem, instance=request.path))
        finally:
            room.taken -= 1

    return handle


def _named(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    """The answer to a request that no middleware has seen."""
    response.headers[X_REQUEST_ID] = request_id_of(request)
    return response
