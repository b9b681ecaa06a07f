"""The port through which a run tells of itself.

May import model, and of `engine` `log_rate` and `masking` only.
"""

from typing import Protocol

from aura_aio.engine.log_rate import LogRate
from aura_aio.engine.masking import Mask
from aura_aio.model.log import LogLine
from aura_aio.model.run import StepRecord


class Reports(Protocol):
    """Takes what actions say; may be called from any thread."""

    def log(self, line: LogLine) -> None:
        """Keep a line. Blocks the calling thread, but never the loop, while there is no room for
        it.
        """
        ...

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Keep how far a run has come, from 0 to 1."""
        ...


class Journal(Reports, Protocol):
    """Takes what runs report; every call returns at once, on the loop."""

    def step(self, record: StepRecord) -> None:
        """Keep what a step did; called on the loop when it starts, and again when it is over."""
        ...

    async def room(self) -> None:
        """Return when there is room for more lines. Awaited before each step."""
        ...

    async def synced(self) -> None:
        """Return when all steps that were reported before this call are kept for good. Awaited
        before each step of a run that resumes after a crash.
        """
        ...


class AttemptJournal:
    """A Journal that hands on what is told while the attempt lasts, without the secrets of `mask`,
    and as many lines as `rate` lets pass; what an action that was left behind, or what it started,
    says later is dropped.
    """

    def __init__(self, journal: Journal, mask: Mask, rate: LogRate) -> None:
        self._journal = journal
        self._mask = mask
        self._rate = rate
        self._over = False

    def log(self, line: LogLine) -> None:
        """Hand a line on, or leave it out."""
        if not self._over:
            for passing in self._rate.passing(line):
                self.always_log(passing)

    def always_log(self, line: LogLine) -> None:
        """Hand on a line that is too important to be left out."""
        if not self._over:
            self._journal.log(self._mask.line(line))

    def step(self, record: StepRecord) -> None:
        """Hand a record on; if the step is over, after a line of what was left out."""
        if self._over:
            return
        if record.finished_at is not None:
            self._tell_rest()
        self._journal.step(self._mask.record(record))

    def end(self) -> None:
        """What is told from now on comes too late."""
        self._tell_rest()
        self._over = True

    def _tell_rest(self) -> None:
        for mark in self._rate.rest():
            self.always_log(mark)

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Hand on how far the run has come."""
        if not self._over:
            self._journal.progress(cid, fraction, self._mask.text(message))

    async def room(self) -> None:
        """Return when there is room for more lines."""
        await self._journal.room()

    async def synced(self) -> None:
        """Return when what was reported is kept for good."""
        await self._journal.synced()
