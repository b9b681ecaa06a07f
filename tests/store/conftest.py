"""The stores that the suite runs against.

Imports pytest and the stores; a test asks for `opened` (or `opening`, to choose the settings).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.store.opened import Open, Opened
from tests.store.sqlite.at import sqlite_at

Opening = Callable[..., Awaitable[Opened]]


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """A way to open the test's own database, for each kind of store."""
    return {"sqlite": sqlite_at(tmp_path / "aura.db")}[str(request.param)]


@pytest.fixture
async def opening(backend: Open) -> AsyncIterator[Opening]:
    """Open a store with settings of the test's choice; closed at its end."""
    async with AsyncExitStack() as stack:

        async def opening(**settings: Any) -> Opened:
            opened = Opened(backend, **settings)
            await opened.open()
            stack.push_async_callback(opened.close)
            return opened

        yield opening


@pytest.fixture
async def opened(opening: Opening) -> Opened:
    """An open store with the usual settings."""
    return await opening()
