"""Runs that are cancelled, at every moment of their life.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aura_aio.model.clock import SystemClock
from aura_aio.model.plan import DependsOn, Loop, OnException, Step
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, task
from tests.engine.stubborn import LONG, SHORT, Actions, cancelled, stubborn_bench
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


async def test_cancel_interrupts_an_async_action_which_may_clean_up(
    table: Bench, actions: Actions
) -> None:
    steps = task(Step("a", "waits"), Step("b", "at_once", depends_on=DependsOn("a")))
    runner = table.runner(steps)
    outcome = await cancelled(runner, actions, grace_sec=LONG)
    assert outcome.event is RunEvent.STOPPED
    assert outcome.error is not None
    assert outcome.error.type == "Stopped"
    assert outcome.result is None
    assert actions.cleaned_up
    assert not runner.abandoned
    assert table.journal.statuses() == {"a": "cancelled"}
    assert table.journal.last("a").finished_at is not None


async def test_cancel_stops_an_async_action_with_a_timeout_too(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "waits", timeout_sec=LONG)))
    outcome = await cancelled(runner, actions, grace_sec=LONG)
    assert outcome.event is RunEvent.STOPPED
    assert actions.cleaned_up
    assert not runner.abandoned


async def test_cancel_is_seen_by_a_thread(table: Bench, actions: Actions) -> None:
    runner = table.runner(task(Step("a", "listens")))
    outcome = await cancelled(runner, actions, grace_sec=LONG)
    assert outcome.event is RunEvent.STOPPED
    assert actions.saw_cancelled
    assert not runner.abandoned
    assert table.journal.statuses() == {"a": "cancelled"}


async def test_a_thread_that_does_not_end_is_abandoned_and_says_no_more(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "blocks")))
    outcome = await cancelled(runner, actions, grace_sec=SHORT)
    assert outcome.event is RunEvent.STOPPED
    assert runner.abandoned
    assert table.journal.statuses() == {"a": "cancelled"}
    actions.let_go.set()
    await until(lambda: actions.saw_cancelled)
    assert table.journal.lines == []


async def test_a_kill_after_a_cancel_does_not_wait_for_its_grace(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "blocks")))
    async with asyncio.timeout(LONG / 2):
        outcome = await cancelled(runner, actions, grace_sec=LONG, then_kill=True)
    assert outcome.event is RunEvent.STOPPED
    assert runner.abandoned


async def test_an_async_action_that_swallows_its_cancellation_is_abandoned(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "swallows")))
    outcome = await cancelled(runner, actions, grace_sec=SHORT)
    assert outcome.event is RunEvent.STOPPED
    assert runner.abandoned
    assert actions.saw_cancelled
    assert table.journal.statuses() == {"a": "cancelled"}
    actions.let_go.set()
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert table.journal.lines == []
    assert table.journal.statuses() == {"a": "cancelled"}


async def test_an_action_that_ends_as_if_it_was_not_cancelled_counts_as_cancelled(
    table: Bench, actions: Actions
) -> None:
    steps = task(Step("a", "shrugs"), Step("b", "at_once", depends_on=DependsOn("a")))
    runner = table.runner(steps)
    outcome = await cancelled(runner, actions, grace_sec=LONG)
    assert outcome.event is RunEvent.STOPPED
    assert not runner.abandoned
    assert table.journal.statuses() == {"a": "cancelled"}


async def test_an_action_that_fails_when_it_is_cancelled_is_not_tried_again(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "objects", on_exception=OnException(retry=9))))
    outcome = await cancelled(runner, actions, grace_sec=LONG)
    assert outcome.event is RunEvent.STOPPED
    assert actions.calls == 1
    record = table.journal.last("a")
    assert record.status == "cancelled"
    assert record.error is not None
    assert record.error.message == "while cleaning up"
    assert table.journal.lines == []


async def test_what_an_action_started_says_nothing_when_the_run_is_over(
    table: Bench, actions: Actions
) -> None:
    assert (await table.run(task(Step("a", "starts_more")))).event is RunEvent.SUCCEED
    actions.let_go.set()
    await until(lambda: actions.cleaned_up)
    assert table.journal.lines == []
    assert table.journal.reports == []


async def test_a_run_whose_last_step_is_over_succeeds_in_spite_of_a_cancel(table: Bench) -> None:
    runner = table.runner(task(Step("a", "at_once"), returns="{{ nodes.a.output }}"))
    loop = asyncio.get_running_loop()
    step = table.journal.step

    def cancel_behind(record: Any) -> None:
        step(record)
        if record.status == "success":
            loop.call_soon(lambda: runner.cancel(grace_sec=0))

    table.journal.step = cancel_behind  # type: ignore[method-assign]
    outcome = await runner.run()
    assert (outcome.event, outcome.result) == (RunEvent.SUCCEED, b"1")
    assert not runner.abandoned


async def test_a_run_that_is_cancelled_before_it_begins_calls_nothing(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "waits")))
    runner.cancel(grace_sec=LONG)
    assert (await runner.run()).event is RunEvent.STOPPED
    assert actions.calls == 0
    assert table.journal.records == []


async def test_a_run_is_cancelled_before_its_steps_have_begun(
    table: Bench, actions: Actions
) -> None:
    runner = table.runner(task(Step("a", "waits"), Step("b", "waits")))
    run = asyncio.ensure_future(runner.run())
    asyncio.get_running_loop().call_soon(lambda: runner.cancel(grace_sec=LONG))
    assert (await run).event is RunEvent.STOPPED
    assert actions.calls == 0
    assert not runner.abandoned


async def test_a_kill_does_not_wait_for_what_a_step_left_behind(
    table: Bench, actions: Actions
) -> None:
    object.__setattr__(table.parts, "grace_sec", LONG)
    runner = table.runner(task(Step("a", "blocks", timeout_sec=SHORT)))
    run = asyncio.ensure_future(runner.run())
    await until(lambda: table.journal.statuses() == {"a": "failed"})
    runner.cancel(grace_sec=0)
    async with asyncio.timeout(LONG / 2):
        assert (await run).event is RunEvent.FAIL
    assert runner.abandoned


async def test_cancel_ends_the_pause_before_a_retry(table: Bench, actions: Actions) -> None:
    class Pausing(SystemClock):
        def __init__(self) -> None:
            self.pausing = asyncio.Event()

        async def sleep(self, seconds: float) -> None:
            self.pausing.set()
            await super().sleep(seconds)

    clock = Pausing()
    object.__setattr__(table.parts, "clock", clock)
    again = OnException(retry=9, delay=LONG)
    runner = table.runner(task(Step("a", "fails", on_exception=again)))
    run = asyncio.ensure_future(runner.run())
    await clock.pausing.wait()
    runner.cancel(grace_sec=LONG)
    assert (await run).event is RunEvent.STOPPED
    assert table.journal.last("a").tries == 1


async def test_cancel_ends_the_wait_for_room(table: Bench, actions: Actions) -> None:
    table.journal.full = True
    runner = table.runner(task(Step("a", "at_once")))
    run = asyncio.ensure_future(runner.run())
    await until(lambda: table.journal.asked_for_room)
    runner.cancel(grace_sec=LONG)
    assert (await run).event is RunEvent.STOPPED


async def test_cancel_ends_all_turns_of_a_parallel_loop(table: Bench, actions: Actions) -> None:
    loop = Loop(times=5, parallelism=3)
    runner = table.runner(task(Step("a", "waits", loop=loop)))
    run = asyncio.ensure_future(runner.run())
    await until(lambda: actions.calls == 3)
    runner.cancel(grace_sec=LONG)
    assert (await run).event is RunEvent.STOPPED
    assert actions.calls == 3
    assert table.journal.statuses() == {"a": "cancelled"}


async def test_only_the_cancellation_of_the_whole_worker_is_raised(
    table: Bench, actions: Actions
) -> None:
    run = asyncio.ensure_future(table.runner(task(Step("a", "waits"))).run())
    await until(actions.begun.is_set)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert actions.cleaned_up
    assert len(asyncio.all_tasks()) == 1
