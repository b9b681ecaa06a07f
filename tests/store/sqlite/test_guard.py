"""The guard of every change: a row that is not as it was decided on is not touched.

Imports aura_aio.store, model and pytest.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aura_aio.model.plan import Definition, Task
from aura_aio.store.relational import sql
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.changes import write_guarded
from aura_aio.store.relational.children import cancel_with_parents
from aura_aio.store.relational.claims import claim
from aura_aio.store.relational.rows import Row
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.sqlite.database import SqliteDatabase
from tests.store.opened import ManualClock, Opened
from tests.store.sqlite.at import sqlite_at


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Transaction]:
    """A transaction in which a run is running, its first attempt, and another is queued."""
    definition = Definition.of(Task("hello", "greet"))
    opened = Opened(sqlite_at(tmp_path / "unused.db"))
    tasklets = [opened.tasklet(cid=cid, definition_digest=definition.digest) for cid in "ab"]
    with closing(SqliteDatabase(tmp_path / "aura.db")) as database:
        tx = SqlSession(database, ManualClock(), before_commit=cancel_with_parents).begin()
        Acceptance(9, 9.0).accept(tx, tasklets, (definition,), None, 0.0)
        assert claim(tx, ["w1"], None, 0.0)
        yield tx


@pytest.mark.parametrize(
    "guard", [("a", 2, "running"), ("a", 0, "running"), ("a", 1, "queued"), ("c", 1, "running")]
)
@pytest.mark.parametrize(
    ("update", "values"),
    [
        (sql.END, ("failed", 0.0, None, None)),
        (sql.CANCEL, ("cancelling", None, "{}")),
        (sql.REQUEUE, ("queued", 0.0)),
        (sql.SET_PRIORITY, (5,)),
    ],
)
def test_only_the_run_as_it_was_decided_on_is_changed(
    tx: Transaction, update: str, values: Row, guard: Row
) -> None:
    before = tx.connection.execute("SELECT * FROM runs").fetchall()
    with pytest.raises(RuntimeError, match="not as it was"):
        write_guarded(tx, update, [(*values, *guard)])
    assert tx.connection.execute("SELECT * FROM runs").fetchall() == before
    write_guarded(tx, update, [(*values, "a", 1, "running")])
    assert tx.connection.execute("SELECT * FROM runs").fetchall() != before


@pytest.mark.parametrize("guard", [("b", 2), ("a", 1), ("c", 1)])
@pytest.mark.parametrize(("update", "values"), [(sql.CLAIM, ("w1", 0.0)), (sql.JOIN, ())])
def test_only_a_queued_run_is_claimed_or_joins(
    tx: Transaction, update: str, values: Row, guard: Row
) -> None:
    with pytest.raises(RuntimeError, match="not as it was"):
        write_guarded(tx, update, [(*values, *guard)])
    write_guarded(tx, update, [(*values, "b", 1)])
