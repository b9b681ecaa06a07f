"""A host of workers: it carries out what servers on the same database have accepted.

May import everything below `server`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import aura_aio
from aura_aio.dispatch.everywhere import EverywhereDispatcher
from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.execution import (
    Base,
    admission_of,
    builtin,
    dispatcher_of,
    job_dispatch,
    opened_store,
    worker_plan_of,
)
from aura_aio.log_service import running_hub
from aura_aio.model.clock import SystemClock
from aura_aio.model.errors import NotAlive, NotReady, SettingsError, StoreUnavailable
from aura_aio.model.news import Topic
from aura_aio.places import places_of
from aura_aio.processes.tree import StartProcess
from aura_aio.scheduler.about import recover
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.event_runs import filters_of
from aura_aio.scheduler.events import EventBus
from aura_aio.scheduler.fleet import Fleet
from aura_aio.scheduler.hot_reload import HotReload
from aura_aio.scheduler.plans import PlanReload, Plans
from aura_aio.settings import Settings
from aura_aio.sharing import Held, Place, hearing, joined
from aura_aio.signals import Signals
from aura_aio.store.relational.store import SqlStore
from aura_aio.tracing import tracing
from aura_aio.vault import open_vault

_log = logging.getLogger("aura.worker_host")


class WorkerHost:
    """A host of workers that is up: what it is called, its plans, and how it is doing."""

    def __init__(self, base: Base, dispatcher: EverywhereDispatcher, fleet: Fleet | None) -> None:
        self.host_id = base.place.host_id
        self.plans = base.plans
        self._store = base.store
        self._parts = [part for part in (base.store.health, base.hub, dispatcher, fleet) if part]
        self._dispatcher = dispatcher
        self._fleet = fleet
        self._quiescing = False

    def check_alive(self) -> None:
        """Return if every part does its work.

        Raises:
            NotAlive: one has died; the log says how.
        """
        if not all(part.alive for part in self._parts):
            raise NotAlive("A part of the host has died; its log says which: restart the host.")

    async def check_ready(self) -> None:
        """Return if it takes runs.

        Raises:
            NotReady: it is about to end, or the store does not answer.
        """
        if self._quiescing:
            raise NotReady("The host is shutting down.")
        try:
            await self._store.queue.pauses()
        except StoreUnavailable as error:
            raise NotReady(str(error)) from error

    async def quiesce(self, grace_sec: float) -> None:
        """Take no new run, and give those under way `grace_sec`; what still runs then is handed
        back by its `on_crash`.
        """
        self._quiescing = True
        if self._fleet is not None:
            self._fleet.retire()
        await self._dispatcher.aclose(grace_sec=grace_sec)


async def work(
    settings: Settings,
    secrets: Mapping[str, str],
    ready: Callable[[WorkerHost], None],
    start_process: StartProcess,
) -> None:
    """Carry out runs until SIGTERM or SIGINT, the first of which lets runs under way go on for
    `shutdown_grace_sec`; a second one ends the process at once, as does a store that is away for so
    long that nothing could be kept. `ready` is called once it is up.

    Raises:
        As `running_worker_host`.
    """
    signals = Signals()
    async with running_worker_host(settings, secrets, start_process) as host:
        signals.listen(settings.http.shutdown_sec)
        ready(host)
        await signals.ending.wait()
        _log.info("shutting down", extra={"action": "shutting_down"})
        await host.quiesce(settings.http.shutdown_grace_sec)


@asynccontextmanager
async def running_worker_host(
    settings: Settings, secrets: Mapping[str, str], start_process: StartProcess
) -> AsyncIterator[WorkerHost]:
    """A host with `settings`, up while the context is open; `secrets` are for templates, by name.

    Raises:
        SettingsError: the database is not one that several hosts can have; or as `running_server`.
        DatabaseTooNew, StoreUnavailable: the database cannot be used.
        OSError: the data folder cannot be made or read.
    """
    clock, places, bus = SystemClock(), places_of(settings), EventBus()
    place = Place.among(places)
    if place.url is None:
        raise SettingsError(
            "aura worker carries out what servers have accepted in a database on a PostgreSQL "
            "server: say which one, with --database postgresql://… or in AURA_DATABASE."
        )
    await asyncio.to_thread(places.make_data_dir)
    vault = await asyncio.to_thread(open_vault, places.data_dir)
    targets = Targets(settings.callbacks.callback_hosts, allow_private=True)
    async with (
        tracing(settings.traces, aura_aio.__version__, clock) as spans,
        opened_store(settings.store, places, place, bus, clock) as store,
        running_hub(settings, store, clock) as hub,
        joined(place, store, vault, clock, settings.store, may_lead=False) as fleet,
        job_dispatch(settings.store, place, store, clock) as jobs,
    ):
        plans = await Plans.load(places.plans, partial(builtin, settings.workers))
        admission = admission_of(settings.runs, plans, vault, targets, _has_room, clock)
        base = Base(store, hub, plans, admission, place, clock)
        events = _Events(store, plans)
        await events.plans_changed()
        await recover(store.runs, clock)
        workers = worker_plan_of(settings, places.data_dir, plans, secrets, start_process, place)
        dispatcher = dispatcher_of(settings.schedules, base, vault, workers, bus, fleet, jobs)
        if spans is not None:
            dispatcher.local.trace_with(spans)
            bus.subscribe(spans.run_changed, own_only=True)
        reload = HotReload(plans, PlanReload(plans, store.runs, dispatcher, events))
        if fleet is not None:
            await reload.reload.share(fleet.tell_plans)
        follow = partial(_follow, store, dispatcher)
        held = Held(bus, hub, dispatcher, {Topic.SYSTEM: follow})
        host = WorkerHost(base, dispatcher, fleet)
        address = settings.workers.health_address
        try:
            async with _answering(address, host, base, dispatcher.local, bus):
                await follow()  # the first run is in the figures
                if settings.plans.hot_reload:
                    reload.enable()
                async with hearing(place, fleet, store, held, clock):
                    yield host
        finally:
            await reload.aclose()
            await dispatcher.aclose(grace_sec=0.0)


class _Events:
    """Keeps the events that tasks wait for; a server answers them."""

    def __init__(self, store: SqlStore, plans: Plans) -> None:
        self._store = store
        self._plans = plans

    async def plans_changed(self) -> None:
        """Keep those of the plans as they are loaded now."""
        self._store.events.listen(filters_of(self._plans.catalog()))


@asynccontextmanager
async def _answering(
    address: str, host: WorkerHost, base: Base, dispatcher: LocalDispatcher, bus: EventBus
) -> AsyncIterator[None]:
    """Answer at `address` how the host is doing, if there is one, while the context is open."""
    if not address:
        yield
        return
    from aura_aio.api.metrics import Commits  # noqa: PLC0415 - seldom needed
    from aura_aio.api.worker_site import WorkerFigures, answering  # noqa: PLC0415

    store = base.store
    figures = WorkerFigures(dispatcher.workers, lambda: Commits(store.commits, store.commit_sec))
    bus.subscribe(figures.run_changed, own_only=True, ends_only=True)
    async with answering(address, host, figures):
        yield


async def _follow(store: SqlStore, dispatcher: EverywhereDispatcher) -> None:
    """Dispatch, or not, as the servers were told."""
    if await store.fleet.stopped() is not None:
        await dispatcher.pause()
    else:
        await dispatcher.start()


def _has_room() -> None:
    """Servers look at the disk of what they keep."""
