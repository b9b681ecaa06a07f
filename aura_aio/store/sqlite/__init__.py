"""A database in one SQLite file: WAL, one writer thread, readers of their own.

May import store.relational, the standard library and model only.
"""

from aura_aio.store.sqlite.database import AT_ONCE, Opening
from aura_aio.store.sqlite.opening import open_sqlite

__all__ = ["AT_ONCE", "Opening", "open_sqlite"]
