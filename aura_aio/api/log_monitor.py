"""One log monitor: what it asks for, and the coroutine that writes it.

May import `api.log_*`, logs, model and aiohttp only.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from aura_aio.api import problems
from aura_aio.api.log_delivery import Delivery, Limits, Source, Watcher, Wording
from aura_aio.api.log_messages import (
    Ping,
    StreamRequest,
    log_frames,
    logs_frame,
    message,
    understand,
)
from aura_aio.api.log_wire import Wire, WireGone
from aura_aio.logs.buffer import RunEnded
from aura_aio.model.errors import AuraError, RequestInvalid, RunNotFound, StoreUnavailable

_PONG: Final = message("pong", {})
_BYE: Final = message("bye", {"reason": "shutdown"})
_ONE_BY_ONE: Final = Wording(log_frames, message)
_BATCHES: Final = Wording(logs_frame, message)


class LogMonitor:
    """One connection: a coroutine that reads what the client says, and one that writes.

    A new request of the client replaces the writer; whole frames are all that is ever written, so
    it can be ended at any point. `watch` is called with the cid whose end this monitor wants to
    hear of through `run_ended`, or None.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        ws: web.WebSocketResponse,
        wire: Wire,
        watch: Callable[[Watcher, str | None], None],
    ) -> None:
        self._source = source
        self._limits = limits
        self._ws = ws
        self._wire = wire
        self._watch = watch
        self._delivery: Delivery | None = None
        self._writer: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._farewell: tuple[WSCloseCode, bytes] | None = None
        self._served = asyncio.Event()

    async def serve(self, request: StreamRequest) -> None:
        """Return when the connection is over."""
        try:
            async with asyncio.TaskGroup() as group:
                self._listener = group.create_task(self._listen(request, group))
                await asyncio.wait([self._listener])
                await self._end_writer()
            if self._farewell is not None:
                await self._wire.close(*self._farewell, within_sec=self._limits.leave_sec)
        finally:
            self._served.set()

    def run_ended(self, ended: RunEnded) -> None:
        """The run that is watched has ended, and its entries are published."""
        if self._delivery is not None:
            self._delivery.run_ended(ended)

    async def leave(self) -> None:
        """Send what waits for the monitor, then `bye` and the close code 1001; return when the
        connection is over. What waits gets `leave_sec` at the most, and the closing as much.
        """
        if self._delivery is not None and self._writer is not None and self._delivery.close():
            await asyncio.wait([self._writer], timeout=self._limits.leave_sec)
        self._part(WSCloseCode.GOING_AWAY, _BYE)
        await self._served.wait()

    def dismiss(self, why: AuraError) -> None:
        """Say `why`, and close the connection with 1008."""
        self._part(WSCloseCode.POLICY_VIOLATION, _error(why))

    def _part(self, code: WSCloseCode, frames: bytes) -> None:
        """Have the connection closed by `serve`.

        Only who does not wait in `receive` can wait for the peer's answer to a close frame; a
        connection that ends before it looks like an accident (1006) to many clients.
        """
        self._farewell = self._farewell or (code, frames)
        if self._listener is not None:
            self._listener.cancel()

    async def _listen(self, request: StreamRequest, group: asyncio.TaskGroup) -> None:
        """Begin with `request`, and answer the client until the connection is over.

        A peer is dead when, for two heartbeats, nothing came from it and nothing that was written
        for it got away: a slow reader, whose answer to a ping stands behind much else, is alive.
        """
        try:
            await self._turn_to(request, group)
        except StoreUnavailable as error:
            self._part(WSCloseCode.TRY_AGAIN_LATER, _error(error))
            return
        asked, flushed = False, 0
        while True:
            try:
                incoming = await self._ws.receive(timeout=self._limits.heartbeat_sec)
            except TimeoutError:
                if asked and self._wire.flushed == flushed:
                    self._wire.abort()
                    return
                await self._ws.ping()
                asked, flushed = True, self._wire.flushed
                continue
            asked = False
            match incoming.type:
                case WSMsgType.TEXT:
                    await self._answer(incoming.data, group)
                case WSMsgType.BINARY:
                    await self._refuse(
                        RequestInvalid([("", "Messages are JSON text, not binary.")])
                    )
                case WSMsgType.PING:
                    await self._ws.pong(incoming.data)
                case WSMsgType.PONG:
                    pass
                case _:
                    return

    async def _answer(self, text: str, group: asyncio.TaskGroup) -> None:
        try:
            asked = understand(text)
            if isinstance(asked, Ping):
                await self._wire.send(_PONG)
                return
            cid = asked.where.cid
            if cid is not None and await self._source.run_state(cid) is None:
                raise RunNotFound(cid)
            await self._turn_to(asked, group)
        except (RequestInvalid, RunNotFound, StoreUnavailable) as error:
            await self._refuse(error)

    async def _refuse(self, error: AuraError) -> None:
        await self._wire.send(_error(error))

    async def _turn_to(self, request: StreamRequest, group: asyncio.TaskGroup) -> None:
        """Begin another subscription in place of the present one: one `hello` for each request."""
        oldest, _ = await self._source.hub.bounds()
        await self._end_writer()
        newest = self._source.hub.seq
        delivery = Delivery(
            self._source,
            request,
            _BATCHES if request.batch else _ONE_BY_ONE,
            buffer_lines=self._limits.buffer_lines,
            send=self._wire.send,
        )
        self._delivery = delivery
        self._watch(self, request.where.cid)
        hello = {"version": self._source.version, "seq": newest, "oldest_seq": oldest}
        await self._wire.send(message("hello", hello))
        self._writer = group.create_task(self._write(delivery, oldest, newest))

    async def _end_writer(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])

    async def _write(self, delivery: Delivery, oldest: int, newest: int) -> None:
        try:
            await delivery.run(oldest, newest)
        except WireGone:
            # The reading side sees the same end of the connection, and acts on it.
            return
        except RunNotFound as error:
            self._part(WSCloseCode.POLICY_VIOLATION, _error(error))
        except StoreUnavailable as error:
            self._part(WSCloseCode.TRY_AGAIN_LATER, _error(error))


def _error(error: AuraError) -> bytes:
    return message("error", problems.of_error(error))
