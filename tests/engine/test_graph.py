"""The walk through a graph against an independent model, in every order of events that there is.

Imports Hypothesis, pytest, aura_aio's engine and the model in `graphs`.
"""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from aura_aio.engine.graph import Graph, Standing, Walk, is_met
from aura_aio.model.plan import (
    AllOf,
    AnyOf,
    DependsOn,
    NoneOf,
    Step,
    StepStatus,
    Task,
)
from tests.engine.graphs import End, certain, expected_ends, fails, graphs
from tests.engine.harness import bench

STANDINGS = {
    End.SUCCESS: Standing.SUCCESS,
    End.FAILED: Standing.FAILED,
    End.SKIPPED: Standing.SKIPPED,
    End.SKIPPED_BY_FAILURE: Standing.SKIPPED_BY_FAILURE,
}


class Walker:
    """Goes through a graph as a Runner does, one event at a time, and checks every move."""

    def __init__(self, steps: list[Step], ends: dict[str, End]) -> None:
        self.steps = {step.name: step for step in steps}
        self.ends = ends
        self.walk = Walk(Graph(steps))
        self.ready: list[str] = []
        self.running: list[str] = []
        self.seen: set[str] = set()
        self.take(self.walk.begin(), [])

    def take(self, ready: list[str], skipped: list[str]) -> None:
        for name in (*ready, *skipped):
            assert name not in self.seen, "a step is decided once"
            self.seen.add(name)
        self.ready.extend(ready)
        for name, step in self.steps.items():
            may_start = step.depends_on is None or certain(step.depends_on, self.known)
            if name in ready:
                assert may_start, "nothing starts before its dependencies allow it"
            if may_start:
                assert name in self.seen, "what may start, starts"

    def known(self, leaf: DependsOn) -> bool | None:
        return is_met(leaf, self.walk.standings[leaf.step])

    def choices(self) -> list[tuple[str, bool]]:
        """The steps that may begin, and those that may end."""
        return [(name, True) for name in self.ready] + [(name, False) for name in self.running]

    def step(self, name: str, begins: bool) -> None:
        if not begins:
            self.running.remove(name)
            self.take(*self.walk.change(name, STANDINGS[self.ends[name]]))
            return
        self.ready.remove(name)
        if self.ends[name] is End.SKIPPED:
            self.take(*self.walk.change(name, Standing.SKIPPED))
        else:
            self.running.append(name)
            self.take(*self.walk.change(name, Standing.RUNNING))


@given(graphs(most=12), st.data())
@settings(max_examples=60, deadline=None)
def test_a_walk_ends_as_the_rules_say_in_any_order(
    graph: tuple[list[Step], dict[str, End]], data: st.DataObject
) -> None:
    walker = Walker(*graph)
    while choices := walker.choices():
        walker.step(*data.draw(st.sampled_from(choices)))
    expected = {name: STANDINGS[end] for name, end in expected_ends(*graph).items()}
    assert walker.walk.standings == expected


@given(graphs(), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_a_runner_ends_as_the_rules_say(
    graph: tuple[list[Step], dict[str, End]], pauses: int
) -> None:
    steps, ends = graph
    names = {step.name: step for step in steps}

    async def act(name: str) -> None:
        for _ in range(pauses if int(name[1:]) % 2 else 0):
            await asyncio.get_running_loop().run_in_executor(None, int)
        if ends[name] is End.FAILED:
            raise ValueError(name)

    task = Task(
        "case",
        "t",
        steps=tuple(
            Step(
                name,
                "act",
                params={"name": name},
                depends_on=step.depends_on,
                when=False if ends[name] is End.SKIPPED else None,
            )
            for name, step in names.items()
        ),
    )
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"act": act}) as table:
        outcome = asyncio.run(table.run(task))
        found = table.journal.statuses()
    expected = expected_ends(steps, ends)
    assert found == {name: end.value.partition(" ")[0] for name, end in expected.items()}
    assert outcome.event == ("fail" if fails(steps, expected) else "succeed")


def test_running_holds_from_the_start_on_and_not_for_a_step_that_was_skipped() -> None:
    leaf = DependsOn("a", (StepStatus.RUNNING,))
    answers = {standing: is_met(leaf, standing) for standing in Standing}
    assert answers == {
        Standing.PENDING: None,
        Standing.RUNNING: True,
        Standing.SUCCESS: True,
        Standing.FAILED: True,
        Standing.SKIPPED: False,
        Standing.SKIPPED_BY_FAILURE: False,
    }


def test_a_failure_is_tolerated_where_a_state_dependency_wants_it() -> None:
    failed = (StepStatus.FAILED,)
    graph = Graph(
        [
            Step("a", "x"),
            Step("b", "x"),
            Step("c", "x"),
            Step("d", "x", depends_on=AllOf((DependsOn("a", failed), DependsOn("b")))),
            Step("e", "x", depends_on=NoneOf((DependsOn("b", failed),))),
            Step("f", "x", depends_on=NoneOf((NoneOf((AnyOf((DependsOn("c", failed),)),)),))),
        ]
    )
    assert graph.tolerated == {"a", "c"}


def test_a_long_chain_of_skips_needs_no_stack() -> None:
    count = 5000
    steps = [Step("s0", "x")]
    steps += [Step(f"s{n}", "x", depends_on=DependsOn(f"s{n - 1}")) for n in range(1, count)]
    walk = Walk(Graph(steps))
    walk.begin()
    moves = walk.change("s0", Standing.FAILED)
    assert moves.skipped == [f"s{n}" for n in range(1, count)]
