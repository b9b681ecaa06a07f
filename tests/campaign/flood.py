"""A load generator: first as fast as the server answers, then at a rate that does not ask whether
it does (an open loop), then as before. In a process of its own.

Imports the standard library and uvloop; run as `python -m tests.campaign.flood`.
"""

import argparse
import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import urlsplit

import uvloop

CONNECTIONS: Final = 64
"""Of a measurement: one request at a time on each."""
MOST_CONNECTIONS: Final = 500
"""Of the flood."""
PATIENCE_SEC: Final = 1.0
TICK_SEC: Final = 0.002
LAST_ANSWERS_SEC: Final = 10.0


class Figures:
    """What came back: how often which status, and how long 202 took, counted from when the request
    was written.
    """

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.accepted_sec: list[float] = []
        self.without_retry_after = 0
        self.cut_off = 0
        """Requests whose connection ended without an answer."""

    def take(self, head: bytes, seconds: float) -> None:
        """Count an answer."""
        status = int(head[9:12])
        self.statuses[status] += 1
        if status == 202:
            self.accepted_sec.append(seconds)
        elif b"\r\nRetry-After: " not in head:
            self.without_retry_after += 1

    def told(self, seconds: float, **more: Any) -> dict[str, Any]:
        """All of it, for a person and for a test."""
        times = sorted(self.accepted_sec) or [0.0]
        return {
            "seconds": round(seconds, 2),
            "statuses": dict(self.statuses),
            "accepted_per_sec": round(len(self.accepted_sec) / seconds, 1),
            "p50_sec": round(times[len(times) // 2], 4),
            "p99_sec": round(times[int(len(times) * 0.99)], 4),
            "max_sec": round(times[-1], 4),
            "without_retry_after": self.without_retry_after,
            "cut_off": self.cut_off,
            **more,
        }


class Connection(asyncio.Protocol):
    """One connection, one request at a time; `free` is called when it can take the next."""

    def __init__(self, figures: Figures, free: Callable[["Connection"], None]) -> None:
        self._figures = figures
        self._free = free
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._due: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be written to."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes, due: float) -> None:
        """Send `request`; its time counts from `due`."""
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take the answer, once it is whole."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        if len(body) < length or self._due is None:
            return
        self._received = b""
        self._figures.take(head, self._loop.time() - self._due)
        self._due = None
        if b"Connection: close" not in head:
            self._free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that was awaited will not come."""
        self._transport = None
        if self._due is not None:
            self._figures.cut_off += 1
            self._due = None
        self._free(self)

    def end(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """Requests to one server."""

    def __init__(self, url: str, body: bytes) -> None:
        parts = urlsplit(url)
        self._place = (parts.hostname or "", parts.port or 80)
        head = (
            f"POST /api/tasks/run HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body
        self._loop = asyncio.get_running_loop()

    async def closed(self, seconds: float) -> dict[str, Any]:
        """As fast as it answers, on `CONNECTIONS`."""
        figures, began = Figures(), self._loop.time()
        over, left = asyncio.Event(), CONNECTIONS

        def free(connection: Connection) -> None:
            nonlocal left
            now = self._loop.time()
            if now - began < seconds and connection.is_open:
                connection.ask(self._request, now)
                return
            connection.end()
            if not connection.is_open:
                left -= 1
                if left == 0:
                    over.set()

        for _ in range(CONNECTIONS):
            free(await self._connect(figures, free))
        await over.wait()
        return figures.told(self._loop.time() - began)

    async def opened(self, rate: float, seconds: float) -> dict[str, Any]:
        """`rate` requests a second, whatever comes back."""
        flood = _Flood(rate, seconds, self._request, self._connect)
        return await flood.run()

    async def _connect(self, figures: Figures, free: Callable[[Connection], None]) -> Connection:
        _, made = await self._loop.create_connection(
            lambda: Connection(figures, free), *self._place
        )
        return made


class _Flood:
    """Requests at a rate. One that finds no connection free for `PATIENCE_SEC` is given up."""

    def __init__(
        self, rate: float, seconds: float, request: bytes, connect: Callable[..., Any]
    ) -> None:
        self._rate = rate
        self._seconds = seconds
        self._request = request
        self._connect = connect
        self._figures = Figures()
        self._idle: list[Connection] = []
        self._due: deque[float] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._connections = 0
        self._made_due = 0
        self._unsent = 0
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    async def run(self) -> dict[str, Any]:
        """Until all is answered."""
        self._tick()
        await self._over.wait()
        figures, sent = self._figures, self._made_due - self._unsent
        return figures.told(
            self._loop.time() - self._began,
            rate=round(self._rate, 1),
            sent=sent,
            unsent=self._unsent,
            unanswered=sent - self._done,
        )

    @property
    def _done(self) -> int:
        return self._figures.statuses.total() + self._figures.cut_off

    def _free(self, connection: Connection) -> None:
        if not connection.is_open:
            self._connections -= 1
        elif self._due:
            self._due.popleft()
            connection.ask(self._request, self._loop.time())
        else:
            self._idle.append(connection)

    async def _add(self) -> None:
        try:
            self._free(await self._connect(self._figures, self._free))
        except OSError:
            self._connections -= 1

    def _tick(self) -> None:
        now = self._loop.time()
        wanted = int(min(now - self._began, self._seconds) * self._rate)
        self._due.extend(
            self._began + number / self._rate for number in range(self._made_due, wanted)
        )
        self._made_due = wanted
        while self._due and self._due[0] < now - PATIENCE_SEC:
            self._due.popleft()
            self._unsent += 1
        while self._due and self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                self._due.popleft()
                connection.ask(self._request, now)
        for _ in range(min(len(self._due), MOST_CONNECTIONS - self._connections, 20)):
            self._connections += 1
            made = self._loop.create_task(self._add())
            self._opening.add(made)
            made.add_done_callback(self._opening.discard)
        late = now - self._began - self._seconds
        if late >= LAST_ANSWERS_SEC or (late >= 0 and self._done + self._unsent >= self._made_due):
            self._over.set()
        else:
            self._loop.call_later(TICK_SEC, self._tick)


async def main() -> dict[str, Any]:
    """The three figures: before, flood, after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--body", required=True)
    parser.add_argument("--measure", type=float, default=5.0, help="seconds, before and after")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the flood")
    parser.add_argument("--times", type=float, default=4.0, help="what the server can take")
    options = parser.parse_args()
    load = Load(options.url, options.body.encode())
    before = await load.closed(options.measure)
    flood = await load.opened(options.times * before["accepted_per_sec"], options.seconds)
    after = await load.closed(options.measure)
    return {"before": before, "flood": flood, "after": after}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main())))  # noqa: T201 - its answer
