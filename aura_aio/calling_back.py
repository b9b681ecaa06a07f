"""The parts that call back, put together by the settings.

May import api, scheduler, store, `callback_key`, settings and model.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from aura_aio.api.callback_sender import CallbackSender
from aura_aio.callback_key import callback_secrets
from aura_aio.model.clock import Clock
from aura_aio.model.fleet import Leadership
from aura_aio.model.spans import CallbackSpans
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.callbacks import CallbackRules, Callbacks
from aura_aio.scheduler.events import EventBus
from aura_aio.settings import CallbackSettings
from aura_aio.store.relational.store import SqlStore


class CallingBack(NamedTuple):
    """What delivers callbacks, and the rules for where they may go."""

    callbacks: Callbacks
    targets: Targets


@asynccontextmanager
async def calling_back(
    settings: CallbackSettings,
    data_dir: Path,
    store: SqlStore,
    bus: EventBus,
    leadership: Leadership,
    clock: Clock,
    spans: CallbackSpans | None = None,
) -> AsyncIterator[CallingBack]:
    """Deliver callbacks while the context is open.

    Raises:
        SettingsError: the secrets of the settings, or the one in `data_dir`, are none.
        OSError: the file with the server's own can neither be read nor made.
    """
    secrets = await asyncio.to_thread(callback_secrets, settings, data_dir)
    targets = Targets(settings.callback_hosts, allow_private=settings.callback_private)
    callbacks = Callbacks(
        store.callbacks,
        store.runs,
        CallbackSender(targets, secrets, clock, spans, timeout_sec=settings.callback_timeout_sec),
        CallbackRules(
            tries=settings.callback_tries,
            retry_sec=settings.callback_retry_sec,
            at_once=settings.callbacks_at_once,
        ),
        clock,
        leadership,
    )
    bus.subscribe(callbacks.run_changed, ends_only=True)
    callbacks.start()
    try:
        yield CallingBack(callbacks, targets)
    finally:
        await callbacks.aclose()
