"""Whole runs: what they report on the way, and how they stand beside each other.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aura_aio import ActionContext
from aura_aio.model.log import LogLevel
from aura_aio.model.plan import AllOf, DependsOn, Loop, OnException, Step, Task
from aura_aio.model.run import StepRecord
from aura_aio.model.states import RunEvent
from aura_aio.run_settings import RunSettings
from tests.engine.harness import Bench, MakeBench, QuickClock, bench, task, write_plan
from tests.waiting import until

MAX_MESSAGE = RunSettings().max_line_chars


async def test_a_step_is_reported_when_it_starts_and_when_it_is_over(make_bench: MakeBench) -> None:
    async def act(context: ActionContext) -> dict[str, int]:
        context.log("hello", x=1)
        return {"n": 1}

    table = make_bench(act)
    outcome = await table.run(task(Step("a", "act")))

    begin, end = table.journal.records
    assert begin == StepRecord("cid-1", 1, "a", "running", started_at=begin.started_at, worker="w1")
    assert begin.started_at is not None
    assert end.finished_at is not None
    assert end == StepRecord(
        "cid-1", 1, "a", "success", begin.started_at, end.finished_at, tries=1,
        output=b'{"n":1}', worker="w1",
    )  # fmt: skip
    assert begin.started_at <= table.journal.lines[0].timestamp <= end.finished_at
    assert end.finished_at <= outcome.finished_at
    assert (outcome.cid, outcome.attempt, outcome.event) == ("cid-1", 1, RunEvent.SUCCEED)
    assert outcome.result == b"true"


async def test_a_line_says_where_it_comes_from(make_bench: MakeBench) -> None:
    def act(context: ActionContext) -> None:
        context.log("hello", "warning", x=1, when=object)
        sys.stdout.write("printed\n")
        logging.getLogger("lib").error("failed", exc_info=ValueError("inner"))

    table = make_bench(act)
    await table.run(task(Step("a", "act")))

    hello, printed, failed = table.journal.lines
    for line in (hello, printed, failed):
        assert (line.cid, line.plan_name, line.task_name) == ("cid-1", "case", "t")
        assert (line.step, line.attempt, line.worker) == ("a", 1, "w1")
    assert (hello.level, hello.logger, hello.message) == (LogLevel.WARNING, "act", "hello")
    assert hello.data == {"x": 1, "when": "<class 'object'>"}
    assert (printed.level, printed.logger, printed.message) == (LogLevel.INFO, "stdout", "printed")
    assert (failed.level, failed.logger) == (LogLevel.ERROR, "lib")
    assert failed.message.startswith("failed\n")
    assert failed.message.endswith("ValueError: inner")


async def test_what_cannot_travel_in_a_line_is_made_to(make_bench: MakeBench) -> None:
    class Unprintable:
        def __repr__(self) -> str:
            raise RuntimeError

    def act(context: ActionContext) -> None:
        context.log("\udcff" + "x" * MAX_MESSAGE, big=2**70, odd=Unprintable(), bad="\udcff")

    table = make_bench(act)
    await table.run(task(Step("a", "act")))

    (line,) = table.journal.lines
    assert line.message.startswith("\\udcffxxx")
    assert line.message.endswith(f"… (cut: there were {MAX_MESSAGE + 1:,} characters)")
    assert line.data == {
        "big": str(2**70),
        "odd": "<Unprintable without a repr>",
        "bad": "'\\udcff'",
    }


async def test_progress_is_reported_and_must_be_a_fraction(make_bench: MakeBench) -> None:
    async def act(context: ActionContext, to: float) -> None:
        context.progress(to, "half way")

    table = make_bench(act)
    assert (await table.run(task(Step("a", "act", {"to": 0.5})))).event is RunEvent.SUCCEED
    outcome = await table.run(task(Step("a", "act", {"to": 1.5})))
    assert outcome.error is not None
    assert outcome.error.type == "ValueError"
    assert table.journal.reports == [("cid-1", 0.5, "half way")]


async def test_no_step_starts_while_the_log_has_no_room(make_bench: MakeBench) -> None:
    calls: list[str] = []

    async def act() -> None:
        calls.append("act")

    table = make_bench(act)
    table.journal.full = True
    run = asyncio.ensure_future(table.run(task(Step("a", "act"))))
    await until(lambda: table.journal.asked_for_room)
    assert calls == []
    assert table.journal.records == []
    table.journal.make_room()
    assert (await run).event is RunEvent.SUCCEED
    assert calls == ["act"]


async def test_a_loop_of_actions_that_never_wait_lets_other_runs_have_their_turn(
    make_bench: MakeBench,
) -> None:
    order: list[str] = []

    async def act(who: str) -> None:
        order.append(who)

    table = make_bench(act)
    long = task(Step("a", "act", {"who": "long"}, loop=Loop(times=1000)))
    short = task(Step("a", "act", {"who": "short"}))
    await asyncio.gather(table.run(long), table.run(short))
    assert order.index("short") < 10


async def test_a_fault_of_the_engine_fails_the_run_and_is_logged(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    async def act() -> None: ...

    def broken(record: StepRecord) -> None:
        raise ZeroDivisionError("in the journal")

    table = make_bench(act)
    table.journal.step = broken  # type: ignore[method-assign]
    outcome = await table.run(task(Step("a", "act"), Step("b", "act", depends_on=DependsOn("a"))))
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    assert outcome.error.message == "in the journal"
    assert [record.__dict__["action"] for record in caplog.records] == ["engine_failed"]


async def test_actions_get_copies_of_what_they_are_given(make_bench: MakeBench) -> None:
    async def spoil(values: Any) -> Any:
        values.append("spoilt")
        values[0]["x"] = "spoilt"
        return values

    table = make_bench(spoil)
    step = Step("a", "spoil", {"values": "{{ run.list | default([{'x': 1}]) }}"})
    constant = Step("b", "spoil", {"values": [{"x": 1}]})
    again = Step("c", "spoil", {"values": "{{ nodes.b.output }}"}, depends_on=DependsOn("b"))
    returns = ["{{ nodes.a.output }}", "{{ nodes.b.output | length }}"]
    both = task(step, constant, again, returns=returns)
    expected = [[{"x": "spoilt"}, "spoilt"], 2]
    assert await table.result(both) == expected
    assert await table.result(both) == expected


async def test_a_retry_gets_the_parameters_as_they_were(make_bench: MakeBench) -> None:
    seen: list[list[int]] = []

    async def act(values: list[int]) -> None:
        seen.append(list(values))
        values.clear()
        raise ValueError

    table = make_bench(act, clock=QuickClock())
    again = OnException(retry=2, delay=9)
    await table.run(task(Step("a", "act", {"values": [1]}, on_exception=again)))
    assert seen == [[1], [1], [1]]


async def test_an_action_that_is_gone_fails_its_step(make_bench: MakeBench) -> None:
    table = make_bench()
    outcome = await table.run(task(Step("a", "vanished")))
    assert outcome.error is not None
    assert outcome.error.message == "The plan 'case' has no action 'vanished' any more."


async def test_an_action_of_another_plan_runs_for_the_run_that_calls_it(two_plans: Bench) -> None:
    assert await two_plans.result() == ["case", "mended"]


@pytest.fixture
def two_plans(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "plans" / "tools").mkdir(parents=True)
    (tmp_path / "plans" / "tools" / "actions.py").write_text(
        "from aura_aio import action\n@action\ndef mend(context):\n"
        "    return [context.plan_name, 'mended']\n"
    )
    text = 'steps: {a: {action: tools/mend}}\nreturns: "{{ nodes.a.output }}"'
    catalog = write_plan(tmp_path / "plans", {"tasks/t.yaml": text})
    with bench(tmp_path / "data", catalog=catalog) as table:
        yield table


async def test_a_task_without_steps_succeeds(make_bench: MakeBench) -> None:
    table = make_bench()
    assert await table.result(task(returns={"n": "{{ 1 + 1 }}"})) == {"n": 2}


async def test_runs_of_one_definition_do_not_see_each_other(make_bench: MakeBench) -> None:
    async def act(context: ActionContext) -> str:
        return context.cid

    table = make_bench(act)
    both = task(Step("a", "act"), returns="{{ nodes.a.output }} {{ run.cid }}")
    assert await asyncio.gather(*(table.result(both) for _ in range(3))) == [
        "cid-1 cid-1",
        "cid-2 cid-2",
        "cid-3 cid-3",
    ]


async def test_overhead_is_small_and_grows_linearly(make_bench: MakeBench) -> None:
    async def act() -> None:
        pass

    table = make_bench(act)

    async def best(one: Task) -> float:
        times = []
        for _ in range(4):  # the first one compiles
            start = time.thread_time()
            assert (await table.run(one)).event is RunEvent.SUCCEED
            times.append(time.thread_time() - start)
        return min(times) / len(one.steps)

    def chain(count: int) -> Task:
        links = [Step(f"s{n}", "act", depends_on=DependsOn(f"s{n - 1}")) for n in range(1, count)]
        return task(Step("s0", "act"), *links)

    def fan(count: int) -> Task:
        leaves = [Step(f"s{n}", "act", depends_on=DependsOn("s0")) for n in range(1, count)]
        end = Step("end", "act", depends_on=AllOf(tuple(DependsOn(leaf.name) for leaf in leaves)))
        return task(Step("s0", "act"), *leaves, end)

    for make in (chain, fan):
        small, large = await best(make(100)), await best(make(1000))
        assert large < 0.001
        assert large < 3 * small + 0.0001
