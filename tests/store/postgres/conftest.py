"""A database on a real PostgreSQL, and hosts that share it.

Imports aura_aio.model, `tests.postgres_server` and `jobs_host`.
"""

from collections.abc import AsyncIterator

import pytest

from aura_aio.model.database_url import DatabaseUrl
from tests.postgres_server import clean_database
from tests.store.postgres.jobs_host import JobsHost


@pytest.fixture
def url() -> DatabaseUrl:
    """A database with no row."""
    return clean_database()


@pytest.fixture
async def one(url: DatabaseUrl) -> AsyncIterator[JobsHost]:
    """A host."""
    host = JobsHost(url)
    await host.open()
    yield host
    await host.close()


@pytest.fixture
async def two(url: DatabaseUrl) -> AsyncIterator[JobsHost]:
    """Another host, with the same plans."""
    host = JobsHost(url, "two")
    await host.open()
    yield host
    await host.close()
