"""Databases that something has happened to.

Imports aura_aio.store only.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from aura_aio.store.sqlite.database import SqliteDatabase

_WORD = b"a word of many in a value that takes several pages. "


def filled(path: Path, more_bytes: int = 0) -> Path:
    """A database at `path` with a large row, properly closed, and at least `more_bytes` long."""
    with closing(SqliteDatabase(path)) as database:
        insert = "INSERT INTO definitions (digest, document) VALUES (?, ?)"
        database.writer.execute(insert, ("large", _WORD * 1_000))
        if more_bytes:
            database.writer.execute(insert, ("larger", bytes(more_bytes)))
        database.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def damage_rows(path: Path) -> Path:
    """Break the chain of pages that hold the large row, as a disk does that loses a block."""
    with path.open("r+b") as file:
        place = file.read().rindex(_WORD * 50) // 4096 * 4096
        file.seek(place)
        file.write(b"\xff" * 4096)
    return path


def left_open(path: Path) -> Path:
    """Leave what a server leaves that was killed: a journal beside the database."""
    log = path.with_name(path.name + "-wal")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE counters SET n = n + 1")
        kept = log.read_bytes()
    log.write_bytes(kept)
    return path
