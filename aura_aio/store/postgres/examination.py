"""What can be told of a database on a PostgreSQL server from outside, whether a server has it.

May import the rest of `store.postgres`, store.relational, psycopg, the standard library and model
only.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final, NamedTuple

import psycopg

from aura_aio.model.access import Token
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import DatabaseTooNew, StoreUnavailable
from aura_aio.store.postgres import custody
from aura_aio.store.postgres.condition import Condition, condition_of
from aura_aio.store.postgres.connection import PostgresConnection
from aura_aio.store.postgres.database import told, version_of
from aura_aio.store.relational.examination import Examined, one
from aura_aio.store.relational.schema import migrations
from aura_aio.store.relational.tokens import tokens_of

_WHY_NO_WRITES: Final = """
    SELECT CASE WHEN pg_is_in_recovery() THEN 'it is a standby, which follows another server'
        WHEN boot_val IS DISTINCT FROM reset_val
        THEN 'default_transaction_read_only is on for this server, database or user' END
    FROM pg_settings WHERE name = 'default_transaction_read_only'
"""
_TIME: Final = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)"


class Found(NamedTuple):
    """A server, and the database on it."""

    release: str
    """Of the server: 18.4."""
    time: float
    """What it holds for the time, in seconds since the epoch."""
    examined: Examined
    """Of a new database the version is 0."""
    refusal: str = ""
    """Why a server would not use it."""
    condition: Condition | None = None
    """Of a server that takes writes."""


def examined(url: DatabaseUrl) -> Found:
    """What is there at `url`, which is only read.

    Raises:
        StoreUnavailable: it cannot be reached, or read.
        SettingsError: the address cannot be understood.
    """
    try:
        with _reading(url) as connection:
            return _found(connection, url)
    except StoreUnavailable:
        # Without an answer so far: those that take no writes were passed over.
        with suppress(StoreUnavailable), _reading(_whoever_is_there(url)) as connection:
            found = _found(connection, url)
            if found.condition is None:
                return found
        raise


def _found(connection: PostgresConnection, url: DatabaseUrl) -> Found:
    newest = migrations()[-1].number
    release = str(one(connection, "SELECT current_setting('server_version')")).split()[0]
    time = float(one(connection, _TIME))
    found = Found(release, time, Examined(is_ours=True, version=0, newest_version=newest))
    if why := one(connection, _WHY_NO_WRITES):
        return found._replace(refusal=f"{url} takes no writes: {why}.")
    found = found._replace(condition=condition_of(connection))
    try:
        version = version_of(connection, url, migrations())
    except (DatabaseTooNew, StoreUnavailable) as error:
        return found._replace(refusal=str(error))
    seen = found.examined._replace(version=version)
    if version == newest:
        seen = seen.with_what_is_in(connection)
    return found._replace(examined=seen)


def usable_tokens(url: DatabaseUrl) -> tuple[Token, ...]:
    """The tokens in the database at `url`, if this version could use it.

    Raises:
        DatabaseTooNew: a newer version has written it.
        StoreUnavailable: it cannot be reached or read, or is not ours.
        SettingsError: the address cannot be understood.
    """
    with _reading(url) as connection:
        return tokens_of(connection) if version_of(connection, url, migrations()) else ()


def is_in_use(url: DatabaseUrl) -> bool:
    """Whether a server, or a command, has the database.

    Raises:
        StoreUnavailable: it cannot be told.
        SettingsError: the address cannot be understood.
    """
    with _reading(url) as connection:
        return custody.is_held(connection)


def _whoever_is_there(url: DatabaseUrl) -> DatabaseUrl:
    """The same address, of whichever server answers there first, also if it takes no writes."""
    sign = "&" if "?" in url.secret else "?"
    return DatabaseUrl(f"{url.secret}{sign}target_session_attrs=any")


@contextmanager
def _reading(url: DatabaseUrl) -> Iterator[PostgresConnection]:
    try:
        with closing(PostgresConnection(url, only_reads=True)) as connection:
            yield connection
    except psycopg.Error as error:
        reason = told(url, error)
        raise StoreUnavailable(f"The database {url} cannot be read: {reason}.") from error
