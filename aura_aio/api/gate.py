"""How many connections and requests there may be at a time; what is over is turned away at once.

May import aiohttp, `problems` and settings.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from aiohttp import web

from aura_aio.api import problems
from aura_aio.settings import HttpSettings

if sys.platform != "win32":
    import resource

RETRY_AFTER: Final = {"Retry-After": "1"}
ALWAYS_ANSWERED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What others look at to see how the server is: a flood must not make them think that it is dead.
"""

_FILES_OF_ITS_OWN: Final = 128
"""Files that the server itself may have open: its database, pipes and sockets of workers."""
_FIRST_WORD_SEC: Final = 1.0
"""How long a connection too many may take to ask for something before it is answered anyway."""


class Room:
    """Room for `most` at a time."""

    __slots__ = ("most", "taken")

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0


class Gate:
    """What there is room for, and what was turned away. Plain counters: it lives on one loop.

    A request whose body still comes does not take the room of those that are whole, so that
    clients which are slow, or pretend to be, are in the way of each other only.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self.connections = Room(_bearable(settings.max_connections))
        self.whole = Room(settings.max_in_flight)
        self.coming = Room(settings.max_in_flight)
        self.on_their_way = 0
        """Requests that came, and will be looked at in one of the next turns of the loop."""
        self.turned_away = 0
        """Connections and requests, since the start."""
        busy = problems.raw(_busy(self.whole.most), RETRY_AFTER, close=False)
        self._busy_head, _, self._busy_body = busy.partition(b"\r\n\r\n")

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more whole request."""
        return self.whole.taken + self.on_their_way >= self.whole.most

    def room_for(self, request: web.BaseRequest) -> Room:
        """The room that a request needs."""
        return self.whole if request.content.is_eof() else self.coming

    def turn_away(self, request: web.BaseRequest, room: Room) -> web.StreamResponse:
        """The answer to a request that there is no room for."""
        self.turned_away += 1
        return problems.response(_busy(room.most), instance=request.path, headers=RETRY_AFTER)

    def turned_away_unseen(self, request_id: str) -> bytes:
        """The whole answer to a request, on a connection that goes on."""
        self.turned_away += 1
        named = b"X-Request-ID: " + request_id.encode()
        return b"%b\r\n%b\r\n\r\n%b" % (self._busy_head, named, self._busy_body)


ROOM: Final = web.RequestKey("room", Room)
"""The room that a request has taken."""


@contextmanager
def aside(request: web.Request, *, if_: bool = True) -> Iterator[None]:
    """While open, the request takes no room (if `if_`): it waits for something that others do."""
    room, count = request[ROOM], int(if_)
    room.taken -= count
    try:
        yield
    finally:
        room.taken += count


class TurnedAway(asyncio.Protocol):
    """A connection too many: it is answered 503 once it asks for something, and ends with that."""

    def __init__(self, gate: Gate, loop: asyncio.AbstractEventLoop) -> None:
        gate.turned_away += 1
        self._most = gate.connections.most
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the question: who is answered before has the answer torn away by the end."""
        self._transport = cast(asyncio.Transport, transport)
        self._late = self._loop.call_later(_FIRST_WORD_SEC, self._answer)

    def data_received(self, data: bytes) -> None:
        """Answer, whatever it is."""
        self._answer()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._transport = None
        if self._late is not None:
            self._late.cancel()

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(problems.raw(_crowded(self._most), RETRY_AFTER))
            self._transport.close()


def _busy(most: int) -> problems.Problem:
    why = f"The server works on as many requests as it may ({most})"
    return _full("overloaded", "Overloaded", why)


def _crowded(most: int) -> problems.Problem:
    why = f"The server has as many connections as it may ({most})"
    return _full("too-many-connections", "Too many connections", why)


def _full(name: str, title: str, why: str) -> problems.Problem:
    return problems.Problem(
        problems.TYPE_PREFIX + name, title, 503, f"{why}: try again in a second."
    )


def _bearable(wanted: int) -> int:
    """As many connections as are `wanted`, and the system lets this process have open."""
    if sys.platform == "win32":
        return wanted
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(files // 2, files - _FILES_OF_ITS_OWN))
