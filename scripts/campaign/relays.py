"""What stands between the machines of the campaign: the way to the database, and a load balancer.

Imports the standard library only.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Stream]]

CONNECT_SEC = 1.0


class Relay:
    """Passes connections to one address on to where `connect` leads."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; answers the port."""
        self._server = await asyncio.start_server(self._pass, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def aclose(self) -> None:
        """Pass nothing more, and cut what is under way."""
        if self._server is not None:
            self._server.close()
        while self._open:
            for writer in self._open:
                _cut(writer)
            await asyncio.sleep(0.01)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, TimeoutError):
                there, back = await self._connect()
                self._open.add(back)
                try:
                    await asyncio.gather(_pump(reader, back), _pump(there, writer))
                finally:
                    _cut(back)
                    self._open.discard(back)
        finally:
            _cut(writer)
            self._open.discard(writer)


def to_socket(path: str) -> Connect:
    """The way to a socket in the file system."""

    async def connect() -> Stream:
        return await asyncio.open_unix_connection(path)

    return connect


def to_any(addresses: Callable[[], list[tuple[str, int]]], chance: random.Random) -> Connect:
    """The way to any of the addresses of the moment at which somebody answers."""

    async def connect() -> Stream:
        there = addresses()
        for host, port in chance.sample(there, len(there)):
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_SEC):
                    return await asyncio.open_connection(host, port)
        raise OSError("nobody answers")

    return connect


def _cut(writer: asyncio.StreamWriter) -> None:
    """What was closed with bytes left, and has sent them since, cannot be aborted any more: asyncio
    has let go of it.
    """
    with suppress(AttributeError):
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one end to the other; when there are no more, or an end is gone, the other one is
    closed.
    """
    try:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
