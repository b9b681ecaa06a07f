"""Runs that do not end by themselves: cancelled, out of time, left by an action that cannot be
stopped.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aura_aio import ActionContext
from aura_aio.engine.capture import captured_output
from aura_aio.engine.runner import Runner
from aura_aio.model.clock import SystemClock
from aura_aio.model.plan import DependsOn, Loop, OnException, Step, Task, TaskMeta
from aura_aio.model.run import Outcome
from aura_aio.model.states import RunEvent
from tests.engine.harness import Bench, bench
from tests.waiting import until

LONG = 30.0
SHORT = 0.05


class Actions:
    """Actions that say when they began, and end when the test lets them, if at all."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.cleaned_up = False
        self.saw_cancelled = False
        self.calls = 0

    async def waits(self) -> None:
        self.calls += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.get_running_loop().run_in_executor(None, int)
            self.cleaned_up = True

    async def swallows(self, context: ActionContext) -> None:
        self.begun.set()
        while not self.let_go.is_set():
            try:
                await until(self.let_go.is_set, within=LONG)
            except asyncio.CancelledError:
                self.saw_cancelled = True
        context.log("too late")

    async def shrugs(self) -> str:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "as if nothing had happened"
        raise AssertionError

    async def objects(self) -> None:
        self.calls += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("while cleaning up")

    def starts_more(self, context: ActionContext) -> None:
        def more() -> None:
            self.let_go.wait(LONG)
            context.log("too late")
            context.progress(1)
            self.cleaned_up = True

        threading.Thread(target=more).start()

    def listens(self, context: ActionContext) -> None:
        self.begun.set()
        while not context.cancelled:
            self.let_go.wait(0.005)
        self.saw_cancelled = True

    def blocks(self, context: ActionContext) -> None:
        self.calls += 1
        self.begun.set()
        self.let_go.wait(LONG)
        self.saw_cancelled = context.cancelled
        context.log("too late")

    async def at_once(self) -> int:
        return 1

    async def fails(self) -> None:
        self.begun.set()
        raise ValueError


@pytest.fixture
def actions() -> Iterator[Actions]:
    actions = Actions()
    yield actions
    actions.let_go.set()


@pytest.fixture
def table(actions: Actions, tmp_path: Path) -> Iterator[Bench]:
    functions = {name: getattr(actions, name) for name in vars(Actions) if name[0] != "_"}
    with bench(tmp_path, functions, grace_sec=SHORT) as table:
        yield table
        actions.let_go.set()


def task(*steps: Step, **more: Any) -> Task:
    return Task("case", "t", steps=steps, **more)


async def cancelled(
    runner: Runner, actions: Actions, *, grace_sec: float, then_kill: bool = False
) -> Outcome:
    """The outcome of a run that is cancelled when its action has begun."""
    with captured_output():
        run = asyncio.ensure_future(runner.run())
        await until(actions.begun.is_set)
        runner.cancel(grace_sec=grace_sec)
        if then_kill:
            runner.cancel(grace_sec=0)
        return await run


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
        from tests.engine.harness import THREADS  # noqa: PLC0415 - it belongs to this bench

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
