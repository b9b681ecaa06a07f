"""The checker of the campaign finds each promise that is broken.

Imports pytest, the campaign, and the schema of the database.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest
from campaign import history
from campaign.checker import violations
from campaign.plan import POLICIES
from campaign.record import Record

SCHEMA = (files("aura_aio.store.relational") / "schema.sql").read_text("utf-8")
CID = "run-1"


class Past:
    """A database, a ledger and a record, in which all is well until a test breaks something."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self.sql = database.execute
        self.record = Record()
        self._path = folder / "aura.db"
        self._ledger = folder / "ledger"
        self._ledger.touch()
        self._at = 0.0

    def accepted(self, cid: str = CID, task: str = "once", priority: int = 0) -> None:
        """A run was accepted, with a key, and is queued."""
        self.insert(cid, task, priority)
        self.record.accepted(cid, task, priority)
        self.record.answered(f"key of {cid}", [cid])
        self.sql(
            "INSERT INTO idempotency VALUES (?, '', ?, '', 0)", (f"key of {cid}", f'["{cid}"]')
        )

    def insert(self, cid: str, task: str = "once", priority: int = 0) -> None:
        """A run is queued."""
        self.sql(
            "INSERT INTO runs (cid, plan_name, task_name, definition_digest, state, attempt,"
            " priority, arrival, created_at, ready_at, delayed, on_crash, inputs)"
            " VALUES (?, 'torture', ?, '', 'queued', 1, ?, ?, 0, 0, 0, ?, '')",
            (cid, task, priority, cid, POLICIES[task]),
        )

    def becomes(self, state: str, cid: str = CID) -> None:
        """The run changes its state."""
        self.sql("UPDATE runs SET state = ? WHERE cid = ?", (state, cid))

    def call(self, step: str, cid: str = CID, attempt: int = 1, words: str = "begin end") -> None:
        """An action has begun and ended, a day before the steps that are kept from now on."""
        with self._ledger.open("a", encoding="utf-8") as ledger:
            for word in words.split():
                self._at += 1
                ledger.write(f"{self._at} {word} {cid} {attempt} {step}\n")

    def keep(self, step: str, cid: str = CID) -> None:
        """The step is kept as finished."""
        self.sql(
            "INSERT INTO steps (cid, attempt, step, status, tries)"
            " VALUES (?, 1, ?, 'succeeded', 1)",
            (cid, step),
        )

    def lost(self, cid: str = CID) -> None:
        """The worker of the run is lost; it is queued again."""
        self.sql(
            "UPDATE runs SET state = 'queued', attempt = attempt + 1 WHERE cid = ?",
            (cid,),
        )

    def runs_well(self, cid: str = CID, task: str = "once", priority: int = 0) -> None:
        """A run, from 202 to its end."""
        self.accepted(cid, task, priority)
        self.becomes("running", cid)
        for step in "abcd":
            self.call(step, cid)
        self.becomes("succeeded", cid)

    def found(self) -> list[str]:
        """What the checker finds; the figures are counted before, unless a test has."""
        if not self.sql("SELECT 1 FROM state_counts").fetchone():
            self.sql("INSERT INTO state_counts SELECT state, count(*) FROM runs GROUP BY state")
        return violations(self._path, self._ledger, self.record)


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    """One without a run."""
    with closing(sqlite3.connect(tmp_path / "aura.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(SCHEMA)
        history.install(database)
        yield Past(tmp_path, database)


def test_all_is_well(past: Past) -> None:
    past.runs_well("run-1")
    past.runs_well("run-2", "onward", priority=3)
    past.accepted("run-3")
    past.record.gone.add("run-3")
    past.becomes("cancelled", "run-3")
    for number in (7, 8, 9):
        past.sql("INSERT INTO logs VALUES (?, 0, 20, '', '', '', '', '', '', 1, '', '')", (number,))
    past.sql("UPDATE counters SET n = 9 WHERE name = 'newest_log_seq'")
    assert past.found() == []


def test_a_run_is_missing(past: Past) -> None:
    past.record.accepted(CID, "once", 0)
    assert f"{CID} (once) was accepted, and there is None" in past.found()


def test_a_run_is_left(past: Past) -> None:
    past.accepted()
    past.becomes("running")
    past.sql("UPDATE queue_counts SET n = 0")
    assert past.found() == [f"{CID} is left running"]


def test_a_cancelled_run_has_run(past: Past) -> None:
    past.runs_well()
    past.record.gone.add(CID)
    assert past.found() == [f"{CID} was cancelled in the queue, and is succeeded"]


def test_a_cancel_is_forgotten(past: Past) -> None:
    past.accepted()
    past.record.cancelled.add(CID)
    past.becomes("running")
    past.sql("""UPDATE runs SET state = 'failed', error = '{"type": "WorkerLost"}'""")
    assert past.found() == [f"{CID} was to be cancelled, and is failed"]


def test_a_priority_is_forgotten(past: Past) -> None:
    past.runs_well()
    past.record.priorities[CID] = 9
    assert past.found() == [f"{CID} has priority 0, not 9"]


def test_a_key_has_two_answers(past: Past) -> None:
    past.runs_well()
    past.runs_well("run-2")
    past.record.answered(f"key of {CID}", ["run-2"])
    assert past.found() == [f"the key key of {CID} was answered with [('run-1',), ('run-2',)]"]


def test_nobody_asked_for_it(past: Past) -> None:
    past.insert(CID)
    past.becomes("cancelled")
    assert past.found() == [f"{CID} is a run that nobody asked for"]


def test_it_succeeds_with_a_step_undone(past: Past) -> None:
    past.accepted()
    past.becomes("running")
    past.call("a")
    past.call("b")
    past.becomes("succeeded")
    assert past.found() == [f"{CID} has succeeded without ['c', 'd']"]


def test_it_fails_for_no_reason(past: Past) -> None:
    past.accepted()
    past.becomes("running")
    past.sql("""UPDATE runs SET state = 'failed', error = '{"type": "ValueError"}'""")
    assert past.found() == [f"{CID} has failed: {{'type': 'ValueError'}}"]


def test_it_runs_twice_though_it_may_not(past: Past) -> None:
    past.accepted()
    past.becomes("running")
    past.call("a", words="begin")
    past.lost()
    past.becomes("running")
    for step in "abcd":
        past.call(step, attempt=2)
    past.becomes("succeeded")
    assert f"{CID} (fail) has begun attempt 2" in past.found()


def test_a_step_begins_twice_in_one_attempt(past: Past) -> None:
    past.runs_well(task="again")
    past.call("b")
    assert past.found() == [f"{CID} has begun b 2 times in attempt 1"]


def test_a_finished_step_begins_again(past: Past) -> None:
    past.accepted(task="onward")
    past.becomes("running")
    past.call("a")
    past.keep("a")
    past.lost()
    past.becomes("running")
    past._at = 1e11  # after what is kept
    for step in "abcd":
        past.call(step, attempt=2)
    past.becomes("succeeded")
    assert past.found() == [f"{CID} has begun a again, which was kept as finished"]


def test_an_old_attempt_goes_on(past: Past) -> None:
    past.accepted(task="again")
    past.becomes("running")
    past.call("a")
    past.lost()
    past.becomes("running")
    past.call("a", attempt=2)
    past.call("b")
    for step in "bcd":
        past.call(step, attempt=2)
    past.becomes("succeeded")
    assert past.found() == [f"{CID} has begun b in attempt 1, after a later one"]


def test_a_change_is_illegal(past: Past) -> None:
    past.runs_well()
    past.becomes("failed")
    past.becomes("succeeded")
    assert past.found() == [
        f"{CID} went from succeeded to failed",
        f"{CID} went from failed to succeeded",
    ]


def test_an_attempt_is_left_out(past: Past) -> None:
    past.runs_well()
    past.sql("UPDATE runs SET attempt = 3")
    assert f"{CID} went from attempt 1 to 3" in past.found()


def test_another_run_is_claimed_first(past: Past) -> None:
    past.accepted("run-1")
    past.runs_well("run-2")
    past.becomes("running", "run-1")
    for step in "abcd":
        past.call(step, "run-1")
    past.becomes("succeeded", "run-1")
    assert past.found() == ["run-1 was ready, and run-2 was claimed before it"]


def test_a_better_priority_waits(past: Past) -> None:
    past.accepted("run-1")
    past.accepted("run-2")
    past.sql("UPDATE runs SET priority = 5 WHERE cid = 'run-2'")
    past.record.priorities["run-2"] = 5
    past.becomes("running", "run-1")
    past.becomes("cancelling", "run-1")
    past.becomes("cancelled", "run-1")
    past.becomes("cancelled", "run-2")
    assert past.found() == ["run-2 was ready, and run-1 was claimed before it"]


@pytest.mark.parametrize(("numbers", "newest"), [((1, 2, 4), 4), ((1, 2, 3), 4)])
def test_the_log_has_a_gap(past: Past, numbers: tuple[int, ...], newest: int) -> None:
    for number in numbers:
        past.sql("INSERT INTO logs VALUES (?, 0, 20, '', '', '', '', '', '', 1, '', '')", (number,))
    past.sql("UPDATE counters SET n = ? WHERE name = 'newest_log_seq'", (newest,))
    assert past.found() == [
        f"3 log entries have the numbers 1 to {numbers[-1]}, and the newest is {newest}"
    ]


def test_the_figures_are_wrong(past: Past) -> None:
    past.runs_well()
    past.sql("INSERT INTO state_counts VALUES ('succeeded', 2)")
    past.sql("INSERT INTO queue_counts VALUES (0, 'torture', 0, 1)")
    assert past.found() == [
        "the figures say {'succeeded': 2}, counting says {'succeeded': 1}",
        "the figures say that 1 are queued, counting says 0",
    ]
