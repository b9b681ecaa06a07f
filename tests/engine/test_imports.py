"""The imports of actions: what a run does not wait for.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aura_aio.model.plan import Step
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, task
from tests.engine.stubborn import LONG, SHORT, Actions, stubborn_bench


@pytest.fixture
def actions() -> Iterator[Actions]:
    actions = Actions()
    yield actions
    actions.let_go.set()


@pytest.fixture
def table(actions: Actions, tmp_path: Path) -> Iterator[Bench]:
    with stubborn_bench(actions, tmp_path) as table:
        yield table


async def test_an_import_that_does_not_end_is_left_behind_when_the_run_is_cancelled(
    table: Bench, actions: Actions
) -> None:
    stuck = asyncio.get_running_loop().create_future()
    runner = table.runner(task(Step("a", "waits")))
    run = asyncio.ensure_future(runner.run([stuck]))
    asyncio.get_running_loop().call_soon(lambda: runner.cancel(grace_sec=SHORT))
    assert (await run).event is RunEvent.STOPPED
    assert runner.abandoned
    assert actions.calls == 0
    assert not stuck.cancelled()  # others may wait for it


async def test_a_kill_does_not_wait_for_an_import(table: Bench, actions: Actions) -> None:
    stuck = asyncio.get_running_loop().create_future()
    runner = table.runner(task(Step("a", "waits")))
    run = asyncio.ensure_future(runner.run([stuck]))
    asyncio.get_running_loop().call_soon(lambda: runner.cancel(grace_sec=LONG))
    asyncio.get_running_loop().call_later(SHORT, lambda: runner.cancel(grace_sec=0))
    async with asyncio.timeout(LONG / 2):
        assert (await run).event is RunEvent.STOPPED
    assert runner.abandoned


async def test_an_import_that_ends_within_the_grace_leaves_nothing_behind(
    table: Bench, actions: Actions
) -> None:
    slow = asyncio.get_running_loop().create_future()
    runner = table.runner(task(Step("a", "waits")))
    run = asyncio.ensure_future(runner.run([slow]))
    asyncio.get_running_loop().call_soon(lambda: runner.cancel(grace_sec=LONG))
    asyncio.get_running_loop().call_later(SHORT, lambda: slow.set_result(None))
    assert (await run).event is RunEvent.STOPPED
    assert not runner.abandoned
    assert actions.calls == 0


async def test_an_import_takes_from_the_time_of_the_run(table: Bench, actions: Actions) -> None:
    stuck = asyncio.get_running_loop().create_future()
    runner = table.runner(task(Step("a", "waits")), timeout_sec=SHORT)
    assert (await runner.run([stuck])).event is RunEvent.TIME_OUT
    assert runner.abandoned
    assert actions.calls == 0


async def test_no_step_begins_before_its_import_is_done(table: Bench, actions: Actions) -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    run = asyncio.ensure_future(table.runner(task(Step("a", "at_once"))).run([first, second]))
    loop.call_soon(lambda: first.set_result(None))
    asked: list[int] = []

    def then() -> None:
        asked.append(len(table.journal.records))
        second.set_exception(ValueError("it is the step's to tell"))

    loop.call_later(SHORT, then)
    assert (await run).event is RunEvent.SUCCEED
    assert asked == [0]
