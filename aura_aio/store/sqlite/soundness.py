"""Whether a database is sound: what SQLite finds wrong with its file, when it is asked, by whom.

May import the standard library and model only.
"""

import asyncio
import logging
import sqlite3
from pathlib import Path
from threading import Thread
from typing import Final

from aura_aio.model.errors import StoreUnavailable

_log = logging.getLogger("aura.store.soundness")

CHECKED_AT_START_BYTES: Final = 64 * 1024 * 1024
"""How large a database may be to be checked whole before each start: a tenth of a second."""

_LEAVE_SEC: Final = 1.0
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def damage_of(connection: sqlite3.Connection, table: str | None = None) -> str | None:
    """What is wrong with the pages and rows of a table, or of all, in SQLite's words; None if
    nothing is. Indexes are not compared with their tables, which takes six times as long.
    """
    what = "" if table is None else f"('{table}')"
    return _first_fault(connection, f"PRAGMA quick_check{what}")


def thorough_damage_of(connection: sqlite3.Connection) -> str | None:
    """What is wrong with the database, indexes included; None if nothing is."""
    return _first_fault(connection, "PRAGMA integrity_check")


def is_damage(error: Exception) -> bool:
    """Whether SQLite has met damage, or what is no database at all."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def damaged(path: Path, verdict: object) -> StoreUnavailable:
    """The refusal to use the damaged database at `path`."""
    return StoreUnavailable(
        f"The database {path} is damaged: {verdict}. Bring it back from a backup: "
        "aura restore FILE --replace (what is there now is kept beside it)."
    )


def _first_fault(connection: sqlite3.Connection, pragma: str) -> str | None:
    try:
        (verdict,) = connection.execute(pragma).fetchone()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise
    lines = [line for line in str(verdict).splitlines() if not line.startswith("***")]
    return None if verdict == "ok" else lines[0]


class Inspection:
    """Checks a database that is too large to be checked before the start, in a thread of its own,
    table by table, while the server uses it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun: tuple[sqlite3.Connection, Thread] | None = None
        self._closing = False
        self.damage: str | None = None
        """What was found wrong so far."""

    @property
    def alive(self) -> bool:
        """Whether nothing was found wrong: the server is not well with a damaged database."""
        return self.damage is None

    def start(self, connection: sqlite3.Connection) -> None:
        """Begin, on a connection of its own that only reads; nobody waits for the end."""
        thread = Thread(
            target=self._inspect, args=(connection,), name="store-inspection", daemon=True
        )
        self._begun = connection, thread
        thread.start()

    async def aclose(self) -> None:
        """End, mostly at once; a walk over a table that cannot be broken off is left to itself.
        Idempotent.
        """
        self._closing = True
        if self._begun is None:
            return
        connection, thread = self._begun
        if thread.is_alive():
            connection.interrupt()
            await asyncio.to_thread(thread.join, _LEAVE_SEC)
        if not thread.is_alive():
            connection.close()
            self._begun = None

    def _inspect(self, connection: sqlite3.Connection) -> None:
        try:
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            for (table,) in tables.fetchall():
                if self._closing:
                    return
                if verdict := damage_of(connection, table):
                    self.damage = verdict
                    reason = str(damaged(self._path, verdict))
                    extra = {"action": "database_damaged", "reason": reason}
                    _log.critical("the database is damaged", extra=extra)
                    return
            connection.execute("PRAGMA shrink_memory")
        except sqlite3.Error as error:
            if not self._closing:
                extra = {"action": "database_not_checked", "reason": str(error)}
                _log.warning("the database could not be checked", extra=extra)
