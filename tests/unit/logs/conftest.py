"""A hub over a real store.

Imports aura_aio.logs, model, the SQLite store and pytest.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import SystemClock
from aura_aio.store.sqlite import open_sqlite
from tests.streams.held_store import HeldStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[HeldStore]:
    """A store of its own."""
    sqlite = await open_sqlite(tmp_path / "aura.db", publish=lambda fact: None, clock=SystemClock())
    yield HeldStore(sqlite.logs)
    await sqlite.aclose()


@pytest.fixture
async def hub(store: HeldStore) -> AsyncIterator[LogHub]:
    """A hub that listens; its queue takes a thousand lines."""
    hub = LogHub(store, clock=SystemClock(), capacity_lines=1_000)
    await hub.start()
    yield hub
    store.down = False
    store.writing.set()
    await hub.aclose()


@pytest.fixture
def actions(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The actions that the hub logs."""
    seen: list[str] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(vars(record)["action"])

    handler = Seen()
    with caplog.at_level(logging.INFO, logger="aura"):
        logging.getLogger("aura.logs.hub").addHandler(handler)
        yield seen
        logging.getLogger("aura.logs.hub").removeHandler(handler)
