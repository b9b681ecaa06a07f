"""Log monitors that cost little: they count lines by a marker in the bytes, and read nothing else.

Imports the standard library only.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast
from urllib.parse import urlsplit

MARKER: Final = b"~line~"
_ROOM: Final = 256 * 1024
_PATIENCE_SEC: Final = 120
_KEEP: Final = len(MARKER) - 1
"""What may be the beginning of a marker, at the end of what was read."""


class Monitor(asyncio.BufferedProtocol):
    """One connection of the log stream."""

    def __init__(self, greeting: bytes) -> None:
        self.lines = 0
        self._greeting = greeting
        self._buffer = bytearray(_ROOM)
        self._view = memoryview(self._buffer)
        self._wanted = 0
        self._reached: asyncio.Future[None] | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._greeting)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room behind what was kept of the read before."""
        return self._view[_KEEP:]

    def buffer_updated(self, nbytes: int) -> None:
        """Count what came."""
        if not self.open.done():
            self._begin(bytes(self._view[_KEEP : _KEEP + nbytes]))
        self.lines += self._buffer.count(MARKER, 0, _KEEP + nbytes)
        self._buffer[:_KEEP] = self._buffer[nbytes : nbytes + _KEEP]
        if self._reached is not None and self.lines >= self._wanted:
            self._reached.set_result(None)
            self._reached = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail who waits."""
        for waiting in (self.open, self._reached):
            if waiting is not None and not waiting.done():
                waiting.set_exception(exc or ConnectionError("the server closed the stream"))

    async def until(self, lines: int) -> None:
        """Return when so many lines have come since the connection was made."""
        if self.lines < lines:
            self._wanted = lines
            self._reached = asyncio.get_running_loop().create_future()
            await self._reached

    def _begin(self, answer: bytes) -> None:
        if answer.startswith(b"HTTP/1.1 101"):
            self.open.set_result(None)
        else:
            self.open.set_exception(RuntimeError(answer.decode(errors="replace")))


@asynccontextmanager
async def monitors(url: str, count: int) -> AsyncIterator[list[Monitor]]:
    """`count` monitors of the stream at `/ws/logs`, connected."""
    parts = urlsplit(url)
    greeting = (
        f"GET /ws/logs HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    opened = []
    try:
        for _ in range(count):
            _, monitor = await loop.create_connection(
                lambda: Monitor(greeting), parts.hostname or "", parts.port or 80
            )
            await monitor.open
            opened.append(monitor)
        yield opened
    finally:
        for monitor in opened:
            monitor.transport.abort()


async def all_have(opened: list[Monitor], lines: int) -> None:
    """Return when each has had so many lines.

    Raises:
        RuntimeError: they never come.
    """
    try:
        async with asyncio.timeout(_PATIENCE_SEC):
            await asyncio.gather(*(monitor.until(lines) for monitor in opened))
    except TimeoutError as error:
        least = min(monitor.lines for monitor in opened)
        raise RuntimeError(
            f"a monitor has {least:,} of {lines:,} lines, and no more come"
        ) from error
