"""Opening a store, whichever kind of database it is in.

May import the rest of `store`, the standard library and model only; `postgres` when it is wanted.
"""

from pathlib import Path
from typing import Any

from aura_aio.model.clock import Clock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError
from aura_aio.model.ports import Publish
from aura_aio.store.relational.store import USUAL, Rules, SqlStore
from aura_aio.store.sqlite import AT_ONCE, Opening, open_sqlite


async def open_store(
    database: Path | DatabaseUrl,
    *,
    publish: Publish,
    clock: Clock,
    rules: Rules = USUAL,
    name: str = "",
    wait_sec: float | None = None,
) -> SqlStore:
    """The store in `database`. Whoever has it open is waited for `wait_sec`; without that, as long
    as it takes who only looks, or who was killed, to be gone. `name` is what this server is called
    by others on the same database.

    Raises:
        DatabaseTooNew, DatabaseInUse, StoreUnavailable: the database cannot be used.
        SettingsError: its address cannot be understood, or what PostgreSQL needs is not installed.
    """
    if isinstance(database, Path):
        how = AT_ONCE if wait_sec is None else Opening(lock_wait_sec=wait_sec)
        return await open_sqlite(database, publish=publish, clock=clock, rules=rules, how=how)
    require_postgres()
    from aura_aio.store.postgres.opening import open_postgres  # noqa: PLC0415 - if it is wanted

    waits: dict[str, Any] = {} if wait_sec is None else {"lock_wait_sec": wait_sec}
    return await open_postgres(
        database, publish=publish, clock=clock, rules=rules, name=name, **waits
    )


def require_postgres() -> None:
    """Return if a database on a PostgreSQL server can be used.

    Raises:
        SettingsError: psycopg is missing, or the library that it needs.
    """
    try:
        import psycopg  # noqa: F401, PLC0415 - if it is wanted
    except ImportError as error:
        raise SettingsError(
            "--database is on a PostgreSQL server, and psycopg is not installed: "
            "pip install 'aura-aio[postgres]'"
        ) from error
