"""The Journal of a worker: what its Runners report, sent in order and within the log credit.

May import `worker.frames`, the engine's journal port and model.
"""

import asyncio
import threading
from collections import Counter, deque
from typing import Final

from aura_aio.model.log import LogLine
from aura_aio.model.run import Outcome, StepRecord
from aura_aio.worker.frames import (
    LOG_BATCH_LINES,
    Credit,
    Finished,
    FrameWriter,
    Logs,
    Progress,
    Steps,
    Sync,
    Synced,
)

HIGH_WATER_LINES: Final = 2048


class Outbox:
    """Implements `engine.journal.Journal`; `log` and `progress` may be called from any thread.

    Lines wait here for credit. A thread that logs while more than `HIGH_WATER_LINES` wait is held
    until there is room; a coroutine cannot be held, so a Runner awaits `room` before each step.
    """

    def __init__(self, frames: FrameWriter, *, log_credit: int) -> None:
        self._frames = frames
        self._credit = log_credit
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._lines: deque[LogLine] = deque()
        self._unsent: Counter[str] = Counter()
        self._ended: dict[str, Outcome] = {}
        # What the collector ends meanwhile may log as well, in the same thread.
        self._lock = threading.RLock()
        self._guard = threading.Condition(self._lock)
        self._flush_is_due = False
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self._begun: dict[tuple[str, int, str], Steps] = {}
        self._syncs: dict[int, asyncio.Event] = {}
        self._asked = 0
        self._all_asked_for = True

    def log(self, line: LogLine) -> None:
        """Send a line; blocks the calling thread while too many wait, but never the loop."""
        on_loop = threading.get_ident() == self._loop_thread
        with self._lock:  # it is taken for each line, and a Condition takes it in Python
            if not on_loop and len(self._lines) >= HIGH_WATER_LINES:
                self._guard.wait_for(lambda: self._has_room() or self._closed)
            if self._closed:
                return
            self._lines.append(line)
            if line.cid is not None:
                self._unsent[line.cid] += 1
            flush_is_due, self._flush_is_due = self._flush_is_due, True
        if not flush_is_due:
            if on_loop:
                self._loop.call_soon(self._flush)
            else:
                self._loop.call_soon_threadsafe(self._flush)

    def step(self, record: StepRecord) -> None:
        """Report a step that began or ended (on the loop). One that has ended before its begin has
        left has one record.
        """
        frame, key = Steps((record,)), (record.cid, record.attempt, record.step)
        begin = self._begun.pop(key, None)
        if begin is None or not self._frames.replace(begin, frame):
            self._frames.send_soon(frame)
        if record.finished_at is None:
            self._begun[key] = frame
        self._all_asked_for = False

    async def synced(self) -> None:
        """Return when every step that was reported before this call is on disk."""
        if not self._all_asked_for:
            self._all_asked_for = True
            self._asked += 1
            self._syncs[self._asked] = asyncio.Event()
            self._frames.send(Sync(self._asked))
        on_disk = self._syncs.get(self._asked)
        if on_disk is not None:
            await on_disk.wait()

    def is_synced(self, synced: Synced) -> None:
        """Let go what waits for that answer (on the loop)."""
        self._syncs.pop(synced.number).set()

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Report how far a run has come."""
        frame = Progress(cid, fraction, message)
        if threading.get_ident() == self._loop_thread:
            self._frames.send(frame)
        else:
            self._loop.call_soon_threadsafe(self._frames.send, frame)

    async def room(self) -> None:
        """Return when few enough lines wait."""
        await self._room.wait()

    def finished(self, outcome: Outcome) -> None:
        """Report the end of an attempt, after the last of its lines (on the loop)."""
        if self._unsent[outcome.cid]:
            self._ended[outcome.cid] = outcome
        else:
            del self._unsent[outcome.cid]
            self._frames.send(Finished(outcome))

    def credited(self, credit: Credit) -> None:
        """Send what waits for the credit that came back (on the loop)."""
        self._credit += credit.lines
        self._flush()

    def close(self) -> None:
        """Let go every thread that waits; what is logged from now on is lost with the link."""
        with self._guard:
            self._closed = True
            self._guard.notify_all()
        self._room.set()

    def _has_room(self) -> bool:
        return len(self._lines) < HIGH_WATER_LINES

    def _flush(self) -> None:
        with self._guard:
            self._flush_is_due = False
            count = min(self._credit, len(self._lines))
            lines = [self._lines.popleft() for _ in range(count)]
            self._credit -= count
            self._unsent.subtract(Counter([line.cid for line in lines if line.cid is not None]))
            if self._has_room():
                self._room.set()
                self._guard.notify_all()
            else:
                self._room.clear()
        for start in range(0, count, LOG_BATCH_LINES):
            self._frames.send(Logs(tuple(lines[start : start + LOG_BATCH_LINES])))
        self._frames.flush()
        for cid in [cid for cid in self._ended if not self._unsent[cid]]:
            self.finished(self._ended.pop(cid))
