"""What actions print and log, and what anything else does meanwhile.

Imports pytest, and aura_aio's engine.
"""

import asyncio
import contextvars
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aura_aio.engine.capture import MAX_PARTIAL, captured_output, flush_output
from aura_aio.engine.context import ActionContext, RunIdentity, current_call
from aura_aio.model.clock import SystemClock
from tests.engine.harness import Bench, Journal, bench, write_plan

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


@pytest.fixture
def other(journal: Journal, tmp_path: Path) -> ActionContext:
    return ActionContext(
        RUN, step="other", action="a", journal=journal, clock=SystemClock(), data_root=tmp_path
    )


def test_threads_that_an_action_starts_speak_for_its_call(
    call: ActionContext, journal: Journal
) -> None:
    class Speaker(threading.Thread):
        def run(self) -> None:
            sys.stdout.write("from a class\n")

    def speak() -> None:
        sys.stdout.write("half")
        logging.getLogger("x").warning("logged")

    with captured_output():
        token = current_call.set(call)
        threads = [Speaker(), threading.Thread(target=speak), threading.Timer(0, speak)]
        for thread in threads:
            thread.start()
        current_call.reset(token)
        for thread in threads:
            thread.join()
        flush_output(call)
    expected = ["from a class", "half", "half", "logged", "logged"]
    assert sorted(journal.messages("s")) == expected


def test_a_pool_of_threads_speaks_for_whoever_hands_it_work(
    call: ActionContext, other: ActionContext, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured_output(), ThreadPoolExecutor(1) as pool:
        for who, text in ((call, "one\n"), (other, "two\n"), (None, "three\n")):
            token = current_call.set(who)
            assert pool.submit(sys.stdout.write, text).result() == len(text)
            current_call.reset(token)
    assert [(line.step, line.message) for line in journal.lines] == [("s", "one"), ("other", "two")]
    assert capsys.readouterr().out == "three\n"


def test_threads_start_as_before_when_it_is_over() -> None:
    before = (threading.Thread.start, ThreadPoolExecutor.submit)
    with captured_output():
        assert threading.Thread.start is not before[0]
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == before


def test_bytes_are_lines_too(call: ActionContext, journal: Journal) -> None:
    with captured_output():
        token = current_call.set(call)
        for part in (b"gr\xc3", b"\xbcn\n", b"\xff", memoryview(b"!\n")):
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        sys.stdout.write(os.fsdecode(b"caf\xe9\n"))
        with pytest.raises(TypeError):
            sys.stdout.write(b"x")  # type: ignore[arg-type]
        current_call.reset(token)
    assert journal.messages() == ["grün", "\\xff!", "caf\\xe9"]


def test_bytes_that_are_no_actions_go_where_they_went_before(
    journal: Journal, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with captured_output():
        sys.stdout.buffer.write(b"\xff")
        sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"\xff"
    assert journal.lines == []


def test_a_stream_of_an_action_is_no_terminal_and_takes_utf_8(call: ActionContext) -> None:
    with captured_output():
        token = current_call.set(call)
        sys.stdout.reconfigure(encoding="latin-1")  # type: ignore[union-attr]
        found = (sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.writable())
        current_call.reset(token)
    assert found == (False, "utf-8", True)


PLAN = {
    "actions.py": """
import logging, warnings
from aura_aio import action

@action
def warn():
    warnings.warn("mind the gap")
    logging.getLogger(__name__).debug("in detail")
    logging.getLogger("library").debug("in too much detail")
    logging.getLogger("library").info("as it should be", stack_info=True)
""",
    "tasks/t.yaml": "steps: {a: {action: warn}}",
}


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path, catalog=write_plan(tmp_path / "plans", PLAN)) as table:
        yield table


async def test_a_warning_is_one_line_in_every_run(table: Bench) -> None:
    for _ in range(2):
        await table.run()
    found = [(line.level.value, line.message.partition("\n")[0]) for line in table.journal.lines]
    once = [
        ("warning", "UserWarning: mind the gap (actions.py:7)"),
        ("debug", "in detail"),
        ("info", "as it should be"),
    ]
    assert found == once * 2
    assert "Stack (most recent call last)" in table.journal.messages()[-1]


def test_a_warning_that_is_no_actions_is_shown_as_before(journal: Journal) -> None:
    with pytest.warns(UserWarning, match="mind the gap"), captured_output():
        warnings.showwarning("mind the gap", UserWarning, "file.py", 7)
    assert journal.lines == []
