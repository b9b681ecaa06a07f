"""Fixtures of the tests of SQLite.

Imports pytest and `desk`.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.sqlite.desk import Desk, open_database


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk of its own."""
    desk = Desk(*await asyncio.to_thread(open_database, tmp_path / "aura.db"))
    yield desk
    await desk.reader.aclose()
    await desk.writer.aclose()
