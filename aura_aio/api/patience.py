"""How long a connection waits for the rest of a request: who sends drop by drop is cut off.

May import aiohttp, `gate`, `problems` and settings.
"""

import asyncio
from typing import Any

from aiohttp import hdrs, web
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from aura_aio.api import problems
from aura_aio.api.gate import Gate
from aura_aio.settings import HttpSettings


class PatientHandler(RequestHandler):
    """One connection, counted by the gate. A head or a body that has begun to come has its time to
    be whole, however it trickles; aiohttp knows a limit for silent connections only.

    A request that comes in one piece, as nearly all do, costs a comparison and no timer.
    """

    __slots__ = ("_body", "_gate", "_rest", "_settings")

    def __init__(self, gate: Gate, settings: HttpSettings, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gate = gate
        self._settings = settings
        self._rest: asyncio.TimerHandle | None = None
        self._body: StreamReader | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        super().connection_made(transport)
        self._gate.connections.taken += 1

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        super().connection_lost(exc)
        self._gate.connections.taken -= 1
        self._came()

    def data_received(self, data: bytes) -> None:
        """Take what came; a timer runs while a request is there in part."""
        heads = self._request_count
        super().data_received(data)
        if self._request_count != heads:
            self._came()
            if self._messages and not self._messages[-1][1].is_eof():
                self._body = self._messages[-1][1]
                self._wait(self._settings.body_timeout_sec)
        elif self._body is not None:
            if self._body.is_eof():
                self._came()
        elif self._rest is None and data and not self._is_deaf():
            self._wait(self._settings.head_timeout_sec)

    def _is_deaf(self) -> bool:
        """Whether what comes is no part of a request."""
        return self._upgraded or self._payload_parser is not None or self._close

    def _wait(self, seconds: float) -> None:
        self._rest = self._loop.call_later(seconds, self._too_slow)

    def _came(self) -> None:
        self._body = None
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _too_slow(self) -> None:
        body = self._body
        self._came()
        if self._request_in_progress:
            if body is not None:
                self._give_up(body)
        elif self.transport is not None:
            if body is None:
                told = (
                    f"Address and headers took longer than {self._settings.head_timeout_sec:g} s."
                )
                self.transport.write(problems.raw(problems.over_limit(408, told), {}))
            self.force_close()

    def _give_up(self, body: StreamReader) -> None:
        """Have who reads the body answer 408, and the connection end with that."""
        told = f"The body took longer than {self._settings.body_timeout_sec:g} s."
        body.set_exception(web.HTTPRequestTimeout(text=told, headers={hdrs.CONNECTION: "close"}))
        body.feed_eof()  # or aiohttp would go on reading it after the answer
        self.close()
