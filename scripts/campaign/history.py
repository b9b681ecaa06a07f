"""What becomes of each run, in order: written down by the database itself, in each transaction.

Imports the standard library only.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_INSTALL = """
CREATE TABLE IF NOT EXISTS campaign_runs (
    id INTEGER PRIMARY KEY, at REAL, cid TEXT, was TEXT, state TEXT, attempt INTEGER,
    priority INTEGER, rank INTEGER, arrival TEXT, delayed INTEGER
);
CREATE TRIGGER IF NOT EXISTS campaign_run_added AFTER INSERT ON runs BEGIN
    INSERT INTO campaign_runs VALUES (
        NULL, (julianday('now') - 2440587.5) * 86400, NEW.cid, NULL, NEW.state, NEW.attempt,
        NEW.priority, NEW.rank, NEW.arrival, NEW.delayed
    );
END;
CREATE TRIGGER IF NOT EXISTS campaign_run_changed
AFTER UPDATE OF state, attempt, priority, rank, arrival, delayed ON runs BEGIN
    INSERT INTO campaign_runs VALUES (
        NULL, (julianday('now') - 2440587.5) * 86400, NEW.cid, OLD.state, NEW.state, NEW.attempt,
        NEW.priority, NEW.rank, NEW.arrival, NEW.delayed
    );
END;
CREATE TABLE IF NOT EXISTS campaign_steps (
    id INTEGER PRIMARY KEY, at REAL, cid TEXT, step TEXT, status TEXT
);
CREATE TRIGGER IF NOT EXISTS campaign_step_added AFTER INSERT ON steps BEGIN
    INSERT INTO campaign_steps VALUES (
        NULL, (julianday('now') - 2440587.5) * 86400, NEW.cid, NEW.step, NEW.status
    );
END;
CREATE TRIGGER IF NOT EXISTS campaign_step_changed AFTER UPDATE OF status ON steps BEGIN
    INSERT INTO campaign_steps VALUES (
        NULL, (julianday('now') - 2440587.5) * 86400, NEW.cid, NEW.step, NEW.status
    );
END;
"""
_LEGAL = {
    (None, "queued"),
    ("queued", "queued"),
    ("queued", "running"),
    ("queued", "cancelled"),
    ("running", "running"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "timed_out"),
    ("running", "cancelling"),
    ("running", "queued"),
    ("cancelling", "cancelling"),
    ("cancelling", "cancelled"),
    ("cancelling", "succeeded"),
}
"""The table of the design, without its events; what changes no state is a change of order."""


class Change(NamedTuple):
    """One change of a run: its state before and after it, and its place in the queue after it."""

    cid: str
    was: str | None
    state: str
    attempt: int
    priority: int
    rank: int
    arrival: str
    delayed: int

    @property
    def place(self) -> tuple[int, int, str]:
        """What it is dispatched by: the smallest first."""
        return -self.priority, self.rank, self.arrival


def install(database: sqlite3.Connection) -> None:
    """Have the database write it down from now on."""
    database.executescript(_INSTALL)


def changes(database: sqlite3.Connection) -> list[Change]:
    """All changes of runs, in order."""
    rows = database.execute(
        "SELECT cid, was, state, attempt, priority, rank, arrival, delayed"
        " FROM campaign_runs ORDER BY id"
    )
    return [Change(*row) for row in rows]


def first_successes(database: sqlite3.Connection) -> dict[tuple[str, str], float]:
    """When each step of each run (cid, step) was first kept as succeeded."""
    rows = database.execute(
        "SELECT cid, step, min(at) FROM campaign_steps WHERE status = 'succeeded'"
        " GROUP BY cid, step"
    )
    return {(cid, step): at for cid, step, at in rows}


def illegal(history: Sequence[Change]) -> Iterator[str]:
    """Changes that the table of states does not have, and attempts that do not count by one."""
    attempts: dict[str, int] = {}
    for change in history:
        if (change.was, change.state) not in _LEGAL:
            yield f"{change.cid} went from {change.was} to {change.state}"
        before = attempts.get(change.cid, 1)
        again = (change.was, change.state) == ("running", "queued")
        if change.attempt != before + again:
            yield f"{change.cid} went from attempt {before} to {change.attempt}"
        attempts[change.cid] = change.attempt


def overtaken(history: Sequence[Change]) -> Iterator[str]:
    """Runs that were ready and better placed than one that was claimed."""
    ready: dict[str, Change] = {}
    claimed: list[Change] = []
    for change in history:
        is_claim = (change.was, change.state) == ("queued", "running")
        if claimed and not is_claim:
            yield from _left_behind(ready, claimed)
            claimed = []
        if change.state == "queued" and not change.delayed:
            ready[change.cid] = change
        else:
            ready.pop(change.cid, None)
        if is_claim:
            claimed.append(change)
    if claimed:
        yield from _left_behind(ready, claimed)


def _left_behind(ready: dict[str, Change], claimed: Sequence[Change]) -> Iterator[str]:
    worst = max(claimed, key=lambda change: change.place)
    for waiting in ready.values():
        if waiting.place < worst.place:
            yield f"{waiting.cid} was ready, and {worst.cid} was claimed before it"
            return
