"""Moving all that is in one database to another one, of either kind.

May import store, callback_key, vault, places and model. Everything here blocks.
"""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from aura_aio import callback_key, vault
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.store_migration import NotMigrated
from aura_aio.store.opening import require_postgres
from aura_aio.store.relational.examination import has_sealed
from aura_aio.store.relational.transfer import Source, Target, Transferred, transfer
from aura_aio.store.sqlite import transfer as sqlite_transfer

PLANS: Final = "plans"
"""The folder, in that for data, with the files of plans."""


class Report(NamedTuple):
    """What was moved, and what belongs to it and was not."""

    transferred: Transferred
    beside: tuple[Path, ...]
    """What is in the data folder: keys, and the files of plans."""
    lost_key: Path | None
    """The key that is missing there, though inputs are sealed with it."""


def migrate_store(source: Path | DatabaseUrl, target: Path | DatabaseUrl, data_dir: Path) -> Report:
    """Put everything that is in `source` into `target`, compared, in one transaction; `source` is
    only read. No server can have either of them meanwhile.

    Raises:
        NotMigrated: `source` is of another version or new, `target` is not empty, or they are the
            same; or what arrived is not what was sent.
        DatabaseTooNew: a newer version has written `source`.
        DatabaseInUse: a server has one of them.
        StoreUnavailable: one of them cannot be used, or `source` is damaged.
        SettingsError: an address cannot be understood, or PostgreSQL needs what is not installed.
    """
    if source == target:
        raise NotMigrated(f"{source} is to be moved to itself: name another database.")
    with ExitStack() as stack:
        old = stack.enter_context(_leaving(source))
        new = stack.enter_context(_arriving(target))
        is_sealed = has_sealed(old.connection)
        transferred = transfer(old, new)
    key = data_dir / vault.KEY_FILE
    names = (vault.KEY_FILE, callback_key.KEY_FILE, PLANS)
    beside = tuple(data_dir / name for name in names if (data_dir / name).exists())
    return Report(transferred, beside, key if is_sealed and key not in beside else None)


def _leaving(database: Path | DatabaseUrl) -> AbstractContextManager[Source]:
    if isinstance(database, Path):
        return sqlite_transfer.leaving(database)
    require_postgres()
    from aura_aio.store.postgres import transfer as postgres_transfer  # noqa: PLC0415 - if wanted

    return postgres_transfer.leaving(database)


def _arriving(database: Path | DatabaseUrl) -> AbstractContextManager[Target]:
    if isinstance(database, Path):
        return sqlite_transfer.arriving(database)
    require_postgres()
    from aura_aio.store.postgres import transfer as postgres_transfer  # noqa: PLC0415 - if wanted

    return postgres_transfer.arriving(database)
