"""Runs that go on where an earlier attempt of theirs was cut off: what had finished is not called
again, and everything is as if nothing had happened.

Imports Hypothesis, pytest, aura_aio's engine and model, the harness and the model in `graphs`.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_aio.engine.capture import captured_output
from aura_aio.model.plan import DependsOn, Loop, OnException, Step, StepStatus, Task, TaskMeta
from aura_aio.model.run import OnCrash, Outcome, StepRecord
from aura_aio.model.states import RunEvent
from tests.engine.graphs import End, expected_ends, fails, graphs
from tests.engine.harness import Bench, bench
from tests.waiting import until

RESUMES = TaskMeta(on_crash=OnCrash.RESUME)
FAILED, SKIPPED = StepStatus.FAILED, StepStatus.SKIPPED
FINISHED = {StepStatus.SUCCESS, FAILED, SKIPPED}


class Actions:
    """Actions that count their calls, by what they are called with."""

    def __init__(self) -> None:
        self.calls: Counter[Any] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()

    async def give(self, value: Any) -> Any:
        self.calls[str(value)] += 1
        return value

    async def fails(self, name: str) -> None:
        self.calls[name] += 1
        raise ValueError(name)

    async def held(self, name: str) -> str:
        self.calls[name] += 1
        await self.gate.wait()
        return name


@pytest.fixture
def actions() -> Actions:
    return Actions()


@pytest.fixture
def table(actions: Actions, tmp_path: Path) -> Iterator[Bench]:
    functions = {name: getattr(actions, name) for name in ("give", "fails", "held")}
    with bench(tmp_path, functions) as table:
        yield table


def task(*steps: Step, **more: Any) -> Task:
    return Task("case", "t", meta=RESUMES, steps=steps, **more)


def over(records: Sequence[StepRecord]) -> list[StepRecord]:
    """What a store has of records that are on disk: of each step the last, if it is finished."""
    latest = {record.step: record for record in records}
    return [record for record in latest.values() if record.status in FINISHED]


async def cut(table: Bench, steps: Task, after: str) -> list[StepRecord]:
    """What is finished when a run is cut off as soon as the step `after` has begun."""
    with captured_output():
        run = asyncio.ensure_future(table.runner(steps).run())
        await until(lambda: table.journal.statuses().get(after) == "running")
        finished = over(table.journal.records)
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
    table.journal.records.clear()
    return finished


async def resume(table: Bench, steps: Task, finished: Sequence[StepRecord]) -> Outcome:
    """The outcome of the next attempt."""
    with captured_output():
        return await table.runner(steps, finished=finished).run()


async def test_what_had_finished_is_not_called_again_and_is_seen(
    table: Bench, actions: Actions
) -> None:
    steps = task(
        Step("a", "give", params={"value": {"n": 1}}, outputs={"m": "{{ result.n + 1 }}"}),
        Step(
            "b",
            "give",
            params={"value": "{{ loop.item }}"},
            loop=Loop(for_each=["x", "y"]),
            outputs={"letter": "{{ result }}"},
            depends_on=DependsOn("a"),
        ),
        Step("c", "held", params={"name": "c"}, depends_on=DependsOn("b")),
        Step(
            "d",
            "give",
            params={
                "value": [
                    "{{ nodes.a.output }}",
                    "{{ nodes.a.m }}",
                    "{{ nodes.b.letter }}",
                    "{{ nodes.a.run_state.status }}",
                    "{{ nodes.a.run_state.duration >= 0 }}",
                    "{{ run.attempt }}",
                ]
            },
            depends_on=DependsOn("c"),
        ),
        returns={"all": "{{ nodes.d.output }}", "again": "{{ nodes.b.output }}"},
    )
    actions.gate.clear()
    finished = await cut(table, steps, after="c")
    assert [record.step for record in finished] == ["a", "b"]
    actions.gate.set()
    outcome = await resume(table, steps, finished)
    assert outcome.event is RunEvent.SUCCEED
    assert outcome.attempt == 2
    assert outcome.result is not None
    assert json.loads(outcome.result) == {
        "all": [{"m": 2}, 2, ["x", "y"], "SUCCESS", True, 2],
        "again": [{"letter": "x"}, {"letter": "y"}],
    }
    assert [actions.calls[name] for name in ("{'n': 1}", "x", "y", "c")] == [1, 1, 1, 2]
    assert table.journal.statuses() == {"c": "success", "d": "success"}
    assert {record.attempt for record in table.journal.records} == {2}


async def test_a_loop_that_was_cut_off_begins_again(table: Bench, actions: Actions) -> None:
    loop = Loop(for_each=["x", "y"])
    steps = task(Step("a", "held", params={"name": "{{ loop.item }}"}, loop=loop))
    actions.gate.clear()
    finished = await cut(table, steps, after="a")
    assert finished == []
    actions.gate.set()
    assert (await resume(table, steps, finished)).event is RunEvent.SUCCEED
    assert actions.calls == {"x": 2, "y": 1}


async def test_failures_are_taken_over_the_first_by_time_is_the_runs(
    table: Bench, actions: Actions
) -> None:
    steps = task(
        Step("tolerated", "fails", params={"name": "t"}),
        Step("first", "fails", params={"name": "1"}, depends_on=DependsOn("tolerated", (FAILED,))),
        Step("second", "fails", params={"name": "2"}, depends_on=DependsOn("never", (SKIPPED,))),
        Step("never", "give", params={"value": "n"}, depends_on=DependsOn("first")),
        Step("last", "held", params={"name": "l"}, depends_on=DependsOn("second", (FAILED,))),
    )
    actions.gate.clear()
    finished = await cut(table, steps, after="last")
    actions.gate.set()
    outcome = await resume(table, steps, finished)
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    assert (outcome.error.step, outcome.error.message) == ("first", "1")
    assert actions.calls == {"t": 1, "1": 1, "2": 1, "l": 2}
    assert table.journal.statuses() == {"last": "success"}


async def test_a_run_whose_every_step_had_finished_only_ends(
    table: Bench, actions: Actions
) -> None:
    steps = task(
        Step("a", "give", params={"value": 1}),
        Step("b", "give", params={"value": 2}, when=False, depends_on=DependsOn("a")),
        returns="{{ nodes.a.output }}",
    )
    assert (await table.run(steps)).event is RunEvent.SUCCEED
    finished = over(table.journal.records)
    table.journal.records.clear()
    outcome = await resume(table, steps, finished)
    assert (outcome.event, outcome.result) == (RunEvent.SUCCEED, b"1")
    assert actions.calls == {"1": 1}
    assert table.journal.records == []


async def test_retries_of_a_step_begin_anew(table: Bench, actions: Actions) -> None:
    steps = task(Step("a", "fails", params={"name": "a"}, on_exception=OnException(retry=2)))
    assert (await table.run(steps)).event is RunEvent.FAIL
    assert (await resume(table, steps, [])).event is RunEvent.FAIL
    assert table.journal.last("a").tries == 3
    assert actions.calls == {"a": 6}


async def test_a_resumed_run_can_be_cancelled(table: Bench, actions: Actions) -> None:
    steps = task(
        Step("a", "give", params={"value": "a"}),
        Step("b", "held", params={"name": "b"}, depends_on=DependsOn("a")),
    )
    actions.gate.clear()
    finished = await cut(table, steps, after="b")
    runner = table.runner(steps, finished=finished)
    run = asyncio.ensure_future(runner.run())
    await until(lambda: actions.calls["b"] == 2)
    runner.cancel(grace_sec=30)
    assert (await run).event is RunEvent.STOPPED
    assert table.journal.statuses() == {"b": "cancelled"}


async def test_nothing_begins_before_what_finished_is_on_disk(
    table: Bench, actions: Actions
) -> None:
    table.journal.is_slow = True
    steps = task(
        Step("a", "give", params={"value": "a"}),
        Step("b", "give", params={"value": "b"}, depends_on=DependsOn("a")),
        Step("c", "give", params={"value": "c"}, depends_on=DependsOn("a")),
    )
    run = asyncio.ensure_future(table.runner(steps).run())
    await until(lambda: table.journal.statuses() == {"a": "success"})
    for _ in range(20):
        await asyncio.get_running_loop().run_in_executor(None, int)
    assert actions.calls == {"a": 1}
    table.journal.on_disk = len(table.journal.records)
    assert (await run).event is RunEvent.SUCCEED  # the ends of the last steps need no sync
    assert actions.calls == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("on_crash", [OnCrash.FAIL, OnCrash.RESTART])
async def test_a_run_that_does_not_resume_waits_for_no_disk(
    table: Bench, actions: Actions, on_crash: OnCrash
) -> None:
    table.journal.is_slow = True
    steps = Task(
        "case",
        "t",
        meta=TaskMeta(on_crash=on_crash),
        steps=(
            Step("a", "give", params={"value": "a"}),
            Step("b", "give", params={"value": "b"}, depends_on=DependsOn("a")),
        ),
    )
    assert (await table.run(steps)).event is RunEvent.SUCCEED


async def test_a_long_chain_is_taken_over_without_a_stack(table: Bench) -> None:
    count = 3000
    steps = [Step("s0", "give", params={"value": 0})]
    steps += [
        Step(f"s{n}", "give", params={"value": n}, depends_on=DependsOn(f"s{n - 1}"))
        for n in range(1, count)
    ]
    finished = [
        StepRecord("cid-1", 1, f"s{n}", "success", n, n + 0.5, 1, str(n).encode())
        for n in range(count - 1)
    ]
    table.runner(task(*steps))
    outcome = await resume(table, task(*steps, returns="{{ nodes.s7.output }}"), finished)
    assert outcome.result == b"7"
    assert table.journal.statuses() == {f"s{count - 1}": "success"}


@given(graphs(most=15), st.data())
@settings(max_examples=40, deadline=None)
def test_any_run_cut_off_anywhere_ends_as_if_it_had_not_been(
    graph: tuple[list[Step], dict[str, End]], data: st.DataObject
) -> None:
    steps, ends = graph
    calls: Counter[str] = Counter()

    async def act(name: str) -> str:
        calls[name] += 1
        if int(name[1:]) % 3 == 0:
            await asyncio.get_running_loop().run_in_executor(None, int)
        if ends[name] is End.FAILED:
            raise ValueError(name)
        return name

    whole = task(
        *(
            Step(
                step.name,
                "act",
                params={"name": step.name},
                depends_on=step.depends_on,
                when=False if ends[step.name] is End.SKIPPED else None,
            )
            for step in steps
        )
    )
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"act": act}) as table:
        outcome = first = asyncio.run(table.run(whole))
        told = list(table.journal.records)
        finished: list[StepRecord] = []
        for _ in range(data.draw(st.integers(1, 2))):
            cut_at = data.draw(st.integers(0, len(told)))
            finished += over(told[:cut_at])
            table.journal.records.clear()
            calls.clear()
            outcome = asyncio.run(resume(table, whole, finished))
            told = list(table.journal.records)
            assert not calls.keys() & {record.step for record in finished}
            assert not {record.step for record in told} & {record.step for record in finished}
    expected = expected_ends(steps, ends)
    statuses = {record.step: record.status for record in [*finished, *told]}
    assert statuses == {name: end.value.partition(" ")[0] for name, end in expected.items()}
    assert outcome.event == first.event == ("fail" if fails(steps, expected) else "succeed")
