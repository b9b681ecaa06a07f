"""The log of a server and who follows it, put together by the settings.

May import api, dispatch, store, logs, settings and model.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aura_aio
from aura_aio.api.log_stream import LogConnectionManager
from aura_aio.dispatch.sizing import worker_count
from aura_aio.logs.handler import LogHubHandler
from aura_aio.logs.hub import LogHub
from aura_aio.model.access import Grant
from aura_aio.model.clock import Clock
from aura_aio.model.states import RunState
from aura_aio.scheduler.events import EventBus
from aura_aio.settings import Settings
from aura_aio.store.relational.store import SqlStore

LOG_CREDIT_LINES: Final = 2048
"""How many log lines a worker may send before the first of them are stored."""


@asynccontextmanager
async def running_hub(settings: Settings, store: SqlStore, clock: Clock) -> AsyncIterator[LogHub]:
    """The log hub; what the server itself logs reaches the log stream through it, too."""
    credit = LOG_CREDIT_LINES * max(1, worker_count(settings.workers.workers))
    capacity_lines = max(settings.logs.log_queue_lines, credit)
    hub = LogHub(store.logs, clock=clock, capacity_lines=capacity_lines)
    await hub.start()
    logging.getLogger("aura").setLevel(settings.logs.log_level.upper())
    handler = LogHubHandler(hub)
    handler.attach()
    try:
        yield hub
    finally:
        handler.detach()
        await hub.aclose()


def monitors_of(
    settings: Settings, store: SqlStore, hub: LogHub, bus: EventBus
) -> LogConnectionManager:
    """Those who follow the log of `hub`."""

    async def run_state(cid: str, grant: Grant) -> RunState | None:
        run = (await store.runs.states([cid])).get(cid)
        return run.state if run and grant.sees(run.plan_name) else None

    monitors = LogConnectionManager(
        hub,
        store.logs,
        run_state,
        version=aura_aio.__version__,
        buffer_lines=settings.logs.monitor_buffer_lines,
        heartbeat_sec=settings.logs.heartbeat_sec,
        max_monitors=settings.logs.max_monitors,
    )
    bus.subscribe(monitors.run_changed, ends_only=True)
    return monitors
