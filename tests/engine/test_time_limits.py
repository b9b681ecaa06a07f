"""Runs and steps whose time is over, also those that cannot be stopped.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aura_aio.model.plan import DependsOn, Step, TaskMeta
from aura_aio.model.states import RunEvent
from tests.engine.harness import THREADS, Bench, bench, task
from tests.engine.stubborn import LONG, SHORT, Actions, stubborn_bench
from tests.waiting import until


@pytest.fixture
def actions() -> Iterator[Actions]:
    actions = Actions()
    yield actions
    actions.let_go.set()


@pytest.fixture
def table(actions: Actions, tmp_path: Path) -> Iterator[Bench]:
    with stubborn_bench(actions, tmp_path) as table:
        yield table


async def test_the_time_of_a_run_is_bounded_by_its_tasklet(table: Bench, actions: Actions) -> None:
    outcome = await table.run(task(Step("a", "waits")), timeout_sec=SHORT)
    assert outcome.event is RunEvent.TIME_OUT
    assert outcome.error is not None
    assert outcome.error.message == "The run took longer than 0.05 s."
    assert actions.cleaned_up
    assert table.journal.statuses() == {"a": "cancelled"}


async def test_the_tasklets_limit_goes_before_the_tasks(table: Bench, actions: Actions) -> None:
    long = task(Step("a", "waits"), meta=TaskMeta(timeout_sec=LONG))
    assert (await table.run(long, timeout_sec=SHORT)).event is RunEvent.TIME_OUT


async def test_a_thread_that_outlives_the_time_of_its_run_is_abandoned(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "blocks")), timeout_sec=SHORT)
    assert (await runner.run()).event is RunEvent.TIME_OUT
    assert runner.abandoned


async def test_a_sync_action_fails_as_soon_as_its_time_is_over(
    table: Bench, actions: Actions
) -> None:
    steps = task(
        Step("a", "listens", timeout_sec=SHORT),
        Step("b", "at_once", depends_on=DependsOn("a")),
    )
    runner = table.runner(steps)
    outcome = await runner.run()
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    assert outcome.error.type == "TimeoutError"
    assert outcome.error.message == "The action took longer than 0.05 s."
    await until(lambda: actions.saw_cancelled)
    assert not runner.abandoned
    assert table.journal.statuses() == {"a": "failed", "b": "skipped"}


async def test_a_thread_whose_step_timed_out_and_that_runs_on_is_abandoned(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "blocks", timeout_sec=SHORT)))
    outcome = await runner.run()
    assert outcome.error is not None
    assert outcome.error.type == "TimeoutError"
    assert runner.abandoned
    messages = table.journal.messages()
    actions.let_go.set()
    await until(lambda: actions.saw_cancelled)
    assert table.journal.messages() == messages


async def test_an_async_action_that_swallows_its_timeout_is_abandoned(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "swallows", timeout_sec=SHORT)))
    outcome = await runner.run()
    assert outcome.error is not None
    assert outcome.error.type == "TimeoutError"
    assert runner.abandoned
    actions.let_go.set()
    await until(lambda: len(asyncio.all_tasks()) == 1)


async def test_a_call_that_no_thread_took_up_in_time_is_never_made(
    actions: Actions, tmp_path: Path
) -> None:
    calls: list[int] = []

    def late() -> None:
        calls.append(1)

    with bench(tmp_path, {"blocks": actions.blocks, "late": late}, grace_sec=SHORT) as table:
        blocking = [Step(f"s{n}", "blocks") for n in range(THREADS)]
        runner = table.runner(task(*blocking))
        run = asyncio.ensure_future(runner.run())
        await until(lambda: actions.calls == THREADS)
        outcome = await table.run(task(Step("a", "late", timeout_sec=SHORT)))
        assert outcome.error is not None
        assert outcome.error.type == "TimeoutError"
        actions.let_go.set()
        assert (await run).event is RunEvent.SUCCEED
    assert calls == []
