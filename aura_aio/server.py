"""The composition root: builds the parts, wires the ports, serves, and undoes it all in order.

May import everything below it.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from aiohttp import web

import aura_aio
from aura_aio.api.app import make_app
from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.contract.document import load_contract
from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.dispatch.supervisor import WorkerPlan
from aura_aio.logs.handler import LogHubHandler
from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import Clock, SystemClock
from aura_aio.model.errors import SettingsError
from aura_aio.model.ids import CidFactory
from aura_aio.model.states import RunState
from aura_aio.scheduler.admission import Admission
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.plans import Plans
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.runs import Runs
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.scheduler.system import System
from aura_aio.settings import Settings, WorkerSettings
from aura_aio.store.sqlite.database import open_sqlite
from aura_aio.worker.frames import PlanActions

_log = logging.getLogger("aura.server")

LOG_CREDIT_LINES: Final = 2048
MEMORY_SHARE: Final = 0.8


class Server:
    """A server that is up: where it is, and its parts that a caller may use."""

    def __init__(self, url: str, scheduler: Scheduler, dispatcher: LocalDispatcher) -> None:
        self.url = url
        self.scheduler = scheduler
        self._dispatcher = dispatcher

    async def quiesce(self, grace_sec: float) -> None:
        """The first half of a shutdown: not ready, no new run, `grace_sec` for those under way.

        HTTP and the log stream go on meanwhile. What still runs then is handed back by its
        `on_crash`.
        """
        self.scheduler.system.shut_down()
        await self._dispatcher.aclose(grace_sec=grace_sec)


@asynccontextmanager
async def running_server(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Server]:
    """A server with `settings`, up while the context is open.

    Raises:
        SettingsError: the settings do not allow it.
        ContractError: contract and handlers do not fit.
        DatabaseTooNew, StoreUnavailable: the database cannot be used.
        OSError: the address cannot be listened on.
    """
    clock = clock or SystemClock()
    _refuse_open_address(settings.http.host)
    contract = load_contract()
    bus = EventBus()
    ends = RunEnds(bus)
    async with AsyncExitStack() as undo:
        data_dir = Path(settings.store.data_dir).resolve()
        await asyncio.to_thread(data_dir.mkdir, parents=True, exist_ok=True)
        store = await open_sqlite(
            _database_path(settings, data_dir),
            publish=bus.publish,
            clock=clock,
            queue_limit=settings.store.queue_limit,
            max_attempts=settings.store.max_attempts,
        )
        undo.push_async_callback(store.aclose)
        plans = await Plans.load([Path(root).resolve() for root in settings.plans.plans])
        recovered = await store.runs.recover()

        workers = _worker_plan(settings.workers, data_dir, plans)
        hub = LogHub(
            store.logs,
            clock=clock,
            capacity_lines=max(
                settings.logs.log_queue_lines, LOG_CREDIT_LINES * max(1, workers.count)
            ),
        )
        await hub.start()
        undo.push_async_callback(hub.aclose)
        undo.enter_context(_own_log(hub, settings.logs.log_level))
        _log.info(
            "recovered",
            extra={
                "action": "recovered",
                **{outcome: len(cids) for outcome, cids in recovered.items()},
            },
        )

        dispatcher = LocalDispatcher(store.runs, store.queue, hub, workers, clock)
        undo.push_async_callback(dispatcher.aclose, grace_sec=0.0)
        bus.subscribe(dispatcher.run_changed)

        runs = Runs(
            store=store.runs,
            log_store=store.logs,
            hub=hub,
            dispatcher=dispatcher,
            admission=Admission(plans.catalog, clock, CidFactory(clock)),
            ends=ends,
            clock=clock,
        )
        system = System(
            runs=store.runs,
            queue=store.queue,
            hub=hub,
            dispatcher=dispatcher,
            cancel_run=runs.cancel,
            clock=clock,
        )
        undo.push_async_callback(system.aclose)
        scheduler = Scheduler(
            runs=runs,
            queue=Queue(store.queue, dispatcher, system.stopped_since, clock),
            plans=plans,
            system=system,
            run_store=store.runs,
            dispatcher=dispatcher,
            api_log_queue=hub.queue,
        )

        async def run_state(cid: str) -> RunState | None:
            run = (await store.runs.states([cid])).get(cid)
            return run.state if run else None

        monitors = LogConnectionManager(
            hub,
            store.logs,
            run_state,
            version=aura_aio.__version__,
            clock=clock,
            buffer_lines=settings.logs.monitor_buffer_lines,
            heartbeat_sec=settings.logs.heartbeat_sec,
        )
        bus.subscribe(monitors.run_changed)
        app = make_app(scheduler, monitors, contract, settings.http)

        async def let_go(_: web.Application) -> None:
            ends.close()
            await monitors.aclose()

        app.on_shutdown.append(let_go)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=settings.http.shutdown_force_sec
        )
        await runner.setup()
        undo.push_async_callback(runner.cleanup)
        if settings.workers.start:
            await scheduler.start()
        site = web.TCPSite(runner, settings.http.host, settings.http.port)
        await site.start()
        yield Server(_url(runner), scheduler, dispatcher)


async def serve(settings: Settings, ready: Callable[[Server], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once requests are answered.

    The first signal lets runs under way go on for `shutdown_grace_sec`; a second one ends the
    process at once, which loses nothing that was acknowledged.

    Raises:
        As `running_server`.
    """
    stop = asyncio.Event()
    async with running_server(settings) as server:
        _on_signals(stop)
        ready(server)
        await stop.wait()
        _log.info("shutting down", extra={"action": "shutting_down"})
        await server.quiesce(settings.http.shutdown_grace_sec)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on the fastest event loop there is."""
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop  # noqa: PLC0415 - not on Windows

        uvloop.run(main)


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def first_or_second() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(first_or_second))
        else:
            loop.add_signal_handler(number, first_or_second)


def _refuse_open_address(host: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingsError(
            f"--host {host}: this server has no access control yet, so it listens on loopback "
            "addresses only (127.0.0.1, ::1, localhost). Put a proxy that authenticates in front "
            "of it to reach it from elsewhere."
        )


def _database_path(settings: Settings, data_dir: Path) -> Path:
    database = settings.store.database
    if not database:
        return data_dir / "aura.db"
    scheme, separator, path = database.partition("://")
    if not separator:
        return Path(database).resolve()
    if scheme != "sqlite":
        raise SettingsError(
            f"--database {database}: this version stores in SQLite only: give a file name."
        )
    return Path(path.removeprefix("/") if sys.platform == "win32" else path).resolve()


def _worker_plan(settings: WorkerSettings, data_dir: Path, plans: Plans) -> WorkerPlan:
    count = settings.workers if settings.workers >= 0 else _cores()
    mib = settings.worker_memory_mib
    memory_bytes = mib * 1024 * 1024 if mib >= 0 else _share_of_memory(max(1, count))

    def plan_actions() -> tuple[PlanActions, ...]:
        return tuple(
            PlanActions(plan.name, plan.root, tuple(plan.actions.values())) for plan in plans.list()
        )

    return WorkerPlan(
        count=count,
        slots=settings.slots,
        memory_bytes=memory_bytes,
        stall_sec=settings.stall_sec,
        lost_sec=settings.lost_sec,
        data_dir=str(data_dir),
        log_credit=LOG_CREDIT_LINES,
        plans=plan_actions,
    )


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share_of_memory(workers: int) -> int:
    """A worker's part of `MEMORY_SHARE` of the machine, in bytes; 0 (no limit) if unknown."""
    if sys.platform == "win32":
        return 0
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(total * MEMORY_SHARE / workers)


@contextmanager
def _own_log(hub: LogHub, level: str) -> Iterator[None]:
    """Let what the server itself logs reach the log stream, too."""
    tree = logging.getLogger("aura")
    handler = LogHubHandler(hub)
    tree.setLevel(level.upper())
    tree.addHandler(handler)
    try:
        yield
    finally:
        tree.removeHandler(handler)


def _url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
