"""Monitors: one that behaves, on aiohttp's client, and one on a bare socket that need not.

Imports aiohttp, the standard library and tests.streams.contract.
"""

import asyncio
import json
import socket
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.streams.contract import check

PATIENCE_SEC = 10.0


class Monitor:
    """A monitor that reads; every message is checked against the contract."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws
        self.code: int | None = None
        """The close code, once there is one."""

    async def next(self) -> dict[str, Any] | None:
        """The next message; None when the connection was closed."""
        async with asyncio.timeout(PATIENCE_SEC):
            received = await self.ws.receive()
        if received.type is not WSMsgType.TEXT:
            self.code = self.ws.close_code
            return None
        message = json.loads(received.data)
        check(message)
        assert isinstance(message, dict)
        return message

    async def message(self, kind: str) -> Any:
        """The payload of the next message, which is of the type `kind`."""
        message = await self.next()
        assert message is not None, f"closed with {self.code} in place of {kind}"
        assert message["type"] == kind, message
        return message["payload"]

    async def ready(self) -> "Monitor":
        """Itself, once it is live and no run's entries were to be replayed. What the server says of
        itself meanwhile (a worker that is up only now) is passed over.
        """
        await self.message("hello")
        *before, _ = await self.up_to("caught_up")
        assert not [each for each in before if each["type"] != "log" or "cid" in each["payload"]]
        return self

    async def up_to(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to and with the first of the type `kind`."""
        messages: list[dict[str, Any]] = []
        while True:
            message = await self.next()
            assert message is not None, f"closed with {self.code} before {kind}: {messages}"
            messages.append(message)
            if message["type"] == kind:
                return messages

    async def logs(self, count: int) -> list[Any]:
        """The payloads of the next `count` messages, which are all of the type log."""
        return [await self.message("log") for _ in range(count)]

    async def rest(self) -> list[dict[str, Any]]:
        """All messages until the connection is closed."""
        messages = []
        while (message := await self.next()) is not None:
            messages.append(message)
        return messages

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.ws.send_str(json.dumps(message))


class BareMonitor:
    """A connection that reads only when told to, never answers a ping, and has small buffers."""

    checks = True
    """Whether it holds each message against the contract, which takes longer than reading it."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""

    @classmethod
    async def connect(cls, port: int, path: str = "/ws/logs") -> "BareMonitor":
        """Connect and upgrade."""
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", port))
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await loop.sock_sendall(connection, request.encode())
        monitor = cls(connection)
        while b"\r\n\r\n" not in monitor._received:
            assert await monitor.receive()
        head, _, monitor._received = monitor._received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return monitor

    async def frame(self) -> tuple[int, bytes] | None:
        """The next frame as (opcode, payload); None at the end of the connection."""
        while True:
            data = self._received
            if len(data) >= 2:
                size, start = data[1] & 0x7F, 2
                if size >= 126:
                    start = 4 if size == 126 else 10
                    size = int.from_bytes(data[2:start], "big") if len(data) >= start else -1
                if size >= 0 and len(data) >= start + size:
                    self._received = data[start + size :]
                    return data[0] & 0x0F, data[start : start + size]
            if not await self.receive():
                return None

    async def next(self) -> dict[str, Any] | None:
        """The next message; None at the end, whether or not a close frame came before it."""
        while (frame := await self.frame()) is not None:
            opcode, payload = frame
            if opcode == 0x1:
                message = json.loads(payload)
                if self.checks:
                    check(message)
                assert isinstance(message, dict)
                return message
            if opcode == 0x8:
                return None
        return None

    async def receive(self, size: int = 65_536) -> bool:
        """Take at the most `size` bytes from the connection; False at its end."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE_SEC):
                received = await loop.sock_recv(self._socket, size)
        except ConnectionResetError:
            return False
        self._received += received
        return bool(received)

    async def send_text(self, text: str) -> None:
        """Send a text message of 126 to 65,535 bytes."""
        payload = text.encode()
        await self._send(b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload)

    async def send_close(self) -> None:
        """Send a close frame with the code 1000."""
        await self._send(b"\x88\x82" + bytes(4) + b"\x03\xe8")

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()

    async def _send(self, frame: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, frame)


async def account(monitor: BareMonitor, last: int) -> tuple[list[int], list[dict[str, int]]]:
    """Read on up to entry `last`: the seqs that came, and what was told as dropped."""
    seqs: list[int] = []
    dropped: list[dict[str, int]] = []
    reached = 0
    while reached < last:
        message = await monitor.next()
        assert message is not None, f"the connection has ended at {reached}"
        payload = message["payload"]
        if message["type"] == "log":
            assert payload["seq"] > reached
            seqs.append(reached := payload["seq"])
        elif message["type"] == "dropped":
            assert payload["from_seq"] > reached
            dropped.append(payload)
            reached = payload["to_seq"]
    return seqs, dropped
