"""The sending side of one WebSocket: whole frames, many in one write, within a time limit.

May import aiohttp and the standard library only.
"""

import asyncio
import socket

from aiohttp import WSCloseCode, web
from aiohttp.abc import AbstractStreamWriter

HIGH_WATER_BYTES = 64 * 1024
KERNEL_BUFFER_BYTES = 256 * 1024
"""Without it the kernel takes megabytes for a client that reads nothing, and each entry in there is
too late to be told as dropped."""


class WireGone(Exception):
    """The connection has ended, or was ended because the peer took nothing for too long."""


def bound_buffers(transport: asyncio.Transport) -> None:
    """Let little wait here for a slow client: what waits before can be told as dropped."""
    transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)


class Wire:
    """One upgraded connection.

    `frames` go to the transport as they are: joined frames that many monitors share cost one write
    each, where `send_str` would build and write every frame anew. That needs a connection without
    compression, and a transport that is written to in whole frames only.
    """

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        writer: AbstractStreamWriter,
        *,
        send_limit_sec: float,
    ) -> None:
        self._ws = ws
        self._transport = transport
        self._writer = writer
        self._send_limit_sec = send_limit_sec
        self._written = 0
        bound_buffers(transport)

    @property
    def flushed(self) -> int:
        """How many bytes the kernel has taken so far: it grows while the peer reads."""
        return self._written - self._transport.get_write_buffer_size()

    async def send(self, frames: bytes) -> None:
        """Hand over whole frames; return when there is room for more.

        Raises:
            WireGone: the connection has ended; or no room came about for `send_limit_sec` seconds,
                and it was ended therefore.
        """
        if self._ws.closed or self._transport.is_closing():
            raise WireGone
        self._transport.write(frames)
        self._written += len(frames)
        try:
            async with asyncio.timeout(self._send_limit_sec):
                await self._writer.drain()
        except TimeoutError as error:
            self.abort()
            raise WireGone from error
        except OSError as error:
            raise WireGone from error

    async def close(self, code: WSCloseCode, frames: bytes, *, within_sec: float) -> None:
        """Send `frames` and the close frame, and return when the peer has answered it.

        The connection is ended if that takes longer than `within_sec`. Nobody may wait in
        `receive` meanwhile.
        """
        if self._ws.closed or self._transport.is_closing():
            return
        self._transport.write(frames)
        try:
            async with asyncio.timeout(within_sec):
                await self._ws.close(code=code)
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """End the connection at once; what was not taken yet is lost."""
        self._transport.abort()

    def abort_unless_flushed(self, after_sec: float) -> None:
        """End a connection that was closed, but whose peer does not take what waits for it."""
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(after_sec, self._transport.abort)
