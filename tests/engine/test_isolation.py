"""Calls in a process of their own: what they can do, as all others.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aura_aio.model.plan import DependsOn, Isolation, OnException, Step, Task
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, call
from tests.engine.isolated import failure, isolated_bench
from tests.engine.processes import LONG, pid_in
from tests.forking import STARTERS
from tests.waiting import until


@pytest.fixture(params=STARTERS)
def table(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with isolated_bench(tmp_path, request.param()) as table:
        yield table


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
