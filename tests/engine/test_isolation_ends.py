"""Calls in a process of their own: how it ends, and that nothing else does with it.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from aura_aio.model.plan import OnException, Step, Task, TaskMeta
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, call
from tests.engine.isolated import cancelled, failure, isolated_bench, with_limit
from tests.engine.processes import LONG, is_gone, limited, pid_in
from tests.forking import STARTERS
from tests.waiting import until


@pytest.fixture(params=STARTERS)
def table(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with isolated_bench(tmp_path, request.param()) as table:
        yield table


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
