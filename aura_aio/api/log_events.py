"""One log monitor on Server-Sent Events: the same entries and messages as on `/ws/logs`.

May import `api.log_*`, logs, model and aiohttp only.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import hdrs, web

from aura_aio.api import problems
from aura_aio.api.log_delivery import Delivery, Limits, Source, Watcher, Wording
from aura_aio.api.log_messages import StreamRequest
from aura_aio.api.log_wire import bound_buffers
from aura_aio.logs.buffer import RunEnded
from aura_aio.model import json
from aura_aio.model.errors import AuraError, RunNotFound, StoreUnavailable

MEDIA_TYPE: Final = "text/event-stream"
_HEARTBEAT: Final = b": still here\n\n"
_SEQ: Final = b'{"seq":'


class EventMonitor:
    """One answer that goes on until the client leaves, the run it asked for has ended, or the
    server shuts down. `watch` is as of `LogMonitor`.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        request: StreamRequest,
        watch: Callable[[Watcher, str | None], None],
    ) -> None:
        self._source = source
        self._limits = limits
        self._request = request
        self._watch = watch
        self.response = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: MEDIA_TYPE,
                hdrs.CACHE_CONTROL: "no-store",
                "X-Accel-Buffering": "no",  # what nginx calls "do not collect this answer"
            }
        )
        self._delivery = Delivery(
            source, request, WORDING, buffer_lines=limits.buffer_lines, send=self._send
        )
        self._left = asyncio.Event()
        self._why: AuraError | None = None
        self._over = asyncio.Event()

    async def serve(self, request: web.Request) -> None:
        """Answer `request`; return when the answer is over.

        Raises:
            RunNotFound: there is no run with the cid that is asked for.
            ExceptionGroup: the client has gone (OSError), or takes nothing (TimeoutError).
        """
        where = self._request.where
        if where.cid is not None and await self._source.run_state(where.cid) is None:
            raise RunNotFound(where.cid)
        if request.method == hdrs.METH_HEAD:  # aiohttp would send the events of a body there is not
            self._over.set()
            return
        oldest, _ = await self._source.hub.bounds()
        newest = self._source.hub.seq
        self._watch(self, where.cid)
        await self.response.prepare(request)
        if request.transport is not None:
            bound_buffers(request.transport)
        try:
            hello = {"version": self._source.version, "seq": newest, "oldest_seq": oldest}
            await self._send(b"retry: 1000\n" + event("hello", hello))
            await self._deliver(oldest, newest)
            await self.response.write_eof()
        finally:
            self._over.set()

    def run_ended(self, ended: RunEnded) -> None:
        """The run that is watched has ended, and its entries are published."""
        self._delivery.run_ended(ended)

    def dismiss(self, why: AuraError) -> None:
        """Say `why`, and end the answer; what waits is not sent."""
        self._why = why
        self._left.set()

    async def leave(self) -> None:
        """Send what waits for the monitor, then `bye`; return when the answer is over."""
        self._left.set()
        await self._over.wait()

    async def _deliver(self, oldest: int, newest: int) -> None:
        """Send everything, with a sign of life now and then, until it is over."""
        async with asyncio.TaskGroup() as group:
            beat = group.create_task(self._beat())
            left = group.create_task(self._left.wait())
            delivery = group.create_task(self._entries(oldest, newest))
            await asyncio.wait((left, delivery), return_when=asyncio.FIRST_COMPLETED)
            if left.done() and self._why is None and self._delivery.close():
                await asyncio.wait((delivery,), timeout=self._limits.leave_sec)
            for each in (beat, left, delivery):
                each.cancel()
        if self._why is not None:
            await self._send(event("error", problems.of_error(self._why)))
        elif self._left.is_set():
            await self._send(event("bye", {"reason": "shutdown"}))

    async def _entries(self, oldest: int, newest: int) -> None:
        try:
            await self._delivery.run(oldest, newest)
        except (RunNotFound, StoreUnavailable) as error:
            await self._send(event("error", problems.of_error(error)))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._limits.heartbeat_sec)
            await self._send(_HEARTBEAT)

    async def _send(self, events: bytes) -> None:
        async with asyncio.timeout(self._limits.send_limit_sec):
            await self.response.write(events)


def event(kind: str, payload: object) -> bytes:
    """An event that is not made of entries; one with a `seq` lets who comes back go on from it."""
    text = json.dumps(payload)
    id_ = b"id: %d\n" % payload["seq"] if kind == "caught_up" and isinstance(payload, dict) else b""
    return b"%bevent: %b\ndata: %b\n\n" % (id_, kind.encode(), text)


def log_events(payloads: tuple[bytes, ...]) -> bytes:
    """An event `log` per entry; its id is its number."""
    return b"".join([b"id: %b\nevent: log\ndata: %b\n\n" % (_seq(each), each) for each in payloads])


def _seq(payload: bytes) -> bytes:
    """The number of an entry, which stands first in its text (`logs.payload`)."""
    return payload[len(_SEQ) : payload.index(b",")]


WORDING: Final = Wording(log_events, event)
