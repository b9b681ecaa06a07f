"""What can be told of a database from outside, whatever kind it is.

May import the rest of `store.relational`, the standard library and model only.
"""

from typing import Any, Final, NamedTuple

from aura_aio.model.access import Token
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.tokens import tokens_of

_SEALED: Final = "SELECT 1 FROM runs WHERE sealed IS NOT NULL LIMIT 1"
_LATEST: Final = (
    "SELECT at FROM audit ORDER BY number DESC LIMIT 1",
    "SELECT timestamp FROM logs ORDER BY seq DESC LIMIT 1",
    "SELECT created_at FROM runs ORDER BY cid DESC LIMIT 1",
)


class Examined(NamedTuple):
    """A database that could be read.

    Of one that is not ours, or damaged, the rest is not known.
    """

    is_ours: bool
    version: int
    newest_version: int
    """What this version of Aura knows."""
    damage: str | None = None
    missing: tuple[str, ...] = ()
    """Tables and indexes that should be there."""
    latest_at: float | None = None
    """When the newest of its rows was written, in seconds since the epoch."""
    tokens: tuple[Token, ...] = ()
    has_sealed: bool = False
    """Whether runs in it have secret inputs."""

    def with_what_is_in(self, connection: Connection) -> "Examined":
        """The same with what the rows say."""
        times = [time for query in _LATEST if (time := one(connection, query)) is not None]
        return self._replace(
            latest_at=max(times, default=None),
            tokens=tokens_of(connection),
            has_sealed=has_sealed(connection),
        )


def has_sealed(connection: Connection) -> bool:
    """Whether runs have secret inputs."""
    return bool(one(connection, _SEALED))


def one(connection: Connection, query: str) -> Any:
    """The first column of the first row, or None."""
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
