"""The writer thread over a real database: who shares a transaction, who fails, and with whom.

Imports aura_aio.store, model, pytest and `desk`.
"""

import asyncio
import logging
import sqlite3
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest

from aura_aio.model.audit import Note, noting
from aura_aio.model.errors import PlanNotFound, StoreUnavailable
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.transaction import Ledger, Transaction
from tests.store.opened import begun
from tests.store.sqlite.desk import Desk, Operation, Turn, nothing, open_database, put


def refuse(tx: Transaction) -> NoReturn:
    """Find that it must not be."""
    raise PlanNotFound("x", ())


def write_and_refuse(tx: Transaction) -> NoReturn:
    """Break the rule that an operation checks first."""
    put("against the rule")(tx)
    raise PlanNotFound("x", ())


def write_and_break(tx: Transaction) -> NoReturn:
    """Fail in the middle."""
    put("half")(tx)
    raise ZeroDivisionError("what a pity")


def bad_sql(tx: Transaction) -> None:
    """Fail in the database, by a fault of its own."""
    put("before bad SQL")(tx)
    tx.connection.execute("SELECT * FROM nowhere")


@pytest.mark.parametrize("apart", [False, True])
async def test_operations_that_wait_together_share_one_transaction(apart: bool, desk: Desk) -> None:
    before = desk.writer.commits
    words = [f"word {n}" for n in range(100)]
    assert await desk.together(*map(put, words), apart=apart) == words
    assert desk.writer.commits - before == 2  # the one that held them up, and theirs
    assert desk.facts == words


async def test_what_one_turn_of_the_loop_submits_is_one_transaction_in_its_order(
    desk: Desk,
) -> None:
    before = desk.writer.commits
    words = [f"word {n}" for n in range(100)]
    answers = await asyncio.gather(*(desk.writer.submit(put(word)) for word in words))
    assert answers == desk.facts == words
    assert desk.writer.commits - before == 1


@pytest.fixture
async def turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Turn:
    """That of the desk's database, which has not come."""
    turn = Turn(desk.database.begin)
    monkeypatch.setattr(desk.database, "begin", turn.begin)
    return turn


async def submit_late(desk: Desk, turn: Turn, *late: Operation) -> list[object]:
    """Submit a word, and `late` while its turn is waited for; the answers, once it has come."""
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(desk.answer(put("early")))]
        await turn.waited_for.wait()
        answers += [group.create_task(desk.answer(operation)) for operation in late]
        await begun(group)
        turn.comes.set()
    return [answer.result() for answer in answers]


async def test_what_comes_while_the_turn_is_waited_for_shares_the_transaction(
    desk: Desk, turn: Turn
) -> None:
    before = desk.writer.commits
    answers = await submit_late(desk, turn, put("b"), refuse, put("c"))
    assert [type(answer) for answer in answers] == [str, str, PlanNotFound, str]
    assert desk.writer.commits - before == 1
    assert desk.facts == ["early", "b", "c"]


async def test_what_has_come_late_and_breaks_fails_alone(desk: Desk, turn: Turn) -> None:
    answers = await submit_late(desk, turn, put("b"), write_and_break, put("c"))
    assert [type(answer) for answer in answers] == [str, str, ZeroDivisionError, str]
    assert await desk.words() == {"early", "b", "c"}


@pytest.mark.parametrize("late", [[], ["late"]])
async def test_who_is_closed_while_the_turn_is_waited_for_does_all_and_ends(
    late: list[str], desk: Desk, turn: Turn
) -> None:
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(desk.writer.submit(put("early")))]
        await turn.waited_for.wait()
        answers += [group.create_task(desk.writer.submit(put(word))) for word in late]
        await begun(group)
        group.create_task(desk.writer.aclose())
        await begun(group)
        turn.comes.set()
    assert [answer.result() for answer in answers] == desk.facts == ["early", *late]


async def test_if_the_turn_does_not_come_who_came_late_is_in_the_next_transaction(
    desk: Desk, turn: Turn
) -> None:
    before = desk.writer.commits
    busy = sqlite3.OperationalError("It is locked.")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    turn.errors = [busy]
    answers = await submit_late(desk, turn, put("b"), put("c"))
    assert [type(answer) for answer in answers] == [StoreUnavailable, str, str]
    assert desk.writer.commits - before == 1
    assert await desk.words() == {"b", "c"}


async def test_a_turn_that_failed_by_itself_is_tried_again_for_who_came_early(
    desk: Desk, turn: Turn
) -> None:
    before = desk.writer.commits
    turn.errors = [RuntimeError("It is defect X.")]
    assert await submit_late(desk, turn, put("b"), put("c")) == ["early", "b", "c"]
    assert desk.writer.commits - before == 2


async def test_who_goes_first_hears_of_it_first_whenever_it_is_done(desk: Desk) -> None:
    heard: list[str] = []

    async def submit(word: str, *, goes_first: bool) -> None:
        how = {"goes_first": True} if goes_first else {}
        heard.append(str(await desk.writer.submit(put(word), **how)))

    words = {"a": False, "b": True, "c": False, "d": True}
    await asyncio.gather(*(submit(word, goes_first=first) for word, first in words.items()))
    assert heard == ["b", "d", "a", "c"]
    assert desk.facts == list(words)


async def test_what_was_submitted_in_the_turn_of_the_end_is_done(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.writer.submit(put("last")))
        await begun(group)
        await desk.writer.aclose()
    assert await desk.words() == {"last"}


async def test_what_could_not_be_learnt_is_learnt_with_the_next_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server has written, and it fails to learn of it."""
    begin, others_have_written, learnt = desk.database.begin, iter([True]), list[bool]()

    def begin_after_others() -> bool:
        begin()
        return next(others_have_written, False)

    def learn(_ledger: Ledger, _connection: Connection) -> None:
        learnt.append(bool(learnt))
        if learnt == [False]:
            raise StoreUnavailable("It is away.")

    monkeypatch.setattr(desk.database, "begin", begin_after_others)
    monkeypatch.setattr(Ledger, "learn", learn)
    for word in ("a", "b"):
        await desk.writer.submit(put(word))
    assert learnt == [False, True]


async def test_a_note_is_written_with_the_first_change(desk: Desk) -> None:
    note = Note("x")
    with noting(note):
        await desk.writer.submit(nothing)
        unwritten = not note.written
        await desk.writer.submit(put("a"))
    assert (unwritten, note.written) == (True, True)


async def test_an_operation_that_refuses_fails_alone(desk: Desk) -> None:
    before = desk.writer.commits
    answers = await desk.together(put("a"), refuse, put("b"))
    assert [type(answer) for answer in answers] == [str, PlanNotFound, str]
    assert desk.writer.commits - before == 2
    assert await desk.words() == {"a", "b"}


@pytest.mark.parametrize(
    ("culprit", "error"),
    [
        (write_and_break, ZeroDivisionError),
        (write_and_refuse, PlanNotFound),
        (bad_sql, sqlite3.OperationalError),
        (put("a"), sqlite3.IntegrityError),
    ],
)
async def test_an_operation_that_breaks_fails_alone_and_leaves_nothing(
    desk: Desk, culprit: Operation, error: type[Exception]
) -> None:
    answers = await desk.together(put("a"), culprit, refuse, put("b"), culprit, put("c"))
    assert [type(answer) for answer in answers] == [str, error, PlanNotFound, str, error, str]
    assert await desk.words() == {"a", "b", "c"}
    assert desk.facts == ["a", "b", "c"]


async def test_if_the_disk_is_full_nothing_has_happened_and_it_recovers(desk: Desk) -> None:
    (pages,) = desk.database.writer.execute("PRAGMA page_count").fetchone()
    desk.database.writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    answers = await desk.together(put("a"), refuse, put("b" * 100_000), put("c"))
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 4
    assert "full" in str(answers[0])
    assert isinstance(answers[0], StoreUnavailable)
    assert isinstance(answers[0].__cause__, sqlite3.OperationalError)
    assert len({id(answer) for answer in answers}) == 4
    assert (await desk.words(), desk.facts) == (set(), [])
    desk.database.writer.execute(f"PRAGMA max_page_count = {pages + 100}")
    assert await desk.together(put("a"), put("c")) == ["a", "c"]


async def test_if_the_commit_fails_nothing_has_happened_and_it_recovers(desk: Desk) -> None:
    write = desk.database.writer
    write.execute("PRAGMA foreign_keys = ON")
    write.execute("CREATE TABLE notes (word TEXT REFERENCES words DEFERRABLE INITIALLY DEFERRED)")

    def orphan(tx: Transaction) -> None:
        tx.connection.execute("INSERT INTO notes VALUES ('no such word')")

    answers = await desk.together(put("a"), orphan, refuse, put("b"))
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 4
    assert (await desk.words(), desk.facts) == (set(), [])
    assert await desk.together(put("a"), put("b")) == ["a", "b"]


async def test_a_database_that_another_program_has_locked_is_unavailable(
    desk: Desk, tmp_path: Path
) -> None:
    desk.database.writer.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "aura.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await desk.writer.submit(put("a"))
    other.close()
    assert await desk.writer.submit(put("a")) == "a"


@pytest.mark.parametrize(
    ("error", "told"), [("It is defect X.\nAnd more.", "It is defect X"), ("", "RuntimeError")]
)
async def test_if_no_transaction_can_be_begun_all_are_told(
    error: str, told: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise RuntimeError(error)

    with monkeypatch.context() as patch:
        patch.setattr(desk.database, "begin", fail)
        answers = await asyncio.gather(
            desk.writer.submit(put("a")), desk.writer.submit(put("b")), return_exceptions=True
        )
    assert [str(answer) for answer in answers] == [
        f"The database does not take writes: {told}."
    ] * 2
    assert await desk.writer.submit(put("c")) == "c"
    assert await desk.words() == {"c"}


async def test_a_loop_that_is_gone_does_not_hang_the_writer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entered, gate = Event(), Event()

    def hold(tx: Transaction) -> None:
        entered.set()
        gate.wait(10)
        put("kept")(tx)

    async def leave() -> Desk:
        desk = Desk(*await asyncio.to_thread(open_database, tmp_path / "aura.db"))
        task = asyncio.get_running_loop().create_task(desk.writer.submit(hold))
        await asyncio.to_thread(entered.wait, 10)
        task.cancel()
        return desk

    left = await asyncio.to_thread(asyncio.run, leave())
    with caplog.at_level(logging.WARNING):
        gate.set()
        await left.writer.aclose()
    assert "nobody waits for the store" in caplog.text
    await left.reader.aclose()
    desk = Desk(*await asyncio.to_thread(open_database, tmp_path / "aura.db"))
    assert await desk.words() == {"kept"}
    await desk.reader.aclose()
    await desk.writer.aclose()
