"""Calls in a process of their own: what they can do, and what they cannot do to others.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.engine.runner import Runner
from aura_aio.model.plan import DependsOn, Isolation, OnException, Step, Task, TaskMeta
from aura_aio.model.run import Outcome
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, bench, write_plan
from tests.engine.processes import LONG, is_gone, limited, pid_in
from tests.waiting import until

ACTIONS = """
import asyncio
import ctypes
import enum
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from aura_aio import ActionContext, action


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    colour: Colour


@action(isolation="process")
def where(context: ActionContext) -> dict:
    return {
        "pid": os.getpid(),
        "cid": context.cid,
        "step": context.step,
        "plan": context.plan_name,
        "task": context.task_name,
        "attempt": context.attempt,
        "worker": context.run.worker,
        "data": str(context.data_dir),
        "cancelled": context.cancelled,
        "main": threading.current_thread() is threading.main_thread(),
        "stdin": sys.stdin.read(),
    }


@action
def pid() -> int:
    return os.getpid()


@action
async def async_pid() -> int:
    await asyncio.sleep(0)
    return os.getpid()


@action(isolation="process")
def convert(points: list[Point], when: Path, n: int = 3) -> dict:
    return {"points": points, "names": [each.colour.name for each in points], "when": when, "n": n}


@action(isolation="process")
def speak(context: ActionContext) -> None:
    print("printed")
    sys.stderr.write("an error\\n")
    sys.stdout.buffer.write(b"bytes\\n")
    logging.getLogger(__name__).debug("in detail")
    logging.getLogger("library").info("a library")
    warnings.warn("mind the gap")
    context.log("logged", level="error", n=1)
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()
    print("half", end="")
    context.progress(0.5, "half way")


@action(isolation="process")
def shout() -> None:
    os.write(1, b"one\\ntwo")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    os.write(2, b"the end, without an end")


@action(isolation="process")
def big(size: int) -> str:
    return "x" * size


@action(isolation="process")
def echo(value):
    return value


@action(isolation="process")
def no_json():
    return object()


@action(isolation="process")
def remember(context: ActionContext) -> int:
    context.state["n"] = context.state.get("n", 0) + 1
    return context.state["n"]


class Odd(LookupError):
    pass


@action(isolation="process")
def raises(kind: str = "Odd") -> None:
    if kind == "Odd":
        raise Odd("so odd")
    raise {"exit": SystemExit, "stop": KeyboardInterrupt, "cancel": asyncio.CancelledError}[kind]


@action(isolation="process")
def fails_once(file: str) -> str:
    if not Path(file).exists():
        Path(file).touch()
        raise Odd("the first time")
    return "then not"


@action(isolation="process")
def exits() -> None:
    print("before the end")
    os._exit(3)


@action(isolation="process")
def crashes() -> None:
    ctypes.string_at(0)


@action(isolation="process")
def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@action(isolation="process")
def hoards() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (256 << 20, 256 << 20))
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


@action(isolation="process")
def garbles() -> None:
    for number in range(3, 20):
        try:
            os.write(number, b"\\xff" * 4096)
        except OSError:
            pass
    while True:
        time.sleep(1)


@action(isolation="process")
def hangs_up() -> None:
    os.closerange(3, 256)
    while True:
        time.sleep(1)


@action(isolation="process")
def spins(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        pass


@action(isolation="process")
def spins_in_c(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    10 ** 10 ** 10


@action(isolation="process")
def cleans_up(file: str) -> None:
    try:
        Path(file).write_text(str(os.getpid()))
        while True:
            pass
    finally:
        print("cleaned up")


@action(isolation="process")
def cleans_up_late(file: str, context: ActionContext) -> None:
    try:
        Path(file).write_text(str(os.getpid()))
        threading.Event().wait()
    finally:
        print("cleaned up")


@action(isolation="process")
def is_polite(file: str, context: ActionContext) -> str:
    Path(file).write_text(str(os.getpid()))
    while not context.cancelled:
        time.sleep(0.01)
    print("ended when told")
    return "ended"


@action(isolation="process")
async def waits(file: str) -> None:
    try:
        Path(file).write_text(str(os.getpid()))
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("cleaned up")


@action(isolation="process")
async def swallows(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("not me")


@action(isolation="process")
def ignores_all(file: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(file).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


@action(isolation="process")
def has_children(file: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(file).write_text(str(child.pid))
    while True:
        time.sleep(1)


@action(isolation="process")
def leaves_children(file: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(file).write_text(str(child.pid))


@action(isolation="process")
def leaves_a_fork(file: str) -> None:
    child = os.fork()
    if not child:
        while True:
            time.sleep(1)
    Path(file).write_text(str(child))
    os._exit(4)


@action(isolation="process")
def leaves_a_thread() -> str:
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return "gone"
"""

BROKEN = """
from aura_aio import action
import no_such_module


@action(isolation="process")
def never() -> None: ...
"""

LOUD = """
import os
from aura_aio import action

print("imported", os.getpid())


@action(isolation="process")
def loud() -> int:
    return os.getpid()
"""


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Bench]:
    files = {
        "actions/some.py": ACTIONS,
        "actions/broken.py": BROKEN,
        "actions/loud.py": LOUD,
        "tasks/t.yaml": "steps: {a: {action: log, params: {message: x}}}",
    }
    catalog = write_plan(tmp_path / "plans", files)
    assert not catalog.plan("case").errors
    with bench(tmp_path / "data", catalog=catalog, grace_sec=0.4) as table:
        yield table


def call(action: str, **params: Any) -> Task:
    return Task("case", "t", steps=(Step("a", action, params),), returns="{{ nodes.a.output }}")


def with_limit(seconds: float, action: str, **params: Any) -> Task:
    return Task("case", "t", steps=(Step("a", action, params, timeout_sec=seconds),))


async def failure(table: Bench, task: Task) -> Any:
    """The error of a run that must fail."""
    outcome = await table.run(task)
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    return outcome.error


async def cancelled(
    table: Bench, task: Task, file: Path, grace_sec: float
) -> tuple[Outcome, Runner]:
    """The outcome of a run that is cancelled when its action has begun."""
    runner = table.runner(task)
    run = asyncio.ensure_future(runner.run())
    await pid_in(file)
    runner.cancel(grace_sec=grace_sec)
    return await run, runner


async def test_a_call_is_made_in_another_process_with_all_that_an_action_is_given(
    table: Bench, tmp_path: Path
) -> None:
    found = await table.result(call("where"))
    assert found.pop("pid") != os.getpid()
    assert found == {
        "cid": "cid-1",
        "step": "a",
        "plan": "case",
        "task": "t",
        "attempt": 1,
        "worker": "w1",
        "data": str(tmp_path / "data" / "plans" / "case"),
        "cancelled": False,
        "main": True,
        "stdin": "",
    }


@pytest.mark.parametrize("action", ["pid", "async_pid"])
async def test_a_step_can_ask_for_it_too(table: Bench, action: str) -> None:
    step = Step("a", action, isolation=Isolation.PROCESS)
    isolated = Task("case", "t", steps=(step,), returns="{{ nodes.a.output }}")
    assert await table.result(isolated) != os.getpid()
    assert await table.result(call(action)) == os.getpid()


async def test_parameters_and_results_are_converted_as_everywhere(table: Bench) -> None:
    points = [{"x": "1", "colour": "red"}]
    found = await table.result(call("convert", points=points, when="a/b"))
    assert found == {
        "points": [{"x": 1, "colour": "red"}],
        "names": ["RED"],
        "when": "a/b",
        "n": 3,
    }
    error = await failure(table, call("convert", points=[{"x": 1}], wen="a"))
    assert error.type == "BadParameters"
    assert "no parameter 'wen'. Did you mean 'when'?" in error.message
    assert "'points[0]' does not fit: Object missing required field `colour`" in error.message


async def test_a_result_that_is_no_json_or_too_long_fails_the_step(table: Bench) -> None:
    error = await failure(table, call("no_json"))
    assert error.type == "ResultNotJson"
    assert "The result of step 'a' cannot be written as JSON" in error.message
    error = await failure(table, call("big", size=20_000_000))
    assert error.type == "ResultNotJson"


async def test_big_results_and_parameters_travel_whole(table: Bench) -> None:
    assert await table.result(call("big", size=10_000_000)) == "x" * 10_000_000
    value = {"text": "ü" * 1_000_000, "n": [2**70, 1.5, None, True]}
    assert await table.result(call("echo", value=value)) == value


async def test_everything_that_an_action_says_is_in_the_log(table: Bench) -> None:
    await table.result(call("speak"))
    found = {(line.level.value, line.logger, line.message) for line in table.journal.lines}
    library = {each for each in found if each[1].startswith("aura_plan_case_")}
    assert {each[::2] for each in library} == {("debug", "in detail")}
    assert found - library == {
        ("info", "stdout", "printed"),
        ("info", "stdout", "half"),
        ("warning", "stderr", "an error"),
        ("info", "stdout", "bytes"),
        ("info", "library", "a library"),
        ("warning", "warnings", "UserWarning: mind the gap (some.py:69)"),
        ("error", "speak", "logged"),
        ("info", "stdout", "from a thread"),
    }
    assert {(line.cid, line.step, line.worker) for line in table.journal.lines} == {
        ("cid-1", "a", "w1")
    }
    assert [line.data for line in table.journal.lines if line.message == "logged"] == [{"n": 1}]
    assert table.journal.reports == [("cid-1", 0.5, "half way")]


async def test_what_goes_past_python_is_in_the_log_as_well(table: Bench) -> None:
    await table.result(call("shout"))
    found = [(line.logger, line.message) for line in table.journal.lines]
    assert found == [
        ("output", "one"),
        ("output", "twofrom a child"),
        ("output", "the end, without an end"),
    ]


async def test_lines_come_while_the_call_goes_on(table: Bench, tmp_path: Path) -> None:
    runner = table.runner(call("is_polite", file=str(tmp_path / "pid")))
    run = asyncio.ensure_future(runner.run())
    await pid_in(tmp_path / "pid")
    runner.cancel(grace_sec=LONG)
    await until(table.journal.messages, within=LONG)
    assert table.journal.messages() == ["ended when told"]
    assert (await run).event is RunEvent.STOPPED


async def test_changes_of_the_state_are_kept(table: Bench) -> None:
    steps = (Step("a", "remember"), Step("b", "remember", depends_on=DependsOn("a")))
    task = Task("case", "t", steps=steps, returns="{{ [nodes.b.output, state.n] }}")
    assert await table.result(task) == [2, 2]
    assert table.journal.last("b").state == {"n": b"2"}


async def test_an_exception_is_told_as_it_was_raised(table: Bench) -> None:
    error = await failure(table, call("raises"))
    assert (error.type, error.message, error.step) == ("Odd", "so odd", "a")
    assert 'some.py", line' in error.traceback
    assert 'raise Odd("so odd")' in error.traceback
    assert "guest.py" not in error.traceback


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("exit", "SystemExit"), ("stop", "KeyboardInterrupt"), ("cancel", "CancelledError")],
)
async def test_what_is_no_exception_fails_the_step_too(table: Bench, kind: str, type_: str) -> None:
    assert (await failure(table, call("raises", kind=kind))).type == type_


@pytest.mark.parametrize(
    ("retry_on", "tries"),
    [
        (None, 2),
        (("Odd",), 2),
        (("LookupError",), 2),
        (("builtins.LookupError",), 2),
        (("OSError",), 1),
    ],
)
async def test_an_exception_is_retried_by_the_names_of_its_classes(
    table: Bench, tmp_path: Path, retry_on: tuple[str, ...] | None, tries: int
) -> None:
    again = OnException(retry=1, retry_on=retry_on)
    step = Step("a", "fails_once", {"file": str(tmp_path / "x")}, on_exception=again)
    await table.run(Task("case", "t", steps=(step,)))
    assert table.journal.last("a").tries == tries
    if tries == 2:
        assert "Try 1 failed (Odd: the first time)" in table.journal.messages()[0]


async def test_a_module_that_cannot_be_imported_fails_its_calls_once(table: Bench) -> None:
    step = Step("a", "never", on_exception=OnException(retry=3))
    error = await failure(table, Task("case", "t", steps=(step,)))
    assert error.type == "ModuleNotFoundError"
    assert "actions/broken.py cannot be imported: No module named 'no_such_module'" in error.message
    assert table.journal.last("a").tries == 1


async def test_the_worker_does_not_import_what_runs_elsewhere(table: Bench) -> None:
    pid = await table.result(call("loud"))
    assert table.journal.messages() == [f"imported {pid}"]
    assert not [name for name in sys.modules if name.endswith("actions.loud")]


@pytest.mark.parametrize(
    ("action", "how"),
    [
        ("exits", "ended with exit code 3."),
        ("crashes", "was ended by SIGSEGV."),
        ("is_killed", "was ended by SIGKILL (killed from outside, or out of memory)."),
        ("garbles", "said what cannot be understood, and was killed."),
        ("hangs_up", "did not end, and was killed."),
    ],
)
async def test_the_end_of_the_process_fails_the_step_alone(
    table: Bench, action: str, how: str
) -> None:
    other = asyncio.ensure_future(table.run(call("big", size=10)))
    error = await failure(table, call(action))
    assert error.type == "ProcessLost"
    assert error.message == f"The process of action {action!r} {how}"
    assert error.traceback is None
    assert (await other).event is RunEvent.SUCCEED


async def test_what_was_said_before_the_end_of_the_process_is_not_lost(table: Bench) -> None:
    await failure(table, call("exits"))
    assert table.journal.messages()[0] == "before the end"


async def test_a_crash_leaves_its_stack_in_the_log(table: Bench) -> None:
    await failure(table, call("crashes"))
    messages = table.journal.messages()
    assert "Fatal Python error: Segmentation fault" in messages
    assert any('some.py", line' in each and "in crashes" in each for each in messages)


async def test_a_lost_process_can_be_retried(table: Bench) -> None:
    again = OnException(retry=1, retry_on=("ProcessLost",))
    await table.run(Task("case", "t", steps=(Step("a", "exits", on_exception=again),)))
    assert table.journal.last("a").tries == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
async def test_too_much_memory_is_the_actions_error(table: Bench) -> None:
    assert (await failure(table, call("hoards"))).type == "MemoryError"


@pytest.mark.parametrize("action", ["spins", "spins_in_c", "ignores_all", "swallows"])
async def test_a_cancel_ends_what_does_not_listen_and_the_worker_goes_on(
    table: Bench, tmp_path: Path, action: str
) -> None:
    file = tmp_path / "pid"
    outcome, runner = await cancelled(table, call(action, file=str(file)), file, 0.4)
    assert outcome.event is RunEvent.STOPPED
    assert not runner.abandoned
    assert table.journal.statuses() == {"a": "cancelled"}
    pid = await pid_in(file)
    await until(lambda: is_gone(pid))


async def test_a_cancel_without_grace_kills_at_once(table: Bench, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    task = call("is_polite", file=str(file))
    outcome, runner = await cancelled(table, task, file, 0)
    assert outcome.event is RunEvent.STOPPED
    assert not runner.abandoned
    pid = await pid_in(file)
    await until(lambda: is_gone(pid))
    assert table.journal.messages() == []


async def test_a_kill_after_a_cancel_does_not_wait_for_its_grace(
    table: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    runner = table.runner(call("spins", file=str(file)))
    run = asyncio.ensure_future(runner.run())
    pid = await pid_in(file)
    runner.cancel(grace_sec=1000)
    runner.cancel(grace_sec=0)
    assert (await run).event is RunEvent.STOPPED
    assert not runner.abandoned
    await until(lambda: is_gone(pid))


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("cleans_up", "cleaned up"),
        ("cleans_up_late", "cleaned up"),
        ("waits", "cleaned up"),
        ("is_polite", "ended when told"),
        ("swallows", "not me"),
    ],
)
async def test_a_call_that_is_cancelled_can_clean_up(
    table: Bench, tmp_path: Path, action: str, said: str
) -> None:
    file = tmp_path / "pid"
    at_once = {"cleans_up", "waits", "is_polite"}
    grace_sec = 1000.0 if action in at_once else 2.0
    outcome, runner = await cancelled(table, call(action, file=str(file)), file, grace_sec)
    assert outcome.event is RunEvent.STOPPED
    assert not runner.abandoned
    assert said in table.journal.messages()


@pytest.mark.parametrize("action", ["spins", "spins_in_c", "ignores_all", "swallows", "waits"])
async def test_a_time_limit_ends_the_process(table: Bench, tmp_path: Path, action: str) -> None:
    file = tmp_path / "pid"
    outcome, runner = await limited(
        table, lambda seconds: with_limit(seconds, action, file=str(file)), file
    )
    assert outcome.error is not None
    assert outcome.error.type == "TimeoutError"
    assert outcome.error.message.startswith("The action took longer than ")
    assert not runner.abandoned
    assert is_gone(await pid_in(file))
    assert ("cleaned up" in table.journal.messages()) == (action == "waits")


async def test_the_limit_of_a_run_ends_the_process_too(table: Bench, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    spins = call("spins", file=str(file))
    outcome, runner = await limited(
        table, lambda seconds: replace(spins, meta=TaskMeta(timeout_sec=seconds)), file
    )
    assert outcome.event is RunEvent.TIME_OUT
    assert not runner.abandoned
    pid = await pid_in(file)
    await until(lambda: is_gone(pid))


async def test_the_end_of_the_worker_itself_kills(table: Bench, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    run = asyncio.ensure_future(table.runner(call("spins", file=str(file))).run())
    pid = await pid_in(file)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await until(lambda: is_gone(pid))


async def test_what_the_process_started_is_cancelled_with_it(table: Bench, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    await cancelled(table, call("has_children", file=str(file)), file, 0.2)
    pid = await pid_in(file)
    await until(lambda: is_gone(pid))


@pytest.mark.parametrize("action", ["leaves_children", "leaves_a_fork"])
async def test_what_the_process_started_ends_with_it(
    table: Bench, tmp_path: Path, action: str
) -> None:
    file = tmp_path / "pid"
    async with asyncio.timeout(LONG):
        await table.run(call(action, file=str(file)))
    pid = await pid_in(file)
    await until(lambda: is_gone(pid))


async def test_a_thread_that_is_left_behind_does_not_keep_the_process(table: Bench) -> None:
    async with asyncio.timeout(LONG):
        assert await table.result(call("leaves_a_thread")) == "gone"


async def test_a_run_that_is_cancelled_before_the_process_is_there_starts_nothing(
    table: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    runner = table.runner(call("spins", file=str(file)))
    run = asyncio.ensure_future(runner.run())
    await until(lambda: table.journal.records)
    runner.cancel(grace_sec=0)
    assert (await run).event is RunEvent.STOPPED
    assert not runner.abandoned
    assert not file.exists()
