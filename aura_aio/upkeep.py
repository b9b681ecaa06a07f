"""What keeps a server from growing for ever: forgetting, and an eye on the disk; by the settings.

May import scheduler, store, settings and model.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from aura_aio.model.clock import Clock
from aura_aio.model.errors import SettingsError
from aura_aio.model.fleet import Leadership
from aura_aio.model.retention import Keep
from aura_aio.scheduler.free_space import FreeSpace
from aura_aio.scheduler.retention import Retention
from aura_aio.settings import RetentionSettings
from aura_aio.store.relational.store import SqlStore

DAY_SEC: Final = 86_400.0


class Upkeep(NamedTuple):
    """What forgets, and what knows the room on the disk; a `system.Part`."""

    retention: Retention
    space: FreeSpace

    @property
    def alive(self) -> bool:
        """Whether both do their work."""
        return self.retention.alive and self.space.alive


@asynccontextmanager
async def upkeep(
    settings: RetentionSettings,
    disk: Path,
    store: SqlStore,
    leadership: Leadership,
    clock: Clock,
) -> AsyncIterator[Upkeep]:
    """Forget, and look at the disk, while the context is open.

    Raises:
        SettingsError: the audit trail would be forgotten before the runs.
    """
    retention = Retention(store.retention, keep_of(settings), clock, leadership)
    space = FreeSpace(lambda: free_bytes(disk), least_mib=settings.min_free_mib, clock=clock)
    await space.start()
    retention.start()
    try:
        yield Upkeep(retention, space)
    finally:
        await retention.aclose()
        await space.aclose()


def keep_of(settings: RetentionSettings) -> Keep:
    """What the settings want to be kept.

    Raises:
        SettingsError: the audit trail would be forgotten before the runs.
    """
    audit, runs = settings.keep_audit_days, settings.keep_runs_days
    if audit and audit < runs:
        raise SettingsError(
            f"--keep-audit-days {audit:g}: the audit trail is kept at least as long as the runs "
            f"(--keep-runs-days {runs:g})."
        )
    return Keep(
        runs_sec=runs * DAY_SEC or None,
        runs=settings.keep_runs or None,
        entries_sec=settings.keep_logs_days * DAY_SEC or None,
        entries=settings.keep_logs or None,
        audit_sec=audit * DAY_SEC or None,
    )


def free_bytes(folder: Path) -> int:
    """The room on the disk of a folder.

    Raises:
        OSError: it does not say.
    """
    return shutil.disk_usage(folder).free
