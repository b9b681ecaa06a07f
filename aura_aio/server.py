"""The composition root: builds the parts, wires the ports, serves, and undoes it all in order.

May import everything below it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiohttp import web

import aura_aio
from aura_aio.api.app import make_app
from aura_aio.api.hosts import check_origins
from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.api.metrics import Commits, Metrics
from aura_aio.api.mirrored import must_be_mirrored
from aura_aio.api.request_spans import trace_requests
from aura_aio.api.runner import bound, listening
from aura_aio.calling_back import CallingBack, calling_back
from aura_aio.contract.document import Contract, load_contract
from aura_aio.dispatch.job_dispatch import JobDispatch
from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.dispatch.sizing import worker_count
from aura_aio.entrance import entrance
from aura_aio.execution import (
    Base,
    admission_of,
    builtin,
    dispatcher_of,
    job_dispatch,
    opened_store,
    worker_plan_of,
)
from aura_aio.log_service import monitors_of, running_hub
from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import Clock, SystemClock
from aura_aio.model.errors import SettingsError
from aura_aio.model.fleet import Leadership, Stop
from aura_aio.model.ids import CidFactory
from aura_aio.model.plan import Task
from aura_aio.model.ports import Dispatcher
from aura_aio.model.sealing import Vault
from aura_aio.places import Places, places_of
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.scheduler.about import About, Recovery, recover
from aura_aio.scheduler.access import Access
from aura_aio.scheduler.callbacks import Callbacks
from aura_aio.scheduler.clockwork import Clockwork
from aura_aio.scheduler.due import DueRules
from aura_aio.scheduler.event_runs import EventRuns
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.fleet import Fleet
from aura_aio.scheduler.hot_reload import HotReload
from aura_aio.scheduler.logs import Logs
from aura_aio.scheduler.plans import PlanReload, Plans
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.runs import Runs
from aura_aio.scheduler.schedule_book import ScheduleBook
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.scheduler.schedules import Schedules
from aura_aio.scheduler.system import System
from aura_aio.scheduler.triggers import Triggers
from aura_aio.settings import ScheduleSettings, Settings
from aura_aio.sharing import Held, Place, hearing, joined, reloads_of, tickets_of
from aura_aio.store.relational.store import SqlStore
from aura_aio.tracing import tracing
from aura_aio.upkeep import Upkeep, upkeep
from aura_aio.vault import open_vault

if TYPE_CHECKING:
    from aura_aio.tracing.spans import Spans


class Server:
    """A server that is up: where it is, and its parts that a caller may use."""

    def __init__(
        self,
        url: str,
        listener: socket.socket,
        scheduler: Scheduler,
        access: Access,
        dispatcher: LocalDispatcher,
        fleet: Fleet | None,
    ) -> None:
        self.url = url
        self.listener = listener
        self.scheduler = scheduler
        self.access = access
        self._dispatcher = dispatcher
        self._fleet = fleet

    async def quiesce(self, grace_sec: float) -> None:
        """The first half of a shutdown: not ready, no new run, `grace_sec` for those under way.

        HTTP and the log stream go on meanwhile. What still runs then is handed back by its
        `on_crash`.
        """
        self.scheduler.system.shut_down()
        if self._fleet is not None:
            self._fleet.retire()
        await self._dispatcher.aclose(grace_sec=grace_sec)


@asynccontextmanager
async def running_server(
    settings: Settings,
    clock: Clock | None = None,
    secrets: Mapping[str, str] = MappingProxyType({}),
    listener: socket.socket | None = None,
    places: Places | None = None,
    start_process: StartProcess = SpawnedProcess,
) -> AsyncIterator[Server]:
    """A server with `settings`, up while the context is open; `secrets` are for templates, by name
    (see `secret_files.take_secrets`). `listener` is the socket of its address, and closed with it,
    `places` are where its data is, if not as the settings say. `start_process` makes its workers.

    Raises:
        SettingsError: the settings do not allow it.
        ContractError: contract, schemas and handlers do not fit.
        DatabaseTooNew, StoreUnavailable: the database cannot be used.
        OSError: the address cannot be listened on.
    """
    clock, places = clock or SystemClock(), places or places_of(settings)
    _check(settings, places)
    contract, bus = await asyncio.to_thread(_contract), EventBus()
    await asyncio.to_thread(places.make_data_dir)
    async with _ground(settings, places, bus, clock, listener) as ground:
        site, spans, store, hub, access, calling, kept, fleet, jobs, place, vault = ground
        plans = await Plans.load(places.plans, partial(builtin, settings.workers))
        admission = admission_of(
            settings.runs, plans, vault, calling.targets, kept.space.check, clock
        )
        base = Base(store, hub, plans, admission, place, clock)
        book = ScheduleBook(store.schedules, plans.catalog, clock, place.leadership)
        triggers = _triggers(settings.schedules, base, book, bus)
        about = _about(settings, places, await recover(store.runs, clock))
        workers = worker_plan_of(settings, places.data_dir, plans, secrets, start_process, place)
        dispatcher = dispatcher_of(settings.schedules, base, vault, workers, bus, fleet, jobs)
        ends = RunEnds(bus)
        scheduler = _scheduler(base, book, triggers, dispatcher, ends, calling.callbacks, kept)
        monitors = monitors_of(settings, store, hub, bus)
        access.on_end(monitors.token_ended)
        metrics = _metrics(store, bus)
        calling.callbacks.on_try(metrics.callback_tried)
        app = make_app(scheduler, monitors, access, about, metrics, contract, settings.http)
        _trace(spans, app, dispatcher.local, bus)
        _let_go_on_shutdown(app, ends, monitors)
        reloads = reloads_of(access, book, scheduler.system)
        looks = (triggers.look, calling.callbacks.look)
        held = Held(bus, hub, dispatcher, reloads, looks, ends.waited_for)
        try:
            await _share(settings, scheduler, store, fleet, place.leadership)
            await triggers.start()
            await _begin(settings, scheduler, store, fleet)
            async with (
                hearing(place, fleet, store, held, clock),
                listening(app, site, settings.http) as url,
            ):
                yield Server(url, site, scheduler, access, dispatcher.local, fleet)
        finally:
            await scheduler.hot_reload.aclose()
            await triggers.aclose()
            await scheduler.system.aclose()
            await dispatcher.aclose(grace_sec=0.0)


def _contract() -> Contract:
    contract = load_contract()
    must_be_mirrored(contract)
    return contract


def _check(settings: Settings, places: Places) -> None:
    check_origins(settings.http)
    if settings.workers.api_only and not places.is_shared:
        raise SettingsError(
            "--api-only: nobody would carry out what this server accepts. Only servers on a "
            "PostgreSQL database (--database postgresql://…) can leave that to others."
        )


class _Ground(NamedTuple):
    """What is opened first, and closed last."""

    site: socket.socket
    spans: "Spans | None"
    store: SqlStore
    hub: LogHub
    access: Access
    calling: CallingBack
    kept: Upkeep
    fleet: Fleet | None
    jobs: JobDispatch | None
    place: Place
    vault: Vault


@asynccontextmanager
async def _ground(
    settings: Settings,
    places: Places,
    bus: EventBus,
    clock: Clock,
    listener: socket.socket | None,
) -> AsyncIterator[_Ground]:
    place, vault = Place.among(places), await asyncio.to_thread(open_vault, places.data_dir)
    clients_wait = listener is not None
    async with (
        bound(settings.http, listener) as site,
        tracing(settings.traces, aura_aio.__version__, clock) as spans,
        opened_store(settings.store, places, place, bus, clock, clients_wait=clients_wait) as store,
        running_hub(settings, store, clock) as hub,
        entrance(settings, store.tokens, tickets_of(place, store, clock), clock) as access,
        calling_back(
            settings.callbacks, places.data_dir, store, bus, place.leadership, clock, spans
        ) as calling,
        upkeep(settings.retention, places.disk, store, place.leadership, clock) as kept,
        joined(place, store, vault, clock, settings.store, may_lead=True) as fleet,
        job_dispatch(settings.store, place, store, clock) as jobs,
    ):
        yield _Ground(site, spans, store, hub, access, calling, kept, fleet, jobs, place, vault)


def _let_go_on_shutdown(
    app: web.Application, ends: RunEnds, monitors: LogConnectionManager
) -> None:
    async def let_go(_: web.Application) -> None:
        ends.close()
        await monitors.aclose()

    app.on_shutdown.append(let_go)


def _trace(
    spans: "Spans | None", app: web.Application, dispatcher: LocalDispatcher, bus: EventBus
) -> None:
    """Let `spans`, if any are wanted, know of all that there are spans of."""
    if spans is not None:
        trace_requests(app, spans)
        dispatcher.trace_with(spans)
        bus.subscribe(spans.run_changed, own_only=True)


async def _share(
    settings: Settings,
    scheduler: Scheduler,
    store: SqlStore,
    fleet: Fleet | None,
    leadership: Leadership,
) -> None:
    """Be one of several hosts: stop and start together, know who has which plans."""
    if fleet is not None:
        scheduler.system.share(store.fleet, fleet, leadership)
        if not settings.workers.api_only:
            await scheduler.hot_reload.reload.share(fleet.tell_plans)


async def _begin(
    settings: Settings, scheduler: Scheduler, store: SqlStore, fleet: Fleet | None
) -> None:
    """Start what the settings want to be started; who comes to others does as they do."""
    if fleet is not None and fleet.others:
        await scheduler.system.follow()
    elif settings.workers.start:
        await scheduler.start()
    elif fleet is not None:
        await store.fleet.set_stopped(Stop())
    if settings.plans.hot_reload:
        scheduler.hot_reload.enable()


def _triggers(
    settings: ScheduleSettings, base: Base, book: ScheduleBook, bus: EventBus
) -> Triggers:
    rules = DueRules(settings.schedule_late_sec, settings.catch_up_limit)
    event_runs = EventRuns(
        base.store.events,
        base.admission,
        base.plans.catalog,
        base.clock,
        depth_limit=settings.event_depth,
        leadership=base.place.leadership,
    )
    bus.subscribe(event_runs.run_changed, ends_only=True)
    clockwork = Clockwork(book, base.admission, rules, base.clock, base.place.leadership)
    triggers = Triggers(book, clockwork, event_runs)
    triggers.listen()
    return triggers


def _scheduler(
    base: Base,
    book: ScheduleBook,
    triggers: Triggers,
    dispatcher: Dispatcher,
    ends: RunEnds,
    callbacks: Callbacks,
    kept: Upkeep,
) -> Scheduler:
    store, hub, plans, admission, _, clock = base
    runs = Runs(
        store=store.runs,
        dispatcher=dispatcher,
        admission=admission,
        callbacks=store.callbacks,
        ends=ends,
        clock=clock,
    )
    system = System(
        runs=store.runs,
        queue=store.queue,
        hub=hub,
        dispatcher=dispatcher,
        others=(triggers, callbacks, store.health, kept),
        cancel_run=runs.cancel,
        clock=clock,
    )
    return Scheduler(
        runs=runs,
        queue=Queue(
            store.queue,
            store.runs,
            dispatcher,
            admission,
            system.stopped_since,
            clock,
            _foresee,
        ),
        plans=plans,
        logs=Logs(store.logs, store.runs, store.audit, hub, ends),
        schedules=Schedules(book, admission, clock, CidFactory(clock)),
        system=system,
        hot_reload=HotReload(plans, PlanReload(plans, store.runs, dispatcher, triggers)),
    )


def _metrics(store: SqlStore, bus: EventBus) -> Metrics:
    metrics = Metrics(lambda: Commits(store.commits, store.commit_sec))
    bus.subscribe(metrics.run_changed, own_only=True, ends_only=True)
    return metrics


async def _foresee(task: Task, inputs: Mapping[str, Any]) -> Mapping[str, bool]:
    def foreseen() -> Mapping[str, bool]:
        from aura_aio.engine.foresight import foresee  # noqa: PLC0415 - seldom needed

        return foresee(task, inputs)

    return await asyncio.to_thread(foreseen)


_TOLD_OF_HTTP: Final = (
    "max_body_bytes",
    "max_json_depth",
    "max_batch_tasks",
    "max_url_bytes",
    "max_header_bytes",
    "max_headers",
    "max_connections",
    "max_in_flight",
)


def _about(settings: Settings, places: Places, recovery: Recovery) -> About:
    return About(
        store="postgres" if places.is_shared else "sqlite",
        dispatcher=settings.store.dispatcher,
        limits={
            "queue_limit": settings.store.queue_limit,
            "max_attempts": settings.store.max_attempts,
            "workers": worker_count(settings.workers.workers),
            "slots": settings.workers.slots,
            "catch_up_limit": settings.schedules.catch_up_limit,
            "event_depth": settings.schedules.event_depth,
            "monitor_buffer_lines": settings.logs.monitor_buffer_lines,
            "max_monitors": settings.logs.max_monitors,
            "max_inputs_bytes": settings.runs.max_inputs_bytes,
            **{name: getattr(settings.http, name) for name in _TOLD_OF_HTTP},
        },
        allows_shell=settings.workers.allow_shell,
        cors_origins=settings.http.cors_origins,
        recovery=recovery,
    )
