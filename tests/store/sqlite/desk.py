"""A writer and a reader on a database with a table of words.

Imports aura_aio.store and model.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event

from aura_aio.model.run import RunChanged
from aura_aio.model.states import RunState
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.sqlite.database import SqliteDatabase
from aura_aio.store.writer import Writer
from tests.store.opened import ManualClock, begun

Operation = Callable[[Transaction], object]


class Desk:
    """A writer on a database with a table of words, and a gate that holds it up."""

    def __init__(self, database: SqliteDatabase, session: SqlSession, reader: Reader) -> None:
        self.database = database
        self.reader = reader
        self.facts: list[str] = []
        self.writer = Writer(session, self._publish)

    async def together(self, *operations: Operation, apart: bool = False) -> list[object]:
        """Submit all while the writer is held up, so that they share a batch, at once or each in a
        turn of the loop of its own; their answers.
        """
        entered, gate = asyncio.Event(), Event()
        loop = asyncio.get_running_loop()

        def hold(tx: Transaction) -> None:
            loop.call_soon_threadsafe(entered.set)
            gate.wait(10)

        async with asyncio.TaskGroup() as group:
            group.create_task(self.writer.submit(hold))
            await entered.wait()
            answers = []
            for operation in operations:
                answers.append(group.create_task(self.answer(operation)))
                if apart:
                    await begun(group)
            await begun(group)
            gate.set()
        return [answer.result() for answer in answers]

    async def answer(self, operation: Operation) -> object:
        """Submit it; what it returns or raises."""
        try:
            return await self.writer.submit(operation)
        except Exception as error:  # the answer to look at
            return error

    async def words(self) -> set[str]:
        """What the table holds."""
        return await self.reader.ask(
            lambda reader: {word for (word,) in reader.execute("SELECT word FROM words")}
        )

    def _publish(self, fact: RunChanged) -> None:
        self.facts.append(fact.cid)


class Turn:
    """Stands for what begins a transaction of a database: it waits until its turn `comes`, and
    fails with what `errors` holds, one after the other, as long as there is any.
    """

    def __init__(self, begin: Callable[[], bool]) -> None:
        self.comes = Event()
        self.errors: list[Exception] = []
        self.waited_for = asyncio.Event()
        self._begin = begin
        self._loop = asyncio.get_running_loop()

    def begin(self) -> bool:
        """Wait, then do it; in the writer's thread."""
        self._loop.call_soon_threadsafe(self.waited_for.set)
        self.comes.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        return self._begin()


def nothing(_: Transaction) -> None:
    """Complete a transaction that needs nothing more."""


def open_database(path: Path) -> tuple[SqliteDatabase, SqlSession, Reader]:
    """What a desk needs; blocks."""
    database = SqliteDatabase(path)
    database.writer.execute("CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY)")
    return (
        database,
        SqlSession(database, ManualClock(), before_commit=nothing),
        Reader(database, "test"),
    )


def put(word: str) -> Operation:
    """Write a word, and publish it."""

    def operation(tx: Transaction) -> str:
        tx.connection.execute("INSERT INTO words VALUES (?)", (word,))
        tx.facts.append(RunChanged(word, None, RunState.QUEUED, 1, 0.0))
        return word

    return operation
