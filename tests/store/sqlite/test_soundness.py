"""A damaged database is refused before anything is written; a large one is checked beside its use.

Imports aura_aio.store, model and pytest.
"""

import asyncio
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from aura_aio.model.errors import StoreUnavailable
from aura_aio.store.relational.store import SqlStore
from aura_aio.store.sqlite import Opening, open_sqlite, soundness
from aura_aio.store.sqlite.database import SqliteDatabase
from aura_aio.store.sqlite.soundness import Inspection
from tests.serving import serving
from tests.store.opened import ManualClock
from tests.store.sqlite.damage import damage_rows, filled, left_open
from tests.waiting import until

PAGE = 4096


async def opened(path: Path, checked_bytes: int) -> SqlStore:
    """The store at `path`."""
    return await open_sqlite(
        path, publish=lambda _: None, clock=ManualClock(), how=Opening(checked_bytes)
    )


@pytest.mark.parametrize("harm", ["rows", "cut", "head"])
def test_a_damaged_database_is_refused_untouched(tmp_path: Path, harm: str) -> None:
    path = filled(tmp_path / "aura.db")
    match harm:
        case "rows":
            damage_rows(path)
        case "cut":
            path.write_bytes(path.read_bytes()[: -3 * PAGE])
        case _:
            path.write_bytes(bytes(100) + path.read_bytes()[100:])
    before = path.read_bytes()
    said = rf"^The database .*{re.escape(path.name)} is damaged: (?!None).* aura restore FILE --rep"
    with pytest.raises(StoreUnavailable, match=said):
        SqliteDatabase(path)
    assert path.read_bytes() == before


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A sound database, properly closed."""
    return filled(tmp_path / "aura.db")


@pytest.fixture
def left(sound: Path) -> Path:
    """A sound database that was not closed."""
    return left_open(sound)


@pytest.fixture
def damaged(sound: Path) -> Path:
    """A damaged database that was not closed."""
    return left_open(damage_rows(sound))


@pytest.fixture
def large_and_damaged(tmp_path: Path) -> Path:
    """A folder with one that is too large to be checked before the start."""
    return left_open(damage_rows(filled(tmp_path / "aura.db", 64 * 1024 * 1024))).parent


async def test_a_large_one_that_was_not_closed_is_checked_while_it_is_used(
    damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await opened(damaged, checked_bytes=PAGE)
    try:
        with caplog.at_level(logging.CRITICAL):
            await until(lambda: not store.health.alive)
        assert await store.runs.recover() is not None  # what is sound goes on
    finally:
        await store.aclose()
    (record,) = caplog.records
    assert vars(record)["action"] == "database_damaged"
    assert f"{damaged} is damaged" in vars(record)["reason"]
    assert re.search("is damaged: .*[Pp]age.* aura restore", vars(record)["reason"])


def test_a_large_one_that_was_closed_is_not(sound: Path) -> None:
    with closing(SqliteDatabase(sound, how=Opening(PAGE))) as database:
        assert not database.is_unchecked
    left_open(sound)
    with closing(SqliteDatabase(sound, how=Opening(PAGE))) as database:
        assert database.is_unchecked
    left_open(sound)
    with closing(SqliteDatabase(sound)) as database:
        assert not database.is_unchecked


async def test_an_inspection_ends_with_its_store(left: Path) -> None:
    store = await opened(left, checked_bytes=PAGE)
    await store.aclose()
    assert store.health.alive
    assert not await asyncio.to_thread(left.with_name("aura.db-wal").exists)  # nobody reads it


async def test_a_server_with_a_damaged_database_is_not_well(large_and_damaged: Path) -> None:
    async def is_unwell() -> bool:
        return (await server.get("/healthz")).status == 503

    database = str(large_and_damaged / "aura.db")
    async with serving(data_dir=str(large_and_damaged), database=database, workers=0) as server:
        await until(is_unwell, within=20)


async def test_a_sound_one_is_gone_through_table_by_table_and_nothing_is_told(
    sound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    with closing(sqlite3.connect(sound, check_same_thread=False)) as connection:
        connection.set_trace_callback(asked.append)
        inspection = Inspection(sound)
        inspection.start(connection)
        await until(lambda: asked[-1:] == ["PRAGMA shrink_memory"])
        await inspection.aclose()
    assert {"PRAGMA quick_check('runs')", "PRAGMA quick_check('logs')"} < set(asked)
    assert caplog.records == []


async def test_an_inspection_that_breaks_is_told_of_and_finds_no_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.close()
    inspection = Inspection(tmp_path / "aura.db")
    inspection.start(connection)
    record = await until(lambda: caplog.records and caplog.records[0])
    told = vars(record)
    assert (told["action"], told["levelname"]) == ("database_not_checked", "WARNING")
    assert "closed database" in told["reason"]
    assert inspection.alive
    await inspection.aclose()


class Walk:
    """A connection whose walk over a table takes until it is broken off."""

    def __init__(self, *, can_be_broken: bool) -> None:
        self.begun, self.over = Event(), Event()
        self.closed = 0
        self._can_be_broken = can_be_broken

    def execute(self, statement: str) -> "Walk":
        """Walk, if it is not only the tables that are asked for."""
        if "sqlite_schema" in statement:
            return self
        self.begun.set()
        assert self.over.wait(10)
        raise sqlite3.OperationalError("interrupted")

    def fetchall(self) -> list[tuple[str]]:
        """The tables."""
        return [("runs",)]

    def interrupt(self) -> None:
        """End the walk, if that is possible."""
        if self._can_be_broken:
            self.over.set()

    def close(self) -> None:
        """Count it."""
        self.closed += 1


@pytest.mark.parametrize("can_be_broken", [True, False])
async def test_a_walk_is_broken_off_or_left_to_itself(
    can_be_broken: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(soundness, "_LEAVE_SEC", 5.0 if can_be_broken else 0.01)
    inspection, walk = Inspection(tmp_path / "aura.db"), Walk(can_be_broken=can_be_broken)
    connection: Any = walk
    inspection.start(connection)
    await until(walk.begun.is_set)
    await inspection.aclose()
    assert walk.closed == can_be_broken
    walk.over.set()

    async def is_closed() -> bool:
        await inspection.aclose()
        return walk.closed == 1

    await until(is_closed)
    await inspection.aclose()
    assert (walk.closed, caplog.records, inspection.alive) == (1, [], True)


async def test_what_has_not_begun_has_nothing_to_end(tmp_path: Path) -> None:
    await Inspection(tmp_path / "aura.db").aclose()


def test_what_is_no_database_is_damage_and_what_cannot_be_asked_is_not(tmp_path: Path) -> None:
    path = tmp_path / "aura.db"
    path.write_bytes(b"x" * 2 * PAGE)
    with closing(sqlite3.connect(path)) as connection:
        assert soundness.damage_of(connection) == "file is not a database"
        assert soundness.thorough_damage_of(connection) == "file is not a database"
    with pytest.raises(sqlite3.ProgrammingError):
        soundness.damage_of(connection)
