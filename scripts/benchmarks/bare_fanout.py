"""The limits of `fanout`: lines to every monitor in two ways, made of nothing but memory.

Imports the standard library, aiohttp and uvloop; run as a process, it prints its URL.
"""

import asyncio
from collections.abc import Mapping

import uvloop
from aiohttp import web

from benchmarks import bare

LINE: Mapping[str, object] = {
    "type": "log",
    "payload": {
        "seq": 4711,
        "timestamp": "2026-03-02T10:00:00.123456Z",
        "level": "info",
        "logger": "chatter",
        "message": "~line~ this one is as long as lines are that people write about what goes on",
        "cid": "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d",
        "plan_name": "bench",
        "task_name": "chatter",
        "step": "it",
        "attempt": 1,
        "worker": "worker-1",
    },
}
AT_ONCE = 256
"""Frames that are written together."""


class Fanout:
    """Monitors, and the two ways to tell them something."""

    def __init__(self) -> None:
        self._monitors: list[tuple[web.WebSocketResponse, asyncio.Transport]] = []

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Take a monitor until it goes."""
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        if request.transport is None:
            return ws
        monitor = (ws, request.transport)
        self._monitors.append(monitor)
        try:
            async for _ in ws:
                pass
        finally:
            self._monitors.remove(monitor)
        return ws

    async def one_by_one(self, request: web.Request) -> web.Response:
        """A `send_json` to each for each line, all awaited together."""
        for _ in range(int(request.query["lines"])):
            await asyncio.gather(*(ws.send_json(LINE) for ws, _ in self._monitors))
        return web.Response()

    async def joined(self, request: web.Request) -> web.Response:
        """Ready-made frames, many of them in one write to each transport."""
        left = int(request.query["lines"])
        frames = _frame(LINE)
        while left > 0:
            count = min(left, AT_ONCE)
            together = frames * count
            for _, transport in self._monitors:
                transport.write(together)
            left -= count
            # A transport tells nobody but its protocol of its room: it is looked at turn by turn.
            while self._waits(len(together)):  # noqa: ASYNC110
                await asyncio.sleep(0)
        return web.Response()

    def _waits(self, least: int) -> bool:
        return any(each.get_write_buffer_size() > least for _, each in self._monitors)


def _frame(message: Mapping[str, object]) -> bytes:
    """The message as an unmasked text frame of a WebSocket, as aiohttp sends it."""
    body = web.json_response(message).body
    if not isinstance(body, bytes):
        raise TypeError(body)
    return b"\x81\x7e" + len(body).to_bytes(2, "big") + body


async def main() -> None:
    """Serve until the process is ended."""
    fanout = Fanout()
    app = web.Application()
    app.router.add_get("/ws/logs", fanout.connect)
    app.router.add_post("/one_by_one", fanout.one_by_one)
    app.router.add_post("/joined", fanout.joined)
    await bare.serve(app)


if __name__ == "__main__":
    uvloop.run(main())
