"""The HTTP face of the log hub: every monitor on `/ws/logs` or Server-Sent Events, to its end.

May import `api.log_*`, logs, model and aiohttp only.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode, hdrs, web

from aura_aio.api.log_delivery import Limits, Source, Watcher
from aura_aio.api.log_events import EventMonitor
from aura_aio.api.log_messages import filter_from
from aura_aio.api.log_monitor import LogMonitor
from aura_aio.api.log_wire import Wire, WireGone
from aura_aio.logs.buffer import RunEnded
from aura_aio.logs.hub import LogHub
from aura_aio.model.access import EVERYTHING, Grant
from aura_aio.model.errors import InvalidToken, NotReady, Unauthenticated
from aura_aio.model.overload import TooManyMonitors
from aura_aio.model.ports import LogStore
from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL, RunState

_log = logging.getLogger("aura.api.log_stream")

SEND_LIMIT_SEC = 60.0
MAX_MESSAGE_BYTES = 65_536
LEAVE_SEC = 1.0


class LogConnectionManager:
    """All log monitors that are connected.

    `run_state` answers the state of a run, or None for a cid that was never given, or is of a plan
    that the grant does not see. A monitor may lag behind by `buffer_lines` lines before entries are
    dropped for it; it is asked whether it lives every `heartbeat_sec` seconds, and closed with 1009
    when it sends more than `MAX_MESSAGE_BYTES` in a message. There are at the most `max_monitors`.
    """

    def __init__(
        self,
        hub: LogHub,
        log_store: LogStore,
        run_state: Callable[[str, Grant], Awaitable[RunState | None]],
        *,
        version: str,
        buffer_lines: int = 10_000,
        heartbeat_sec: float = 20,
        max_monitors: int = 5_000,
    ) -> None:
        self._hub = hub
        self._log_store = log_store
        self._run_state = run_state
        self._version = version
        self._limits = Limits(buffer_lines, heartbeat_sec, SEND_LIMIT_SEC, LEAVE_SEC)
        self._max_monitors = max_monitors
        self._monitors: dict[Watcher, str | None] = {}
        self._grants: dict[Watcher, Grant] = {}
        self._watchers: defaultdict[str, set[Watcher]] = defaultdict(set)
        self._closing = False

    @property
    def monitors(self) -> int:
        """How many monitors are connected."""
        return len(self._monitors)

    async def handle(
        self, request: web.Request, query: Mapping[str, Any], grant: Grant = EVERYTHING
    ) -> web.WebSocketResponse:
        """Upgrade, and serve the monitor until its connection is over.

        Whatever it asks for, it gets only what `grant` sees.

        Raises:
            RequestInvalid: the query asks for what the stream does not offer (422).
            web.HTTPUpgradeRequired: the request does not ask for a WebSocket of version 13 (426).
            NotReady: the server is shutting down (503).
            TooManyMonitors: there is no room for one more (503).
        """
        wanted = filter_from(query)
        _require_websocket(request)
        self._must_have_room()
        # autoping off: the monitor must see pongs. + 1: aiohttp refuses what reaches the limit.
        ws = web.WebSocketResponse(
            timeout=LEAVE_SEC,
            autoping=False,
            compress=False,
            max_msg_size=MAX_MESSAGE_BYTES + 1,
        )
        writer = await ws.prepare(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            return ws
        wire = Wire(ws, transport, writer, send_limit_sec=self._limits.send_limit_sec)
        monitor = LogMonitor(self._source_of(grant), self._limits, ws, wire, self._watch)
        self._monitors[monitor], self._grants[monitor] = None, grant
        try:
            await monitor.serve(wanted)
        except* (WireGone, OSError):
            _log.debug("monitor lost", extra={"action": "monitor_lost"})
        except* Exception:  # whatever it is: it ends this monitor and no other
            _log.exception("monitor failed", extra={"action": "monitor_failed"})
            await ws.close(code=WSCloseCode.INTERNAL_ERROR)
        finally:
            self._watch(monitor, None)
            del self._monitors[monitor], self._grants[monitor]
            wire.abort_unless_flushed(LEAVE_SEC)
        return ws

    async def stream(
        self,
        request: web.Request,
        query: Mapping[str, Any],
        last_event_id: int | None,
        grant: Grant = EVERYTHING,
    ) -> web.StreamResponse:
        """Answer with Server-Sent Events until the client leaves or its run has ended; who comes
        back says with `last_event_id` what it has seen. `grant` is as of `handle`.

        Raises:
            RequestInvalid: the query asks for what the stream does not offer (422).
            RunNotFound: there is no such run (404).
            NotReady: the server is shutting down (503).
            TooManyMonitors: there is no room for one more (503).
        """
        wanted = filter_from(query)
        if last_event_id is not None:
            wanted = msgspec.structs.replace(wanted, since=last_event_id, tail=None)
        self._must_have_room()
        monitor = EventMonitor(self._source_of(grant), self._limits, wanted, self._watch)
        self._monitors[monitor], self._grants[monitor] = None, grant
        try:
            await monitor.serve(request)
        except* (OSError, TimeoutError):
            _log.debug("monitor lost", extra={"action": "monitor_lost"})
        finally:
            self._watch(monitor, None)
            del self._monitors[monitor], self._grants[monitor]
        return monitor.response

    def run_changed(self, fact: RunChanged) -> None:
        """Tell the monitors of a run that it has ended, behind everything logged until now."""
        if fact.target not in TERMINAL or fact.cid not in self._watchers:
            return
        ended = RunEnded(fact.cid, fact.target)
        rest = self._hub.settled()
        if rest is None:
            self._tell(ended)
        else:
            rest.add_done_callback(lambda done: self._tell_if_stored(done, ended))

    def token_ended(self, token_id: str | None) -> None:
        """Close the connections that were opened with this token, which is good no more; None:
        those that were opened with none, which is needed now.
        """
        why = Unauthenticated() if token_id is None else InvalidToken("The token is good no more.")
        for monitor, grant in self._grants.items():
            if grant.token_id == token_id:
                monitor.dismiss(why)

    async def aclose(self) -> None:
        """Send every monitor what waits for it, `bye` and the close code 1001; accept no more.

        Takes two seconds at the most; who has not taken it by then is cut off.
        """
        self._closing = True
        async with asyncio.TaskGroup() as group:
            for monitor in self._monitors:
                group.create_task(monitor.leave())

    def _must_have_room(self) -> None:
        if self._closing:
            raise NotReady("The server is shutting down.")
        if len(self._monitors) >= self._max_monitors:
            raise TooManyMonitors(self._max_monitors)

    def _source_of(self, grant: Grant) -> Source:
        """All that there is, for who sees so much of it."""

        async def run_state(cid: str) -> RunState | None:
            return await self._run_state(cid, grant)

        return Source(self._hub, self._log_store, run_state, self._version, grant.plans)

    def _tell_if_stored(self, done: asyncio.Future[None], ended: RunEnded) -> None:
        if not done.cancelled() and done.exception() is None:
            self._tell(ended)

    def _tell(self, ended: RunEnded) -> None:
        for monitor in self._watchers.get(ended.cid, ()):
            monitor.run_ended(ended)

    def _watch(self, monitor: Watcher, cid: str | None) -> None:
        before = self._monitors[monitor]
        if before is not None:
            self._watchers[before].discard(monitor)
            if not self._watchers[before]:
                del self._watchers[before]
        self._monitors[monitor] = cid
        if cid is not None:
            self._watchers[cid].add(monitor)


def _require_websocket(request: web.Request) -> None:
    upgrades = request.headers.get(hdrs.UPGRADE, "").strip().lower() == "websocket"
    connection = request.headers.get(hdrs.CONNECTION, "").lower().split(",")
    if not upgrades or "upgrade" not in (each.strip() for each in connection):
        raise web.HTTPUpgradeRequired(
            text="Connect to this path with a WebSocket client.",
            headers={hdrs.UPGRADE: "websocket", hdrs.CONNECTION: "Upgrade"},
        )
    if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) != "13":
        raise web.HTTPUpgradeRequired(
            text="This server speaks version 13 of the WebSocket protocol.",
            headers={
                hdrs.UPGRADE: "websocket",
                hdrs.CONNECTION: "Upgrade",
                hdrs.SEC_WEBSOCKET_VERSION: "13",
            },
        )
