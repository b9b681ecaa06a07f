"""The migrations: how the tables came to be what schema.sql says they are.

May import the standard library only.
"""

from importlib.resources import files
from typing import NamedTuple


class Migration(NamedTuple):
    """One step of the schema; `number` is the version of a database after it."""

    number: int
    name: str
    sql: str


def migrations() -> tuple[Migration, ...]:
    """Every migration of this version, in order: the files `migrations/0001_….sql`."""
    folder = files("aura_aio.store.relational") / "migrations"
    found = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".sql")),
        key=lambda each: each.name,
    )
    return tuple(
        Migration(int(each.name[:4]), each.name, each.read_text(encoding="utf-8")) for each in found
    )
