"""One connection: how long it waits for the rest of a request, and what it turns away unseen.

May import aiohttp, `gate`, `problems` and settings.
"""

import asyncio
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from aura_aio.api import problems
from aura_aio.api.gate import ALWAYS_ANSWERED, Gate
from aura_aio.api.request_ids import request_id_in
from aura_aio.settings import HttpSettings


class PatientHandler(RequestHandler):
    """One connection, counted by the gate. A head or a body that has begun to come has its time to
    be whole, however it trickles; aiohttp knows a limit for silent connections only.

    A request that comes in one piece, as nearly all do, costs a comparison and no timer.
    """

    __slots__ = ("_body", "_gate", "_is_on_its_way", "_rest", "_settings")

    def __init__(self, gate: Gate, settings: HttpSettings, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gate = gate
        self._settings = settings
        self._rest: asyncio.TimerHandle | None = None
        self._body: StreamReader | None = None
        self._is_on_its_way = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        super().connection_made(transport)
        self._gate.connections.taken += 1

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        super().connection_lost(exc)
        self._gate.connections.taken -= 1
        self._came()
        self.begin()

    def begin(self) -> None:
        """What was on its way is looked at from now on."""
        if self._is_on_its_way:
            self._is_on_its_way = False
            self._gate.on_their_way -= 1

    def data_received(self, data: bytes) -> None:
        """Take what came; a timer runs while a request is there in part."""
        heads = self._request_count
        if not self._is_idle():
            super().data_received(data)
        elif self._gate.is_full:
            self._receive_too_much(data)
        else:
            super().data_received(data)
            if self._messages and self._messages[-1][1].is_eof():
                self._is_on_its_way = True
                self._gate.on_their_way += 1
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

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on, if it was paused: aiohttp asks for that whenever a body is read, and would have
        the parser look at nothing once more.
        """
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _is_idle(self) -> bool:
        """Whether nothing is being answered, or waits to be."""
        return self._waiter is not None and not self._waiter.done() and not self._messages

    def _receive_too_much(self, data: bytes) -> None:
        """Answer requests that there is no room for right here: to wake who would look at them, to
        make a request and a coroutine of each costs ten times as much, and a flood must cost less
        than what it keeps from being done.
        """
        waiter, self._waiter = self._waiter, None  # so that nobody is woken
        super().data_received(data)
        self._waiter = waiter
        if not self._messages or waiter is None or self.transport is None:
            return
        plain = [
            message
            for message, body in self._messages
            if isinstance(message, RawRequestMessage) and _is_plain(message, body)
        ]
        if len(plain) != len(self._messages):
            waiter.set_result(None)
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        for message in plain:
            request_id = request_id_in(message.headers)
            self.transport.write(self._gate.turned_away_unseen(request_id))
            if self._parser is not None:
                self._parser.message_consumed()
        self._messages.clear()

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


def _is_plain(message: RawRequestMessage, body: StreamReader) -> bool:
    """Whether a request is there as a whole, and is answered like any other."""
    return (
        body.is_eof()
        and not message.should_close
        and not message.upgrade
        and message.method != hdrs.METH_HEAD
        and message.path not in ALWAYS_ANSWERED
    )
