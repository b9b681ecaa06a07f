"""What can be told of a database from outside, whether a server has it open or not.

May import the rest of `store.sqlite`, `store.relational`, the standard library and model only.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from aura_aio.model.access import Token
from aura_aio.model.errors import DatabaseInUse, StoreUnavailable
from aura_aio.store.relational.examination import Examined, one
from aura_aio.store.relational.schema import migrations
from aura_aio.store.relational.tokens import tokens_of
from aura_aio.store.sqlite.database import (
    APPLICATION_ID,
    BUSY_TIMEOUT_SEC,
    locked,
    refuse_others,
)
from aura_aio.store.sqlite.soundness import thorough_damage_of


def examined(path: Path) -> Examined:
    """What is in the database at `path`, which is only read. Takes as long as to read all of it.

    Raises:
        StoreUnavailable: it cannot be read.
    """
    newest = migrations()[-1].number
    try:
        with closing(_read_only(path)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            found = Examined(application == APPLICATION_ID, version, newest)
            if not found.is_ours or version > newest:
                return found
            if damage := thorough_damage_of(connection):
                return found._replace(damage=damage)
            found = found._replace(missing=_missing(connection) if version == newest else ())
            if found.missing:
                return found
            return found.with_what_is_in(connection)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path} cannot be read as a database: {error}.") from error


def usable_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens in the database at `path`, if this version could open it; that takes no time, and
    damage is not looked for.

    Raises:
        DatabaseTooNew: a newer version has written it.
        StoreUnavailable: it cannot be read, or is not ours.
    """
    try:
        with closing(_read_only(path)) as connection:
            refuse_others(connection, path, migrations())
            return tokens_of(connection) if one(connection, "PRAGMA user_version") else ()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path} cannot be read as a database: {error}.") from error


def is_in_use(database: Path) -> bool:
    """Whether a server, or a command, has the database open.

    Raises:
        StoreUnavailable: it cannot be told.
    """
    if not Path(f"{database}.lock").exists():
        return False
    try:
        locked(database).close()
    except DatabaseInUse:
        return True
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{database}.lock cannot be opened: {error}.") from error
    return False


_OBJECTS = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"


def _read_only(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SEC)


def _missing(connection: sqlite3.Connection) -> tuple[str, ...]:
    with closing(sqlite3.connect(":memory:")) as ideal:
        for step in migrations():
            ideal.executescript(step.sql)
        wanted = {name for (name,) in ideal.execute(_OBJECTS)}
    return tuple(sorted(wanted - {name for (name,) in connection.execute(_OBJECTS)}))
