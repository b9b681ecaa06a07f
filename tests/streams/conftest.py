"""A log stream on a real port, over a real store.

Imports aiohttp, the parts of the log stream, the SQLite store and pytest.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from aiohttp import ClientSession, web
from aiohttp.typedefs import Handler

from aura_aio.api.keys import REQUEST_ID
from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.api.passage import problem_of
from aura_aio.logs.hub import LogHub
from aura_aio.model.access import Grant
from aura_aio.model.clock import SystemClock
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.run import RunChanged
from aura_aio.model.states import RunState
from aura_aio.store.relational.store import SqlStore
from aura_aio.store.sqlite import open_sqlite
from tests.streams.clients import BareMonitor, Monitor
from tests.streams.held_store import HeldStore

CID = "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d"
OTHER_CID = "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9e"
NO_CID = "019cadd4-5698-7c31-9b5d-000000000000"


def line(message: str = "hello", level: LogLevel = LogLevel.INFO, **places: Any) -> LogLine:
    """A line of the last day of January 2026."""
    return LogLine(1_769_860_800.25, level, "actions.greet", message, **places)


class Stream:
    """A hub and its monitors, served; `runs` is what is known of runs."""

    def __init__(self, store: HeldStore, session: ClientSession, **options: Any) -> None:
        self.store = store
        self.runs: dict[str, RunState] = {CID: RunState.RUNNING, OTHER_CID: RunState.RUNNING}
        self.hub = LogHub(store, clock=SystemClock())
        self.manager = LogConnectionManager(
            self.hub, store, self._state, version="1.2.3", **options
        )
        self.port = 0
        self._bare_monitors: list[BareMonitor] = []
        self._session = session
        self._runner = self._app_runner()

    @property
    def url(self) -> str:
        """Where the log stream is."""
        return f"http://127.0.0.1:{self.port}/ws/logs"

    @property
    def connections(self) -> int:
        """How many connections the server has, those included that it has closed in vain."""
        server = self._runner.server
        return 0 if server is None else len(server.connections)

    async def start(self) -> None:
        """Serve on a free port."""
        await self.hub.start()
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def aclose(self) -> None:
        """Undo it, in the order in which the server does."""
        await self._runner.cleanup()
        await self.hub.aclose()
        for monitor in self._bare_monitors:
            monitor.close()

    async def monitor(self, **query: Any) -> Monitor:
        """A monitor that has connected."""
        return Monitor(await self._session.ws_connect(self.url, params=query, max_msg_size=0))

    async def live(self, **query: Any) -> Monitor:
        """A monitor that has connected, and had nothing to replay."""
        return await (await self.monitor(**query)).ready()

    async def bare_monitor(self, path: str = "/ws/logs") -> BareMonitor:
        """A monitor on a bare socket; closed with the stream."""
        monitor = await BareMonitor.connect(self.port, path)
        self._bare_monitors.append(monitor)
        return monitor

    async def log(self, *messages: str, **places: Any) -> None:
        """Have these lines stored and published."""
        await self.hub.put([line(message, **places) for message in messages])

    def end(self, cid: str, state: RunState) -> None:
        """The run ends, and the fact is published."""
        self.runs[cid] = state
        self.manager.run_changed(RunChanged(cid, RunState.RUNNING, state, attempt=1, at=0.0))

    async def _state(self, cid: str, _: Grant) -> RunState | None:
        return self.runs.get(cid)

    def _app_runner(self) -> web.AppRunner:
        async def connect_log_stream(request: web.Request) -> web.StreamResponse:
            return await self.manager.handle(request, request.query)

        async def let_go(app: web.Application) -> None:
            await self.manager.aclose()

        app = web.Application(middlewares=[_with_problems])
        app.router.add_get("/ws/logs", connect_log_stream)
        app.on_shutdown.append(let_go)
        return web.AppRunner(app, access_log=None, shutdown_timeout=5.0)


@web.middleware
async def _with_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[REQUEST_ID] = "of a test"
    try:
        return await handler(request)
    except Exception as error:
        return problem_of(request, error)


@pytest.fixture(autouse=True)
def nothing_fails_unseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever monitors do, it is no fault of the server's."""
    yield
    phases: tuple[Literal["setup"], Literal["call"]] = ("setup", "call")
    for phase in phases:
        for record in caplog.get_records(phase):
            assert record.levelno < logging.ERROR, record


MakeStream = Callable[..., Awaitable[Stream]]


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """A store of its own."""
    store = await open_sqlite(tmp_path / "aura.db", publish=lambda fact: None, clock=SystemClock())
    yield store
    await store.aclose()


@pytest.fixture
async def make_stream(sqlite: SqlStore) -> AsyncIterator[MakeStream]:
    """Makes streams, with options of LogConnectionManager; all over one store."""
    async with AsyncExitStack() as undo:
        session = await undo.enter_async_context(ClientSession())

        async def make(**options: Any) -> Stream:
            stream = Stream(HeldStore(sqlite.logs), session, **options)
            await stream.start()
            undo.push_async_callback(stream.aclose)
            return stream

        yield make


@pytest.fixture
async def stream(make_stream: MakeStream) -> Stream:
    """One with the default options."""
    return await make_stream()
