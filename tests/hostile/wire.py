"""Bytes to a server, and what comes back: nothing is helped along on the way.

Imports the standard library only.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

HOST = b"127.0.0.1"
PATIENCE_SEC = 15.0
GONE = (ConnectionResetError, BrokenPipeError)

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Answer:
    """An answer of HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


def request(
    method: str, path: str, *headers: str | bytes, body: bytes = b"", json: bool = True
) -> bytes:
    """A request that is right but for what is in it; its connection ends with it."""
    lines = [
        f"{method} {path} HTTP/1.1".encode("latin-1"),
        b"Host: " + HOST,
        b"Connection: close",
        *(each.encode("latin-1") if isinstance(each, str) else each for each in headers),
    ]
    if body and json:
        lines.append(b"Content-Type: application/json")
    if body and not any(b"-Encoding: chunked" in line for line in lines):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


async def exchange(port: int, sent: bytes, *, half_close: bool) -> list[Answer]:
    """Send, and read until the server has closed the connection; what was answered until then.

    With `half_close` no more is to come from here once all is sent; else once it has answered.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        async with asyncio.timeout(PATIENCE_SEC):
            try:
                writer.write(sent)
                await writer.drain()
                if half_close:
                    writer.write_eof()
                while chunk := await reader.read(65_536):
                    received += chunk
                    if not half_close and _answers(received):
                        half_close = True
                        writer.write_eof()
            except (*GONE, OSError):
                pass  # it closed before it had read all: what it said counts
    finally:
        writer.close()
    answers = _answers(received)
    assert received == b"" or answers, f"no answer of HTTP: {received[:200]!r}"
    return answers


def _answers(received: bytes) -> list[Answer]:
    """All whole answers."""
    answers = []
    while b"\r\n\r\n" in received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines)}  # fmt: skip
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            break
        answers.append(Answer(int(status.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return answers


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length: bytes | None = None,
) -> bytes:
    """A frame; `length` are other bytes in place of the right ones, the mask's bit among them."""
    size = len(payload)
    if length is None:
        if size < 126:
            length = bytes([size])
        elif size < 65_536:
            length = b"\x7e" + size.to_bytes(2, "big")
        else:
            length = b"\x7f" + size.to_bytes(8, "big")
        length = bytes([length[0] | (0x80 if masked else 0)]) + length[1:]
    return bytes([(0x80 if fin else 0) | rsv << 4 | opcode]) + length + bytes(4 * masked) + payload


class Socket:
    """A WebSocket, frame by frame."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int, *headers: str) -> "Socket":
        """One that is live."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = [
            "GET /ws/logs HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers, "", "",
        ]  # fmt: skip
        writer.write("\r\n".join(sent).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        socket = cls(reader, writer)
        await socket.message("caught_up")
        return socket

    async def frame(self) -> tuple[int, bytes] | None:
        """The next one: opcode and payload; None at the end of the connection."""
        try:
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            return first & 0x0F, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, *GONE):
            return None

    async def message(self, kind: str) -> Any:
        """The payload of the next message of a type."""
        while (got := await self.frame()) is not None:
            if got[0] == TEXT and (message := json.loads(got[1]))["type"] == kind:
                return message["payload"]
            assert got[0] != CLOSE, f"closed with {got[1]!r} before {kind}"
        raise AssertionError(f"the connection has ended before {kind}")

    async def end(self) -> int | None:
        """Read to the end of the connection; the code that it was closed with, if it was."""
        code = None
        while (got := await self.frame()) is not None:
            if got[0] == CLOSE:
                code = int.from_bytes(got[1][:2], "big")
                await self.send(frame(CLOSE, got[1][:2]))
                self.half_close()
        return code

    async def send(self, sent: bytes) -> None:
        """Send, as far as the server takes it."""
        try:
            self.writer.write(sent)
            await self.writer.drain()
        except GONE:
            return

    def half_close(self) -> None:
        """No more is to come from here."""
        try:
            self.writer.write_eof()
        except OSError:
            return
