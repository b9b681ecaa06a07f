"""How many lines a run may log: what passes, what is left out, and what its log says of it.

Imports pytest's fixtures, the harness, and aura_aio's engine, model and settings of runs.
"""

import threading

from aura_aio import ActionContext
from aura_aio.engine.log_rate import LogRate
from aura_aio.model.clock import SystemClock
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.plan import Step
from aura_aio.run_settings import RunSettings
from tests.engine.harness import MakeBench, task

PER_SEC = 10
AT_ONCE = 100


class Hand(SystemClock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Speaker:
    """Says numbered lines, one after the other; `heard` is what passes."""

    def __init__(self, per_sec: int = PER_SEC) -> None:
        self.clock = Hand()
        self.rate = LogRate(per_sec, self.clock)
        self.heard: list[LogLine] = []
        self.said = 0

    def say(self, times: int) -> list[str]:
        """Say so many lines; what is heard of them."""
        before = len(self.heard)
        for _ in range(times):
            line = LogLine(self.clock.now(), LogLevel.INFO, "a", str(self.said), step="s")
            self.heard += self.rate.passing(line)
            self.said += 1
        return [line.message for line in self.heard[before:]]


def test_so_many_lines_pass_at_once_and_then_so_many_a_second() -> None:
    speaker = Speaker()
    assert speaker.say(AT_ONCE) == [str(number) for number in range(AT_ONCE)]
    for _ in range(30):
        speaker.clock.at += 1
        speaker.say(PER_SEC)
    assert [line.message for line in speaker.heard] == [str(n) for n in range(AT_ONCE + 300)]


def test_what_is_left_out_is_told_when_it_begins_and_when_it_is_over() -> None:
    speaker = Speaker()
    speaker.say(AT_ONCE)
    (begun,) = speaker.say(1)
    assert begun == (
        "The run logs too much: lines are left out (log_lines_per_sec: 10 may be logged a second)."
    )
    speaker.clock.at = 0.9
    assert speaker.say(1500) == []
    speaker.clock.at = 1.0
    told, passed = speaker.say(1)
    assert passed == "1601"
    assert told == (
        "1,501 lines were left out between 1970-01-01T00:00:00.000000Z and "
        "1970-01-01T00:00:00.900000Z (log_lines_per_sec: 10 may be logged a second)."
    )
    mark = speaker.heard[-2]
    assert (mark.level, mark.logger, mark.step) == (LogLevel.WARNING, "aura.engine", "s")
    assert mark.data == {
        "left_out": 1501,
        "since": "1970-01-01T00:00:00.000000Z",
        "until": "1970-01-01T00:00:00.900000Z",
    }


def test_a_gap_lasts_a_second_so_that_marks_are_few() -> None:
    speaker = Speaker()
    speaker.say(AT_ONCE)
    for _ in range(100):
        speaker.clock.at += 0.1
        speaker.say(PER_SEC)
    marks = [line for line in speaker.heard if line.data is not None]
    assert 8 <= len(marks) <= 11
    speaker.heard += speaker.rate.rest()
    assert speaker.rate.rest() == ()
    left_out = sum(line.data["left_out"] for line in speaker.heard if line.data is not None)
    assert left_out + sum(line.logger == "a" for line in speaker.heard) == speaker.said


def test_without_a_limit_all_pass() -> None:
    speaker = Speaker(per_sec=0)
    assert len(speaker.say(5000)) == 5000
    assert speaker.rate.rest() == ()


async def test_a_step_that_says_too_much_has_its_errors_and_the_next_step_its_lines(
    make_bench: MakeBench,
) -> None:
    said = 5000

    def shout(context: ActionContext) -> None:
        threads = [threading.Thread(target=shout_half, args=(context,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        raise ValueError("too loud")

    def shout_half(context: ActionContext) -> None:
        for number in range(said // 2):
            context.log(number)

    table = make_bench(shout, allowed=RunSettings(log_lines_per_sec=PER_SEC))
    await table.run(task(Step("a", "shout")))
    lines = table.journal.lines
    heard = sum(line.logger == "shout" for line in lines)
    marks = [line for line in lines if line.data and "left_out" in line.data]
    assert heard < said / 2
    assert heard + sum(line.data["left_out"] for line in marks if line.data) == said
    error = next(line for line in lines if line.level is LogLevel.ERROR)
    assert error.message == "Step 'a' failed: ValueError: too loud"
    assert lines[-2:] == [error, marks[-1]]
    other = make_bench(shout)
    await other.run(task(Step("a", "shout")))
    assert len(other.journal.lines) == said + 1
