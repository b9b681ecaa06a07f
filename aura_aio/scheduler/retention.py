"""Forgets what is older, or more, than is to be kept: a little at a time, so that nobody waits.

May import model only; stores come in as ports.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.fleet import Leadership
from aura_aio.model.retention import Keep, RetentionStore

_log = logging.getLogger("aura.scheduler.retention")

PERIOD_SEC: Final = 60.0
PAUSE_SEC: Final = 0.05
"""After each transaction: what else there is to be written has its turn."""
RUNS_AT_ONCE: Final = 100
ENTRIES_AT_ONCE: Final = 1_000
EVENTS_AT_ONCE: Final = 500
"""Each some ten milliseconds."""


class Retention:
    """Forgets once a minute; a `system.Part`."""

    def __init__(
        self,
        store: RetentionStore,
        keep: Keep,
        clock: Clock,
        leadership: Leadership | None = None,
    ) -> None:
        self._leadership = leadership or Leadership(leads=True)
        self._store = store
        self._keep = keep
        self._clock = clock
        self._tasks = CoroutineTasks()

    @property
    def alive(self) -> bool:
        """Whether it does its work."""
        return not self._tasks.died

    def start(self) -> None:
        """Forget from now on."""
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Forget nothing any more."""
        await self._tasks.aclose()

    async def tidy(self) -> None:
        """Forget all that is not to be kept now.

        Raises:
            StoreUnavailable: the store does not take it; some may be forgotten.
        """
        keep, now = self._keep, self._clock.now()
        runs = await self._all(
            lambda: self._store.forget_runs(
                ended_before=_before(now, keep.runs_sec), most=keep.runs, limit=RUNS_AT_ONCE
            )
        )
        entries = await self._all(
            lambda: self._store.forget_entries(
                before=_before(now, keep.entries_sec), most=keep.entries, limit=ENTRIES_AT_ONCE
            )
        )
        events = 0
        if keep.audit_sec is not None:
            before = now - keep.audit_sec
            events = await self._all(
                lambda: self._store.forget_audit_events(before=before, limit=EVENTS_AT_ONCE)
            )
        if runs or entries or events:
            _log.info(
                "forgotten",
                extra={"action": "forgotten", "runs": runs, "entries": entries, "events": events},
            )

    async def _run(self) -> None:
        while True:
            try:
                if self._leadership.leads:
                    await self.tidy()
            except StoreUnavailable as error:
                _log.warning(
                    "store unavailable, nothing is forgotten",
                    extra={"action": "retention_waits", "reason": str(error)},
                )
            await self._clock.sleep(PERIOD_SEC)

    async def _all(self, forget: Callable[[], Awaitable[int]]) -> int:
        total = 0
        while count := await forget():
            total += count
            await self._clock.sleep(PAUSE_SEC)
        return total


def _before(now: float, seconds: float | None) -> float | None:
    return None if seconds is None else now - seconds
