"""Hosts that get runs as jobs say that they are there: who is given up, and who is not.

Imports aura_aio.dispatch, aura_aio.store, psycopg and pytest.
"""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from aura_aio.dispatch.leases import Leases
from aura_aio.dispatch.procrastinate import JobClaims
from aura_aio.model.clock import SystemClock
from aura_aio.model.database_url import DatabaseUrl
from tests.postgres_server import clean_database, connected
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at
from tests.waiting import until

pytest.importorskip("procrastinate")

from aura_aio.store.postgres.job_queue import ProcrastinateJobs

SILENT_SEC = 0.5


@pytest.fixture
async def opened() -> AsyncIterator[tuple[DatabaseUrl, Opened]]:
    """A store with nothing in it, and where it is."""
    url = clean_database()
    opened = Opened(postgres_at(url))
    await opened.open()
    yield url, opened
    await opened.close()


async def test_a_database_that_was_away_makes_nobody_look_dead(
    opened: tuple[DatabaseUrl, Opened],
) -> None:
    url, store = opened
    first, second = (ProcrastinateJobs(url, SystemClock()) for _ in range(2))
    await first.open()
    await second.open()
    claims = JobClaims(store.store.runs, store.store.queue, first, SystemClock())
    leases = Leases(first, claims, store.store.runs, SystemClock(), silent_sec=SILENT_SEC)
    with closing(connected(url)) as connection:
        connection.execute("SET search_path TO aura_procrastinate")
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1h'"
        )

        def beats() -> set[object]:
            rows = connection.execute(
                "SELECT last_heartbeat FROM procrastinate_workers "
                "WHERE last_heartbeat > now() - interval '1 minute'"
            )
            return {beat for (beat,) in rows}

        leases.start()
        (began,) = await until(beats)
        await until(lambda: began not in beats())  # it has looked at the others since
    assert await second.beat()
    await leases.aclose()
    await first.aclose()
    await second.aclose()
