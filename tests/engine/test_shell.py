"""Programs that tasks run: what comes of them, and how they are ended.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aura_aio.engine.builtin.shell import MAX_BYTES
from aura_aio.model.plan import OnException, Step, Task
from aura_aio.model.run import RunError
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, bench
from tests.engine.processes import LONG, is_gone, limited, pid_in
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs programs of POSIX")


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "data", {}, grace_sec=1.0, allow_shell=True) as table:
        yield table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of the plan."""
    folder = tmp_path / "data" / "plans" / "case"
    folder.mkdir(parents=True)
    return folder


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def run(command: Any, timeout: float | None = None, **params: Any) -> Task:
    step = Step("a", "shell.run", {"command": command, **params}, timeout_sec=timeout)
    return Task("case", "t", steps=(step,), returns="{{ nodes.a.output }}")


def in_shell(command: Any, timeout: float | None = None, **params: Any) -> Task:
    params["shell"] = True
    return run(command, timeout, **params)


async def failure(table: Bench, task: Task) -> RunError:
    """The error of a run that must fail."""
    outcome = await table.run(task)
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    return outcome.error


async def test_a_program_gives_its_exit_code_and_its_outputs(table: Bench) -> None:
    code = "import sys; print('out', 'ü'); sys.stderr.write('err'); print(sys.argv[1:])"
    found = await table.result(run([*python(code), "$HOME *", 7]))
    assert found == {"exit_code": 0, "stdout": "out ü\n['$HOME *', '7']\n", "stderr": "err"}
    lines = {(line.level.value, line.logger, line.message) for line in table.journal.lines}
    assert lines == {
        ("info", "stdout", "out ü"),
        ("info", "stdout", "['$HOME *', '7']"),
        ("warning", "stderr", "err"),
    }


async def test_lines_are_in_the_log_as_they_come(table: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    code = f"""
import os, time
print("one", flush=True)
while not os.path.exists({str(gate)!r}):
    time.sleep(0.01)
"""
    running = asyncio.ensure_future(table.run(run(python(code))))
    await until(table.journal.messages, within=LONG)
    assert table.journal.messages() == ["one"]
    gate.touch()
    assert (await running).event is RunEvent.SUCCEED


async def test_a_program_gets_input_environment_and_folder(table: Bench, folder: Path) -> None:
    (folder / "sub").mkdir()
    code = "import os, sys; print(sys.stdin.read(), os.environ['WORD'], os.getcwd(), sep='|')"
    params: dict[str, Any] = {"input": "in", "env": {"WORD": 5}, "cwd": "sub"}
    found = await table.result(run(python(code), **params))
    assert found["stdout"] == f"in|5|{folder / 'sub'}\n"
    assert "WORD" not in os.environ
    found = await table.result(run(python("import os; print(os.getcwd())")))
    assert found["stdout"] == f"{folder}\n"


async def test_input_that_nobody_reads_is_no_fault(table: Bench) -> None:
    assert (await table.result(run(["true"], input="x" * 1_000_000)))["exit_code"] == 0


async def test_an_exit_code_fails_the_step_unless_it_is_not_checked(table: Bench) -> None:
    command = python("import sys; print('so far'); sys.exit('so bad')")
    error = await failure(table, run(command))
    assert (error.type, error.message) == (
        "CommandFailed",
        "The command ended with exit code 1: so bad",
    )
    found = await table.result(run(command, check=False))
    assert found == {"exit_code": 1, "stdout": "so far\n", "stderr": "so bad\n"}
    error = await failure(table, in_shell("kill -9 $$"))
    assert error.message == "The command was ended by signal 9."


async def test_a_shell_must_be_asked_for(table: Bench) -> None:
    found = await table.result(in_shell("echo $((1 + 1)) | cat"))
    assert found["stdout"] == "2\n"
    error = await failure(table, run("echo 1"))
    assert error.type == "BadParameters"
    assert "say 'shell: true'" in error.message
    error = await failure(table, in_shell(["echo"]))
    assert "with 'shell: true' the command is one text" in error.message
    assert "is empty" in (await failure(table, run([]))).message


@pytest.mark.parametrize(
    ("command", "cwd", "message"),
    [
        (["no-such-program"], ".", "There is no program 'no-such-program'."),
        (["true"], "nowhere", "There is no folder 'nowhere' to run the command in."),
    ],
)
async def test_what_is_not_there_is_named(
    table: Bench, command: list[str], cwd: str, message: str
) -> None:
    assert (await failure(table, run(command, cwd=cwd))).message == message


async def test_the_result_is_bounded_and_the_log_is_not(table: Bench) -> None:
    lines, width = 300, 10_000
    code = f"print(('x' * {width} + chr(10)) * {lines}, end='')"
    found = await table.result(run(python(code)))
    assert found["stdout"].startswith("x" * width + "\n")
    assert found["stdout"].endswith(f"… (cut: there were {lines * (width + 1):,} bytes)")
    assert len(found["stdout"]) < MAX_BYTES + 100
    assert table.journal.messages() == ["x" * width] * lines


async def test_a_line_without_an_end_is_cut_in_the_log(table: Bench) -> None:
    found = await table.result(run(python("print('x' * 300_000, end='')")))
    assert found["stdout"] == "x" * 300_000
    assert "".join(table.journal.messages()) == "x" * 300_000
    assert len(table.journal.messages()) > 1


async def test_what_a_program_leaves_running_holds_up_nothing(table: Bench, folder: Path) -> None:
    found = await table.result(in_shell("sleep 1000 & echo $! > pid; echo done"))
    assert found["stdout"] == "done\n"
    pid = await pid_in(folder / "pid")
    await until(lambda: is_gone(pid))


TREE = "trap 'echo told; exit 0' TERM; sleep 1000 & echo $! > child; echo $$ > pid; wait"
STUBBORN = "trap '' TERM; echo $$ > pid; while true; do sleep 0.1; done"


async def test_a_cancel_ends_the_program_and_what_it_started(table: Bench, folder: Path) -> None:
    runner = table.runner(in_shell(TREE))
    running = asyncio.ensure_future(runner.run())
    pids = [await pid_in(folder / "pid"), await pid_in(folder / "child")]
    runner.cancel(grace_sec=LONG)
    async with asyncio.timeout(LONG):
        assert (await running).event is RunEvent.STOPPED
    assert not runner.abandoned
    assert "told" in table.journal.messages()
    await until(lambda: all(map(is_gone, pids)))


async def test_a_cancel_kills_what_does_not_end(table: Bench, folder: Path) -> None:
    runner = table.runner(in_shell(STUBBORN))
    running = asyncio.ensure_future(runner.run())
    pid = await pid_in(folder / "pid")
    runner.cancel(grace_sec=1.0)
    assert (await running).event is RunEvent.STOPPED
    assert not runner.abandoned
    await until(lambda: is_gone(pid))


@pytest.mark.parametrize("limit", ["timeout", "timeout_sec"])
async def test_a_time_limit_ends_the_program(table: Bench, folder: Path, limit: str) -> None:
    def task(seconds: float) -> Task:
        return in_shell(TREE, **{limit: seconds})

    outcome, runner = await limited(table, task, folder / "pid")
    assert outcome.error is not None
    assert outcome.error.type == "TimeoutError"
    what = "action" if limit == "timeout" else "command"
    assert outcome.error.message.startswith(f"The {what} took longer than ")
    assert not runner.abandoned
    pids = [await pid_in(folder / "pid"), await pid_in(folder / "child")]
    await until(lambda: all(map(is_gone, pids)))


async def test_it_is_off_by_default(tmp_path: Path) -> None:
    with bench(tmp_path, {}) as table:
        error = await failure(table, run(["true"]))
    assert error.type == "ActionOff"
    assert "start the server with --allow-shell" in error.message


async def test_it_can_be_retried(table: Bench) -> None:
    again = OnException(retry=1, retry_on=("CommandFailed",))
    step = Step("a", "shell.run", {"command": ["false"]}, on_exception=again)
    assert (await table.run(Task("case", "t", steps=(step,)))).event is RunEvent.FAIL
    assert table.journal.last("a").tries == 2
