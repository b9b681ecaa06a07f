"""A load generator that costs little: keep-alive connections that send prepared bytes.

Imports the standard library only.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, cast
from urllib.parse import urlsplit

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"


def post(url: str, body: bytes) -> bytes:
    """A complete POST request of JSON."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the one before is complete."""

    def __init__(self, requests: Iterator[bytes], status: bytes, count: Callable[[], None]) -> None:
        self._requests = requests
        self._status = status
        self._count = count
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._send_next()

    def data_received(self, data: bytes) -> None:
        """Take an answer, whole or in pieces."""
        self._buffer += data
        head_end = self._buffer.find(_END_OF_HEAD)
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        length_at = head.find(_LENGTH) + len(_LENGTH)
        length = int(head[length_at:].split(b"\r\n", 1)[0])
        if len(self._buffer) < head_end + len(_END_OF_HEAD) + length:
            return
        if not head.startswith(b"http/1.1 " + self._status):
            self._fail(RuntimeError(self._buffer.decode(errors="replace")))
            return
        self._buffer = b""
        self._count()
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail, unless all was done."""
        self._fail(exc or ConnectionError("the server closed the connection"))

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def send(url: str, requests: Iterator[bytes], *, connections: int, status: int) -> int:
    """Send `requests` over that many connections; the number of answers, all with `status`.

    Raises:
        RuntimeError: an answer had another status; it is the message.
    """
    parts = urlsplit(url)
    answers = 0

    def count() -> None:
        nonlocal answers
        answers += 1

    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(
            lambda: _Connection(requests, str(status).encode(), count),
            parts.hostname or "127.0.0.1",
            parts.port or 80,
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    return answers


def for_seconds(request: bytes, seconds: float) -> Iterator[bytes]:
    """The same request again and again, until the time is over."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while clock() < end:
        yield request
