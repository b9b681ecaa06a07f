"""The tables of Procrastinate, beside ours: made if need be, and looked at.

They are as it makes them. May import the rest of `store.postgres`, psycopg, procrastinate, the
standard library and model only.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import psycopg
from procrastinate.schema import SchemaManager
from procrastinate.sql import queries

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.store.postgres import job_statements
from aura_aio.store.postgres.connection import JOBS_SCHEMA, parameters
from aura_aio.store.postgres.database import told

_LOCK: Final = 0x41_75_72_61_4A
"""Of the advisory locks: who makes the tables."""
_FUNCTION: Final = re.compile(r"\bprocrastinate_\w+_v\d+(?=\()")
_NEEDED: Final = frozenset(
    name
    for statement in (*queries.values(), job_statements.FETCH, job_statements.FINISH)
    for name in _FUNCTION.findall(statement)
)
"""The functions that are called: their names tell of their versions."""


class JobTables(NamedTuple):
    """What is there: how many jobs wait, how many hosts have, how many hosts there are; or `fault`,
    if a host would not start with these tables.
    """

    version: str
    """Of Procrastinate, as it is installed."""
    are_there: bool
    fault: str = ""
    waiting: int = 0
    taken: int = 0
    hosts: int = 0


def prepare(url: DatabaseUrl) -> None:
    """Make the tables if there are none. Blocks: call it in a thread.

    Raises:
        StoreUnavailable: the database cannot be reached or used; or the tables are those of a
            version of Procrastinate that does not fit the installed one.
    """
    with _connected(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        found = _functions(connection)
        if not found:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {JOBS_SCHEMA}")
            connection.execute(f"SET LOCAL search_path TO {JOBS_SCHEMA}")
            connection.execute(SchemaManager.get_schema().encode())
    if found and (fault := _fault(url, found)):
        raise StoreUnavailable(fault)


def examined(url: DatabaseUrl) -> JobTables:
    """What is there, which is only read. Blocks.

    Raises:
        StoreUnavailable: it cannot be read.
    """
    with _connected(url) as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        functions = _functions(connection)
        found = JobTables(version("procrastinate"), bool(functions))
        if not functions:
            return found
        if fault := _fault(url, functions):
            return found._replace(fault=fault)
        waiting, taken, hosts = connection.execute(job_statements.COUNTS).fetchone() or (0, 0, 0)
        return found._replace(waiting=waiting, taken=taken, hosts=hosts)


def _functions(connection: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute(job_statements.FUNCTIONS, (JOBS_SCHEMA,))}


def _fault(url: DatabaseUrl, functions: Collection[str]) -> str:
    """Why the installed version cannot use tables with these functions; nothing if it can."""
    missing = _NEEDED.difference(functions)
    if not missing:
        return ""
    return (
        f"The schema {JOBS_SCHEMA!r} in {url} is of another version of Procrastinate (it lacks "
        f"{', '.join(sorted(missing))}). It holds nothing but offers, which are made anew: stop "
        f"all hosts, then DROP SCHEMA {JOBS_SCHEMA} CASCADE."
    )


@contextmanager
def _connected(url: DatabaseUrl) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(**parameters(url)) as connection:
            yield connection
    except psycopg.Error as error:
        reason = told(url, error)
        raise StoreUnavailable(f"Procrastinate's tables cannot be had: {reason}.") from error
