"""Ways to open a store in a PostgreSQL database.

Imports aura_aio.store only.
"""

from typing import Any

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.ports import Publish
from aura_aio.store.relational.store import Rules
from tests.store.opened import ManualClock, Open, Store


def postgres_at(url: DatabaseUrl, name: str = "") -> Open:
    """What opens the store at `url` for the server `name`."""
    from aura_aio.store.postgres.opening import open_postgres  # noqa: PLC0415 - it may be missing

    async def postgres(*, publish: Publish, clock: ManualClock, **settings: Any) -> Store:
        rules = Rules(**settings)
        return await open_postgres(url, publish=publish, clock=clock, rules=rules, name=name)

    return postgres
