"""What was offered to hosts as jobs, held against the queue: written down by the database as well.

Imports the standard library, and `history` of the campaign.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from campaign.history import Change

Attempt = tuple[str, int]
"""The cid of a run, and the number of its attempt."""


class JobChange(NamedTuple):
    """A change of a job, or its end (`gone`), in a transaction (`turn`)."""

    id: int
    turn: str
    job: int
    cid: str
    attempt: int
    status: str
    priority: int


def amiss(database: sqlite3.Connection) -> Iterator[str]:
    """Offers that are not the next runs of the queue in its order, or are made of what a host has
    taken; claims of what nobody has taken; jobs that are left over. Who was cut off may claim what
    it has taken when its job has been given to others: the row decides who is first.
    """
    rows = database.execute(
        "SELECT id, cid, was, state, attempt, priority, rank, arrival, delayed FROM campaign_runs"
    )
    events: list[tuple[int, Change | JobChange]] = [(row[0], Change(*row[1:])) for row in rows]
    rows = database.execute(
        "SELECT id, turn, job, cid, attempt, status, priority FROM campaign_jobs"
    )
    events += [(row[0], JobChange(*row)) for row in rows]
    events.sort(key=lambda event: event[0])
    last_of = {
        event.turn: event.id
        for _, event in events
        if isinstance(event, JobChange) and event.status == "todo"
    }
    offers = _Offers()
    for id_, event in events:
        if isinstance(event, Change):
            yield from offers.run_changed(event)
        else:
            yield from offers.job_changed(event)
            if last_of.get(event.turn) == id_:
                yield from offers.misplaced()
    yield from offers.left()


class _Offers:
    """Runs that are ready, and jobs, as of one change after the other."""

    def __init__(self) -> None:
        self._ready: dict[Attempt, Change] = {}
        self._waiting: dict[int, JobChange] = {}
        self._taken: dict[int, Attempt] = {}
        self._given_back: set[Attempt] = set()
        self._ever_taken: set[Attempt] = set()

    def run_changed(self, change: Change) -> Iterator[str]:
        """A run has changed."""
        attempt = (change.cid, change.attempt)
        self._ready.pop(attempt, None)
        if change.state == "queued" and not change.delayed:
            self._ready[attempt] = change
        is_claim = (change.was, change.state) == ("queued", "running")
        if is_claim and attempt not in self._ever_taken:
            yield f"{change.cid} was claimed, and no host had its job"

    def job_changed(self, change: JobChange) -> Iterator[str]:
        """A job was made, moved, taken or removed."""
        attempt = (change.cid, change.attempt)
        if change.status == "todo":
            if attempt in self._taken.values():
                yield f"{change.cid} was offered while a host had it"
            self._waiting[change.job] = change
            return
        self._waiting.pop(change.job, None)
        if change.status == "doing":
            self._taken[change.job] = attempt
            self._ever_taken.add(attempt)
        elif self._taken.pop(change.job, None) is not None:
            # Who offers at the same time may still see that a host has it.
            self._given_back.add(attempt)

    def misplaced(self) -> Iterator[str]:
        """What is amiss now that offers were made."""
        jobs = sorted(self._waiting.values(), key=lambda job: (-job.priority, job.job))
        offered = [(job.cid, job.attempt) for job in jobs]
        for each in offered:
            if each not in self._ready:
                yield f"{each[0]} is offered in attempt {each[1]}, which cannot start"
        places = [self._ready[each].place for each in offered if each in self._ready]
        if places != sorted(places):
            yield f"{[cid for cid, _ in offered]} are not offered in their order"
        known = {*offered, *self._taken.values(), *self._given_back}
        for attempt, change in self._ready.items():
            if attempt not in known and places and change.place < max(places):
                yield f"{change.cid} was ready, and others were offered before it"
        self._given_back.clear()

    def left(self) -> Iterator[str]:
        """What is left at last."""
        for job in (*self._waiting, *self._taken):
            yield f"job {job} is left"
