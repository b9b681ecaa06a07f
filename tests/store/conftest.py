"""The stores that the suite runs against.

Imports pytest and the stores; a test asks for `opened` (or `opening`, to choose the settings).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.postgres_server import clean_database
from tests.store.opened import Open, Opened
from tests.store.postgres.at import postgres_at
from tests.store.sqlite.at import sqlite_at

Opening = Callable[..., Awaitable[Opened]]

POSTGRES = Path(__file__).resolve().parent / "postgres"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test of a store run on the backends that are wanted."""
    if "backend" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--backend")
        backends = ["sqlite", "postgres"] if wanted is None else [wanted]
        metafunc.parametrize("backend", backends, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for: another test on PostgreSQL costs a twentieth of a second,
    and it is the same code; see CONTRIBUTING.
    """
    wanted = config.getoption("--backend")
    if wanted == "postgres":
        return
    first: dict[str, str] = {}
    for item in items:
        if _is_on_postgres(item):
            test = item.nodeid.partition("[")[0]
            first[test] = min(first.get(test, item.nodeid), item.nodeid)
    left_out = [
        item
        for item in items
        if (_is_on_postgres(item) and item.nodeid not in first.values())
        or (wanted == "sqlite" and POSTGRES in item.path.parents)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_on_postgres(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    return case is not None and case.params.get("backend") == "postgres"


@pytest.fixture
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """A way to open the test's own database, for each kind of store."""
    if request.param == "postgres":
        return postgres_at(clean_database())
    return sqlite_at(tmp_path / "aura.db")


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
