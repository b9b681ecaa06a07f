"""The campaign finds each promise about jobs that is broken.

Imports pytest and the campaign.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from campaign.offers import amiss


class Past:
    """What databases of the campaign have written down of runs and jobs."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._count = 0
        database.execute(
            "CREATE TABLE campaign_runs"
            "(id, cid, was, state, attempt, priority, rank, arrival, delayed)"
        )
        database.execute(
            "CREATE TABLE campaign_jobs(id, turn, job, cid, attempt, status, priority)"
        )

    def run(self, cid: str, change: str, *, attempt: int = 1, priority: int = 0) -> None:
        """A run changes, from one state to another."""
        was, _, state = change.rpartition(" ")
        self._count += 1
        row = (self._count, cid, was or None, state, attempt, priority, 0, cid, 0)
        self._database.execute("INSERT INTO campaign_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def job(
        self, job: int, status: str, cid: str, *, turn: str = "", attempt: int = 1, order: int = 0
    ) -> None:
        """A job changes, in a transaction of its own unless `turn` says in which."""
        self._count += 1
        row = (self._count, turn or str(self._count), job, cid, attempt, status, order)
        self._database.execute("INSERT INTO campaign_jobs VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def runs_well(self, job: int, cid: str, *, attempt: int = 1) -> None:
        """What was offered is taken, claimed, and ends."""
        self.job(job, "doing", cid, attempt=attempt)
        self.run(cid, "queued running", attempt=attempt)
        self.run(cid, "running succeeded", attempt=attempt)
        self.job(job, "gone", cid, attempt=attempt)

    def found(self) -> list[str]:
        """What is amiss."""
        return list(amiss(self._database))


@pytest.fixture
def past() -> Iterator[Past]:
    """One without a run."""
    with closing(sqlite3.connect(":memory:")) as database:
        yield Past(database)


def test_all_is_well(past: Past) -> None:
    past.run("a", "queued")
    past.run("b", "queued", priority=3)
    past.job(1, "todo", "b", turn="x", order=3)
    past.job(2, "todo", "a", turn="x")
    past.job(1, "doing", "b")
    past.run("c", "queued")
    past.job(3, "todo", "c", order=-1)
    past.runs_well(2, "a")
    past.run("b", "queued running")
    past.run("b", "running queued", attempt=2)
    past.job(4, "todo", "b", attempt=2, order=3)
    past.job(1, "gone", "b")
    past.runs_well(3, "c")
    past.runs_well(4, "b", attempt=2)
    assert past.found() == []


def test_a_better_one_is_not_offered(past: Past) -> None:
    past.run("a", "queued")
    past.run("b", "queued")
    past.job(1, "todo", "b")
    past.runs_well(1, "b")
    assert past.found() == ["a was ready, and others were offered before it"]


@pytest.mark.parametrize("order", [1, 0])
def test_offers_are_not_in_order(past: Past, order: int) -> None:
    past.run("a", "queued")
    past.run("b", "queued")
    past.job(1, "todo", "b", turn="x", order=order)
    past.job(2, "todo", "a", turn="x", order=0)
    past.runs_well(1, "b")
    past.runs_well(2, "a")
    assert past.found() == ["['b', 'a'] are not offered in their order"]


def test_what_has_ended_is_offered(past: Past) -> None:
    past.run("a", "queued")
    past.run("a", "queued cancelled")
    past.job(1, "todo", "a")
    past.job(1, "gone", "a")
    assert past.found() == ["a is offered in attempt 1, which cannot start"]


def test_one_is_offered_while_a_host_has_it(past: Past) -> None:
    past.run("a", "queued")
    past.job(1, "todo", "a")
    past.job(1, "doing", "a")
    past.job(2, "todo", "a")
    past.job(2, "gone", "a")
    past.run("a", "queued running")
    past.job(1, "gone", "a")
    assert past.found() == ["a was offered while a host had it"]


def test_one_may_be_claimed_by_who_had_its_job(past: Past) -> None:
    past.run("a", "queued")
    past.job(1, "todo", "a")
    past.job(1, "doing", "a")
    past.job(1, "gone", "a")
    past.job(2, "todo", "a")
    past.run("a", "queued running")
    past.job(2, "doing", "a")
    past.job(2, "gone", "a")
    assert past.found() == []


def test_one_is_claimed_by_who_has_no_job(past: Past) -> None:
    past.run("a", "queued")
    past.run("a", "queued running")
    assert past.found() == ["a was claimed, and no host had its job"]


def test_jobs_are_left_over(past: Past) -> None:
    past.run("a", "queued")
    past.job(1, "todo", "a")
    past.job(1, "doing", "a")
    assert past.found() == ["job 1 is left"]
