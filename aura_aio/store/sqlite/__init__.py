"""The store in one SQLite file: WAL, one writer thread, readers of their own.

May import store.writer, the standard library, msgspec and model only.
"""

from aura_aio.store.sqlite.database import AT_ONCE, Opening
from aura_aio.store.sqlite.store import SqliteStore, open_sqlite

__all__ = ["AT_ONCE", "Opening", "SqliteStore", "open_sqlite"]
