"""What actions print and log, and what anything else does meanwhile.

Imports pytest, and aura_aio's engine.
"""

import asyncio
import contextvars
import logging
import sys
import threading
from pathlib import Path

import pytest

from aura_aio.engine.capture import MAX_PARTIAL, captured_output, flush_output
from aura_aio.engine.context import ActionContext, RunIdentity, current_call
from aura_aio.model.clock import SystemClock
from tests.engine.harness import Journal

RUN = RunIdentity("c", "p", "t", 1, "w")


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def call(journal: Journal, tmp_path: Path) -> ActionContext:
    return ActionContext(
        RUN, step="s", action="a", journal=journal, clock=SystemClock(), data_root=tmp_path
    )


def within(call: ActionContext, *texts: str, stream: str = "stdout") -> None:
    token = current_call.set(call)
    for text in texts:
        getattr(sys, stream).write(text)
    current_call.reset(token)


def test_lines_are_whole(call: ActionContext, journal: Journal) -> None:
    with captured_output():
        within(call, "a", "b\nc", "\n\n", "d")
        assert journal.messages() == ["ab", "c", ""]
        flush_output(call)
    assert journal.messages() == ["ab", "c", "", "d"]


def test_a_line_without_an_end_is_not_held_for_ever(call: ActionContext, journal: Journal) -> None:
    with captured_output():
        within(call, "x" * MAX_PARTIAL)
        assert journal.messages() == []
        within(call, "x")
    assert journal.messages() == ["x" * (MAX_PARTIAL + 1)]


def test_errors_are_warnings(call: ActionContext, journal: Journal) -> None:
    with captured_output():
        within(call, "oh\n", stream="stderr")
    (line,) = journal.lines
    assert (line.level, line.logger, line.message) == ("warning", "stderr", "oh")


def test_what_is_no_actions_goes_where_it_went_before(
    journal: Journal, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with captured_output():
        sys.stdout.write("out\n")
        sys.stderr.write("err\n")
        sys.stdout.flush()
        logging.getLogger("x").warning("logged")
    assert capsys.readouterr() == ("out\n", "err\n")
    assert caplog.messages == ["logged"]
    assert journal.lines == []


def test_everything_is_as_before_when_it_is_over() -> None:
    root = logging.getLogger()
    before = (sys.stdout, sys.stderr, root.level, list(root.handlers))
    with captured_output():
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr, root.level, list(root.handlers)) == before


def test_a_bad_log_record_is_not_the_actions_fault(
    call: ActionContext, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured_output():
        token = current_call.set(call)
        logging.raiseExceptions = False
        logging.getLogger("x").info("%d", "no number")
        logging.raiseExceptions = True
        current_call.reset(token)
    assert journal.messages() == []


def test_threads_that_inherit_the_context_speak_for_their_call(
    call: ActionContext, journal: Journal
) -> None:
    with captured_output():
        token = current_call.set(call)
        context = contextvars.copy_context()
        current_call.reset(token)
        thread = threading.Thread(target=context.run, args=(sys.stdout.write, "from a thread\n"))
        thread.start()
        thread.join()
    assert journal.messages() == ["from a thread"]


async def test_calls_at_the_same_time_keep_their_lines_apart(
    journal: Journal, tmp_path: Path
) -> None:
    async def speak(step: str) -> None:
        call = ActionContext(
            RUN, step=step, action="a", journal=journal, clock=SystemClock(), data_root=tmp_path
        )
        current_call.set(call)
        for part in ("one ", "two ", "three\n"):
            sys.stdout.write(part)
            await asyncio.get_running_loop().run_in_executor(None, int)

    with captured_output():
        await asyncio.gather(speak("a"), speak("b"))
    assert sorted((line.step, line.message) for line in journal.lines) == [
        ("a", "one two three"),
        ("b", "one two three"),
    ]
