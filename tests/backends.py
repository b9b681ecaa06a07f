"""Which database a server of the tests has: its own file, or one on a PostgreSQL server.

Imports pytest, aura_aio.model and tests/postgres_server.py.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from aura_aio.model.database_url import DatabaseUrl
from tests.postgres_server import cleaned, connected, new_database


class Databases:
    """Gives each data folder a database of its own: the same again for a restart. Those that nobody
    needs any more are given again, without a row: to make another takes a hundred times as long.
    """

    def __init__(self) -> None:
        self.on_postgres = False
        """Whether servers that name no database have one on the PostgreSQL server."""
        self.dispatcher = "local"
        """How runs get to those servers."""
        self._of_folder: dict[str, DatabaseUrl] = {}
        self._open: set[str] = set()
        self._free: list[DatabaseUrl] = []

    @property
    def kind(self) -> str:
        """What the contract calls it."""
        return "postgres" if self.on_postgres else "sqlite"

    def begin_test(self, *, on_postgres: bool, dispatcher: str) -> None:
        """Take back what is not open: no test goes on with the folder of another."""
        self.on_postgres = on_postgres
        self.dispatcher = dispatcher if on_postgres else "local"
        for folder in self._of_folder.keys() - self._open:
            self._free.append(self._of_folder.pop(folder))

    def opened(self, folder: str) -> dict[str, Any]:
        """The setting for a server with this data folder, until `closed`."""
        if not self.on_postgres:
            return {}
        if folder not in self._of_folder:
            self._of_folder[folder] = cleaned(self._free.pop()) if self._free else new_database()
        self._open.add(folder)
        return {"database": self._of_folder[folder].secret, "dispatcher": self.dispatcher}

    def closed(self, folder: str) -> None:
        """The server has ended."""
        self._open.discard(folder)

    def place(self, folder: Path) -> Path | DatabaseUrl:
        """Where the database of a server with this data folder is, or will be."""
        if not self.on_postgres:
            return folder / "aura.db"
        return DatabaseUrl(self.opened(str(folder))["database"])

    def content(self, folder: Path) -> bytes:
        """All bytes that are kept in it."""
        place = self.place(folder)
        if isinstance(place, Path):
            files = sorted(folder.glob("aura.db*"))
            assert files
            return b"".join(file.read_bytes() for file in files)
        with closing(connected(place)) as connection, connection.cursor() as cursor:
            names = cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'aura'")
            kept = b""
            for (name,) in names.fetchall():
                with cursor.copy(f"COPY aura.{name} TO STDOUT (FORMAT BINARY)") as copy:
                    kept += b"".join(map(bytes, copy))
            return kept

    def rows(self, folder: Path, query: str) -> list[Any]:
        """What `query`, which both kinds understand, finds in it."""
        place = self.place(folder)
        if isinstance(place, Path):
            with closing(sqlite3.connect(place)) as connection:
                return connection.execute(query).fetchall()
        with closing(connected(place)) as connection, connection.cursor() as cursor:
            cursor.execute("SET search_path TO aura")
            return list(cursor.execute(query.encode()).fetchall())

    @contextmanager
    def locked(self, folder: Path) -> Iterator[None]:
        """Nobody else can write to it while the context is open."""
        place = self.place(folder)
        if isinstance(place, Path):
            held: Any = sqlite3.connect(
                place, timeout=10, isolation_level=None, check_same_thread=False
            )
            begin = "BEGIN IMMEDIATE"
        else:
            held, begin = connected(place), "BEGIN; LOCK TABLE aura.runs IN EXCLUSIVE MODE"
        with closing(held):
            held.execute(begin)
            yield


DATABASES: Final = Databases()
"""Those of this process."""


def let_run_on(
    metafunc: pytest.Metafunc, both: Collection[str], by_jobs: Collection[str] = ()
) -> None:
    """Let the tests of these names (`test_runs.py::test_it`) run on both backends; and others, or
    the same, where runs get to workers as jobs.
    """
    name = f"{metafunc.definition.path.name}::{metafunc.function.__name__}"
    if metafunc.config.getoption("--backend") is not None:
        return
    where = ["sqlite", *["postgres"] * (name in both), *["jobs"] * (name in by_jobs)]
    if len(where) > 1:
        metafunc.fixturenames.append("backend")
        metafunc.parametrize("backend", where)


def place_of(item: pytest.Item) -> tuple[bool, str]:
    """Whether its servers have databases on the PostgreSQL server, and how they dispatch runs."""
    case = getattr(item, "callspec", None)
    chosen = None if case is None else case.params.get("backend")
    if chosen == "jobs":
        return True, "procrastinate"
    wanted: str | None = chosen or item.config.getoption("--backend")
    return wanted == "postgres", item.config.getoption("--dispatcher")
