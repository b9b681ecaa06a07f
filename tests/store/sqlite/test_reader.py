"""Reads beside a writer that is busy, and by connections that fail.

Imports aura_aio.store, model, pytest and `desk`.
"""

import asyncio
from threading import Event
from typing import NoReturn

import pytest

from aura_aio.model.errors import StoreUnavailable
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.transaction import Transaction
from tests.store.sqlite.desk import Desk, put


@pytest.mark.parametrize("is_away", [True, False])
async def test_a_reader_that_fails_on_its_new_connection_too_says_so(
    is_away: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, told = OSError("away"), list[Exception]()
    monkeypatch.setattr(desk.database, "is_lost", lambda _: True)
    monkeypatch.setattr(
        desk.database, "is_unavailable", lambda error: error is away or (is_away and error in told)
    )

    def look(_: Connection) -> NoReturn:
        raise away

    def fail() -> NoReturn:
        told.append(still := OSError("still away"))
        raise still

    monkeypatch.setattr(desk.database, "reader", fail)
    error = StoreUnavailable if is_away else OSError
    said = r"The database does not answer: still away\." if is_away else "still away"
    with pytest.raises(error, match=f"^{said}$"):
        await desk.reader.ask(look)


async def test_reads_go_on_while_the_writer_is_busy(desk: Desk) -> None:
    await desk.writer.submit(put("old"))
    written, gate = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def slow(tx: Transaction) -> None:
        put("new")(tx)
        loop.call_soon_threadsafe(written.set)
        gate.wait(10)

    async with asyncio.TaskGroup() as group:
        group.create_task(desk.writer.submit(slow))
        await written.wait()
        assert await desk.words() == {"old"}
        gate.set()
    assert await desk.words() == {"old", "new"}


async def test_a_database_that_does_not_answer_is_asked_once(desk: Desk) -> None:
    """A file does not come back as a connection over the network does."""
    asked = []

    def ask(reader: Connection) -> None:
        asked.append(reader)
        reader.execute("INSERT INTO words VALUES (1)")

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await desk.reader.ask(ask)
    assert len(asked) == 2
    assert asked[0] is asked[1]


async def test_readers_cannot_write(desk: Desk) -> None:
    with pytest.raises(StoreUnavailable, match="readonly"):
        await desk.reader.ask(lambda reader: reader.execute("INSERT INTO words VALUES (1)"))


async def test_a_reader_sees_one_moment(desk: Desk) -> None:
    looked, gate = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def twice(reader: Connection) -> tuple[int, int]:
        (first,) = reader.execute("SELECT COUNT(*) FROM words").fetchone()
        loop.call_soon_threadsafe(looked.set)
        gate.wait(10)
        (second,) = reader.execute("SELECT COUNT(*) FROM words").fetchone()
        return first, second

    async with asyncio.TaskGroup() as group:
        counted = group.create_task(desk.reader.ask(twice))
        await looked.wait()
        await desk.writer.submit(put("a"))
        gate.set()
    assert counted.result() == (0, 0)
    assert await desk.words() == {"a"}
