"""The parts that carry runs out, put together by the settings: of a server, or a host of workers.

May import everything below `server` but api.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from aura_aio.dispatch.calls import Calls
from aura_aio.dispatch.child_runs import ChildRuns
from aura_aio.dispatch.claims import Claims
from aura_aio.dispatch.event_calls import EventCalls
from aura_aio.dispatch.everywhere import EverywhereDispatcher
from aura_aio.dispatch.job_dispatch import JobDispatch
from aura_aio.dispatch.local import LocalDispatcher
from aura_aio.dispatch.sizing import actions_of, worker_plan
from aura_aio.dispatch.supervisor import WorkerPlan
from aura_aio.log_service import LOG_CREDIT_LINES
from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import Clock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError
from aura_aio.model.fleet import Host
from aura_aio.model.ids import CidFactory
from aura_aio.model.plan import ActionSpec
from aura_aio.model.sealing import Vault
from aura_aio.places import Places
from aura_aio.processes.tree import StartProcess
from aura_aio.run_settings import RunSettings
from aura_aio.scheduler.admission import Admission
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.children import Children
from aura_aio.scheduler.event_waits import EventWaits
from aura_aio.scheduler.events import EventBus
from aura_aio.scheduler.fleet import Fleet
from aura_aio.scheduler.plans import Plans
from aura_aio.settings import ScheduleSettings, Settings, WorkerSettings
from aura_aio.sharing import Place
from aura_aio.store.opening import open_store
from aura_aio.store.relational.store import Rules, SqlStore
from aura_aio.store_settings import StoreSettings

if TYPE_CHECKING:
    from aura_aio.store.postgres.job_queue import ProcrastinateJobs
    from aura_aio.store.postgres.jobs import Offered

_WAIT_FOR_DATA_SEC: Final = 10.0
"""How long a server whose clients wait already waits for who has the database: a command may have
come in between it and the server before it."""


class Base(NamedTuple):
    """What most parts of the Scheduler are built on."""

    store: SqlStore
    hub: LogHub
    plans: Plans
    admission: Admission
    place: Place
    clock: Clock


def admission_of(
    settings: RunSettings,
    plans: Plans,
    vault: Vault,
    targets: Targets,
    check_space: Callable[[], None],
    clock: Clock,
) -> Admission:
    """What admits runs of `plans`; see `Admission`."""
    return Admission(
        plans.catalog,
        clock,
        CidFactory(clock),
        vault,
        targets,
        check_space,
        settings.max_inputs_bytes,
    )


@asynccontextmanager
async def opened_store(
    settings: StoreSettings,
    places: Places,
    place: Place,
    bus: EventBus,
    clock: Clock,
    *,
    clients_wait: bool = False,
) -> AsyncIterator[SqlStore]:
    """The store, open while the context is; `clients_wait` if nobody may be turned away meanwhile.

    Raises:
        As `open_store`.
    """
    store = await open_store(
        places.database,
        publish=bus.publish,
        clock=clock,
        rules=Rules(settings.queue_limit, settings.max_attempts),
        name=place.host_id,
        wait_sec=_WAIT_FOR_DATA_SEC if clients_wait else None,
    )
    try:
        yield store
    finally:
        await store.aclose()


def worker_plan_of(
    settings: Settings,
    data_dir: Path,
    plans: Plans,
    secrets: Mapping[str, str],
    start_process: StartProcess,
    place: Place,
) -> WorkerPlan:
    """The workers of this host; see `sizing.worker_plan`."""
    return worker_plan(
        settings,
        data_dir,
        plans=lambda: actions_of(plans.list()),
        secrets=secrets,
        log_credit=LOG_CREDIT_LINES,
        start_process=start_process,
        host_id=place.host_id,
    )


def dispatcher_of(
    settings: ScheduleSettings,
    base: Base,
    vault: Vault,
    workers: WorkerPlan,
    bus: EventBus,
    fleet: Fleet | None,
    jobs: JobDispatch | None,
) -> EverywhereDispatcher:
    """What dispatches to these workers, and knows of those of other hosts."""
    store, clock = base.store, base.clock
    children = Children(
        store.children, store.runs, base.admission, clock, depth_limit=settings.child_depth
    )
    events = EventWaits(store.runs, base.plans.catalog, clock)
    bus.subscribe(events.run_changed, ends_only=True)
    calls = Calls(ChildRuns(children, store.runs, clock), EventCalls(events))
    claims = Claims(store.runs, store.queue, clock) if jobs is None else jobs.claims
    local = LocalDispatcher(store.runs, claims, base.hub, vault, calls, workers, clock)
    bus.subscribe(local.run_changed, heard=partial(local.run_changed, is_own=False))
    others = partial(_others, fleet)
    dispatcher = EverywhereDispatcher(local, workers, others, jobs)
    if jobs is not None:
        bus.subscribe(jobs.run_changed, heard=dispatcher.heard)
        jobs.start(local, dispatcher.slots, partial(_lives, fleet))
    return dispatcher


def _others(fleet: Fleet | None) -> Sequence[Host]:
    return () if fleet is None else fleet.others


def _lives(fleet: Fleet | None, host_id: str) -> bool:
    return fleet is not None and fleet.heard_lately(host_id)


@asynccontextmanager
async def job_dispatch(
    settings: StoreSettings, place: Place, store: SqlStore, clock: Clock
) -> AsyncIterator[JobDispatch | None]:
    """What hands out runs as jobs, while the context is open; None if they are not handed out so.

    Raises:
        SettingsError: only hosts that share a database can; or Procrastinate is not installed.
        StoreUnavailable: its tables cannot be used.
    """
    if settings.dispatcher != "procrastinate":
        yield None
        return
    if place.url is None:
        raise SettingsError(
            "--dispatcher procrastinate: its jobs are in a PostgreSQL database, and this one is a "
            "file. Give it one, with --database postgresql://…, or leave the dispatcher local."
        )
    jobs, offered = await asyncio.to_thread(_procrastinate, place.url, clock)
    await jobs.open()
    parts = JobDispatch(
        store.runs,
        store.queue,
        store.offers(offered.put),
        jobs,
        clock,
        silent_sec=settings.host_lost_sec,
    )
    try:
        yield parts
    finally:
        await parts.aclose()
        await jobs.aclose()


def _procrastinate(url: DatabaseUrl, clock: Clock) -> "tuple[ProcrastinateJobs, Offered]":
    """This host's side of its jobs, and what offers them; it takes a moment to import."""
    try:
        from aura_aio.store.postgres.job_queue import ProcrastinateJobs  # noqa: PLC0415
        from aura_aio.store.postgres.jobs import Offered  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "--dispatcher procrastinate: Procrastinate is not installed: "
            "pip install 'aura-aio[postgres]'"
        ) from error
    return ProcrastinateJobs(url, clock), Offered()


def builtin(settings: WorkerSettings) -> tuple[ActionSpec, ...]:
    """The built-in actions that the settings allow."""
    from aura_aio.engine.builtin.specs import builtin_specs  # noqa: PLC0415 - seldom needed

    return builtin_specs(allow_shell=settings.allow_shell)
