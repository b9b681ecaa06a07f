"""The tables of the store, made in PostgreSQL.

May import `connection` and `dialect`, store.relational, the standard library and model only.
"""

from collections.abc import Sequence
from typing import Final

from aura_aio.store.postgres.connection import SCHEMA, PostgresConnection
from aura_aio.store.postgres.dialect import schema_in_postgres
from aura_aio.store.relational.schema import Migration

_VERSIONS: Final = "CREATE TABLE migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)"
_COMMITS: Final = """
    CREATE TABLE commits (
        writer TEXT PRIMARY KEY,
        number BIGINT NOT NULL,  -- of its latest transaction
        at TIMESTAMPTZ NOT NULL DEFAULT now()
    )
"""
_KEEP_VERSION: Final = "INSERT INTO migrations (number, name) VALUES (?, ?)"


def make_tables(connection: PostgresConnection, steps: Sequence[Migration]) -> None:
    """Make all tables in a database that has none, in the transaction that is under way."""
    for step in steps:
        migrate(connection, step)


def migrate(connection: PostgresConnection, step: Migration) -> None:
    """Carry a migration out, and keep its number, in the transaction that is under way."""
    if step.number == 1:
        connection.raw.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.raw.execute(_VERSIONS)
        connection.raw.execute(_COMMITS)
    connection.raw.execute(schema_in_postgres(step.sql))
    connection.execute(_KEEP_VERSION, (step.number, step.name))
