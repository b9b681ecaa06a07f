"""A receiver of callbacks on a real port: keeps what it is sent, and answers what a test wants.

Imports aiohttp and the standard library; signatures are checked with nothing but `hmac`.
"""

import asyncio
import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.waiting import until

SECRET = "whsec_" + b64encode(b"for the tests, and for nothing else").decode()


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)

    def signatures(self) -> list[str]:
        """What `webhook-signature` has."""
        return self.headers["webhook-signature"].split(" ")

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is that of `secret`, as the standard says."""
        key = b64decode(secret.removeprefix("whsec_"))
        head = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}."
        digest = hmac.new(key, head.encode() + self.body, hashlib.sha256).digest()
        return f"v1,{b64encode(digest).decode()}" in self.signatures()


class Receiver:
    """Answers the statuses in `answers`, each once, then 204; not before `open` is set."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = 0
        self.most_at_once = 0

    async def came(self, count: int = 1) -> list[Call]:
        """Wait for so many calls; all that came."""
        await until(lambda: len(self.calls) >= count, within=20)
        return self.calls

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep a request, and answer it."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            body = await request.read()
            self.calls.append(Call(request.path, request.headers.copy(), body))
            await self.open.wait()
            status, headers = self.answers.pop(0) if self.answers else (204, {})
            return web.Response(status=status, headers=headers)
        finally:
            self.at_once -= 1


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver on a port of this machine, any free one without `port`."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        receiver.open.set()
        await runner.cleanup()


ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"


@asynccontextmanager
async def pouring(answer: bytes = ENDLESS) -> AsyncIterator[str]:
    """A receiver that says this; if it is the head of an answer that never ends, that too."""

    writers: list[asyncio.StreamWriter] = []

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            while answer is ENDLESS:
                writer.write(b"x" * 65536)
                await writer.drain()
            await writer.drain()
        writer.close()

    listener = await asyncio.start_server(pour, "127.0.0.1", 0)
    try:
        async with listener:
            yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    finally:
        for writer in writers:
            writer.transport.abort()  # it may pour still, and nobody would close it then
            with suppress(ConnectionError):
                await writer.wait_closed()
