"""A copy of a database, made while a server has it open, and looked at before it is believed.

May import `database` and `soundness` of `store.sqlite`, the schema of `store.relational`, the
standard library and model only.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from aura_aio.model.errors import DatabaseTooNew, StoreUnavailable
from aura_aio.store.relational.schema import migrations
from aura_aio.store.sqlite.database import APPLICATION_ID, locked
from aura_aio.store.sqlite.soundness import damage_of, damaged, thorough_damage_of


def copy_database(source: Path, target: Path) -> None:
    """Write what `source` holds at one moment to the new file `target`; whoever has it open goes on
    reading and writing meanwhile. Blocks for as long as it takes.

    Raises:
        StoreUnavailable: it is missing, no database of ours, damaged, or there is no room.
    """
    if not source.is_file():
        raise StoreUnavailable(f"There is no database {source}: say where it is with --data-dir.")
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as connection:
            # In the copy a row whose page is lost may be sound again, with another content.
            if verdict := damage_of(connection):
                raise damaged(source, verdict)
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The database {source} cannot be copied: {error}.") from error
    check_database(target)


def check_database(path: Path) -> None:
    """Return if the database at `path`, which nobody has open, is sound and can be used.

    Raises:
        DatabaseTooNew: a newer version has written it.
        StoreUnavailable: it is damaged, or not ours.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            verdict = thorough_damage_of(connection)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path} cannot be read as a database: {error}.") from error
    if verdict is not None:
        raise StoreUnavailable(f"The database {path} is damaged: {verdict}.")
    if application != APPLICATION_ID:
        raise StoreUnavailable(f"{path} is the database of another program.")
    if version > migrations()[-1].number:
        raise DatabaseTooNew(
            f"{path} was written by a newer version of Aura (its schema is {version}): "
            "use that one."
        )


@contextmanager
def no_server_has(database: Path) -> Iterator[None]:
    """While the context is open no server can open the database.

    Raises:
        DatabaseInUse: one has it open.
        StoreUnavailable: there is no such folder, or it cannot be written to.
    """
    try:
        guard = locked(database)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{database.parent} cannot be used: {error}.") from error
    with closing(guard):
        yield
