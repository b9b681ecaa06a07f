"""Holds what has happened against what was promised.

Imports the standard library, and `history`, `offers`, `plan` and `record` of the campaign.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from campaign.history import changes, first_successes, illegal, overtaken
from campaign.offers import amiss
from campaign.plan import POLICIES, Call, read_ledger
from campaign.record import Record

TERMINAL = {"succeeded", "failed", "timed_out", "cancelled"}
STEPS = {"once": "abcd", "again": "abcd", "onward": "abcd", "endless": "a"}
MAX_ATTEMPTS = 3
OF_A_LOST_WORKER = {"WorkerLost", "PoisonRun"}


def violations(
    database: Path,
    ledger: Path,
    record: Record,
    *,
    is_fleet: bool = False,
    has_jobs: bool = False,
) -> list[str]:
    """Everything that is not as it was promised; what is checked stands in the functions below.

    In a fleet a host that is cut off goes on, as far as it gets, with what others have begun anew:
    nobody can tell it. What it reports is not taken, which is checked. Where runs are offered as
    jobs, several hosts take them at the same time, and claim what they have taken each in its time:
    there the order is that of the offers.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")  # all that is read is of one moment
        runs = _Runs(connection)
        calls = list(read_ledger(ledger))
        history = changes(connection)
        return [
            *_missing(runs, record),
            *_not_as_answered(runs, record),
            *_keys(connection, runs, record),
            *_ended_oddly(runs, calls),
            *_run_twice(runs, calls, first_successes(connection), is_fleet=is_fleet),
            *illegal(history),
            *(amiss(connection) if has_jobs else overtaken(history)),
            *_log_gaps(connection),
            *_wrong_figures(connection),
        ]


class _Runs:
    """The runs in the database, by cid."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.state: dict[str, str] = {}
        self.task: dict[str, str] = {}
        self.attempt: dict[str, int] = {}
        self.priority: dict[str, int] = {}
        self.error: dict[str, str | None] = {}
        rows = connection.execute(
            "SELECT cid, state, task_name, attempt, priority, error FROM runs"
        )
        for cid, state, task, attempt, priority, error in rows:
            self.state[cid] = state
            self.task[cid] = task
            self.attempt[cid] = attempt
            self.priority[cid] = priority
            self.error[cid] = error


def _missing(runs: _Runs, record: Record) -> Iterator[str]:
    """No acknowledged run is missing, or left over."""
    for cid, task in record.runs.items():
        if runs.task.get(cid) != task:
            yield f"{cid} ({task}) was accepted, and there is {runs.task.get(cid)}"
    for cid, state in runs.state.items():
        if state not in TERMINAL:
            yield f"{cid} is left {state}"


def _not_as_answered(runs: _Runs, record: Record) -> Iterator[str]:
    """What was cancelled in the queue never ran; a cancel of a run that runs ends it, unless it was
    done first; the last priority that was acknowledged is the one that it has.
    """
    for cid in record.gone:
        if runs.state.get(cid) != "cancelled":
            yield f"{cid} was cancelled in the queue, and is {runs.state.get(cid)}"
    for cid in record.cancelled - record.gone:
        if runs.state.get(cid) not in ("cancelled", "succeeded"):
            yield f"{cid} was to be cancelled, and is {runs.state.get(cid)}"
    for cid, priority in record.priorities.items():
        if priority is not None and runs.priority.get(cid) != priority:
            yield f"{cid} has priority {runs.priority.get(cid)}, not {priority}"


def _keys(connection: sqlite3.Connection, runs: _Runs, record: Record) -> Iterator[str]:
    """One key, one answer; and no run that nobody asked for."""
    for key, answered in record.keys.items():
        if len(answered) != 1:
            yield f"the key {key} was answered with {sorted(answered)}"
    kept = {
        key: json.loads(cids)
        for key, cids in connection.execute("SELECT key, cids FROM idempotency")
    }
    known = set(record.runs)
    for key, cids in kept.items():
        known.update(cids)
        if key not in record.keys and key not in record.unanswered:
            yield f"the key {key} is none of ours"
    for cid in runs.state.keys() - known:
        yield f"{cid} is a run that nobody asked for"


def _ended_oddly(runs: _Runs, calls: list[Call]) -> Iterator[str]:
    """What succeeded has done all its steps; what failed has lost its worker."""
    done: set[tuple[str, str]] = {(call.cid, call.step) for call in calls if call.word == "end"}
    for cid, state in runs.state.items():
        if state == "succeeded":
            steps = STEPS[runs.task[cid]]
            if missing := [step for step in steps if (cid, step) not in done]:
                yield f"{cid} has succeeded without {missing}"
        elif state in ("failed", "timed_out"):
            error = json.loads(runs.error[cid] or "{}")
            if error.get("type") not in OF_A_LOST_WORKER:
                yield f"{cid} has {state}: {error}"


def _run_twice(
    runs: _Runs, calls: list[Call], kept: dict[tuple[str, str], float], *, is_fleet: bool
) -> Iterator[str]:
    """No step begins twice in one attempt, or at all where the policy forbids it; none that is kept
    as finished begins under `resume`; and no attempt goes on once a later one has begun, but in a
    fleet.
    """
    begun: Counter[tuple[str, int, str]] = Counter()
    newest: dict[str, int] = {}
    for call in calls:
        if call.word != "begin":
            continue
        begun[call.cid, call.attempt, call.step] += 1
        policy = POLICIES[runs.task.get(call.cid, "once")]
        if call.attempt > (1 if policy == "fail" else MAX_ATTEMPTS):
            yield f"{call.cid} ({policy}) has begun attempt {call.attempt}"
        if policy == "resume" and call.at > kept.get((call.cid, call.step), call.at):
            yield f"{call.cid} has begun {call.step} again, which was kept as finished"
        if call.attempt < newest.get(call.cid, 0) and not is_fleet:
            yield f"{call.cid} has begun {call.step} in attempt {call.attempt}, after a later one"
        newest[call.cid] = max(newest.get(call.cid, 0), call.attempt)
    for (cid, attempt, step), times in begun.items():
        if times > 1:
            yield f"{cid} has begun {step} {times} times in attempt {attempt}"


def _log_gaps(connection: sqlite3.Connection) -> Iterator[str]:
    """The numbers of log entries have no gap, and none is given twice."""
    low, high, count = connection.execute(
        "SELECT min(seq), max(seq), count(*) FROM logs"
    ).fetchone()
    (newest,) = connection.execute(
        "SELECT n FROM counters WHERE name = 'newest_log_seq'"
    ).fetchone()
    if count and (high - low + 1 != count or newest != high):
        yield f"{count} log entries have the numbers {low} to {high}, and the newest is {newest}"


def _wrong_figures(connection: sqlite3.Connection) -> Iterator[str]:
    """The figures that are kept are those that counting gives."""
    kept = dict(connection.execute("SELECT state, n FROM state_counts WHERE n <> 0"))
    counted = dict(connection.execute("SELECT state, count(*) FROM runs GROUP BY state"))
    if kept != counted:
        yield f"the figures say {kept}, counting says {counted}"
    (queued,) = connection.execute("SELECT coalesce(sum(n), 0) FROM queue_counts").fetchone()
    if queued != counted.get("queued", 0):
        yield f"the figures say that {queued} are queued, counting says {counted.get('queued', 0)}"
