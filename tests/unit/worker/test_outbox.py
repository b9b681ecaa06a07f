"""What a worker says of steps: no more records than there is news. What it says of lines.

Imports aura_aio.model, the worker's outbox and frames, and pytest.
"""

import asyncio
from collections.abc import Callable
from threading import Thread

import pytest

from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.run import Outcome, StepRecord
from aura_aio.model.states import RunEvent
from aura_aio.worker.frames import Finished, Steps, ToServer, read_for_server
from aura_aio.worker.outbox import Outbox
from tests.unit.worker.conftest import Ends


class Heard:
    """An outbox, and what the other end of its link hears."""

    def __init__(self, ends: Ends) -> None:
        self.outbox = Outbox(ends.frames, log_credit=100)
        self._reader = ends.reader

    async def next(self) -> tuple[ToServer, ...]:
        """The next packet."""
        async with asyncio.timeout(10):
            return await read_for_server(self._reader)


@pytest.fixture
async def heard(ends: Ends) -> Heard:
    """An outbox of its own."""
    return Heard(ends)


def begin(step: str) -> StepRecord:
    """That a step has begun."""
    return StepRecord("c", 1, step, "running", started_at=1.0)


def end(step: str) -> StepRecord:
    """That it has ended."""
    return StepRecord("c", 1, step, "success", started_at=1.0, finished_at=2.0)


async def test_a_step_that_ends_at_once_has_one_record_and_travels_with_its_run(
    heard: Heard,
) -> None:
    outcome = Outcome("c", 1, RunEvent.SUCCEED, finished_at=2.0)
    heard.outbox.step(begin("a"))
    heard.outbox.step(end("a"))
    heard.outbox.step(begin("b"))
    heard.outbox.step(end("b"))
    heard.outbox.finished(outcome)
    assert await heard.next() == (Steps((end("a"),)), Steps((end("b"),)), Finished(outcome))


async def test_a_step_that_takes_a_while_has_two(heard: Heard) -> None:
    heard.outbox.step(begin("a"))
    assert await heard.next() == (Steps((begin("a"),)),)
    heard.outbox.step(end("a"))
    assert await heard.next() == (Steps((end("a"),)),)


async def test_steps_of_the_same_name_in_two_runs_are_two(heard: Heard) -> None:
    other = StepRecord("d", 1, "a", "success", started_at=1.0, finished_at=2.0)
    heard.outbox.step(begin("a"))
    heard.outbox.step(other)
    assert await heard.next() == (Steps((begin("a"),)), Steps((other,)))


class Interrupted(str):
    """A text at whose use something else happens, once, as when Python's collector ends what was in
    use of nobody.
    """

    __slots__ = ("happens",)

    happens: Callable[[], None] | None

    def __hash__(self) -> int:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return super().__hash__()


async def test_what_ends_while_a_line_is_taken_may_log_as_well(ends: Ends) -> None:
    outbox, cid = Outbox(ends.frames, log_credit=0), Interrupted("c")
    cid.happens = lambda: outbox.log(line("c"))
    thread = Thread(target=outbox.log, args=(line(cid),), daemon=True)
    thread.start()
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()


def line(cid: str) -> LogLine:
    """A line of a run."""
    return LogLine(1.0, LogLevel.INFO, "a", "said", cid=cid)
