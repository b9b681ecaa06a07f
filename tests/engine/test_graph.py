"""The walk through a graph against an independent model, in every order of events that there is.

Imports Hypothesis, aura_aio's engine, and the models in `graphs` and `oracle`.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from random import Random

from hypothesis import Phase, given, settings
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
from aura_aio.model.run import Outcome
from tests.engine.graphs import End, certain, expected_ends, fails, graphs, tolerated
from tests.engine.harness import Bench, Journal, bench
from tests.engine.oracle import Oracle, Play, failed_in_order, plays

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


class Stage:
    """Runs a task with the real Runner; its turns end when the test says so, one at a time."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.oracle = Oracle(play)
        self.running: dict[tuple[str, int], asyncio.Future[None]] = {}
        self.too_early: list[tuple[str, int]] = []

    async def act(self, name: str, turn: int) -> str:
        """The action of all steps."""
        if (name, turn) not in self.oracle.running:
            self.too_early.append((name, turn))
        end = self.running[name, turn] = asyncio.get_running_loop().create_future()
        await end
        if turn == self.play.works[name].fails_at:
            raise ValueError(f"{name}/{turn}")
        return f"{name}/{turn}"

    def task(self) -> Task:
        steps = []
        for step in self.play.steps:
            loop = self.play.works[step.name].as_loop()
            turn = "{{ loop.index }}" if loop is not None else 0
            steps.append(
                Step(
                    step.name,
                    "act",
                    params={"name": step.name, "turn": turn},
                    depends_on=step.depends_on,
                    when="{{ 1 > 2 }}" if self.play.ends[step.name] is End.SKIPPED else None,
                    loop=loop,
                )
            )
        return Task("case", "t", steps=tuple(steps))

    async def run(self, table: Bench, random: Random) -> Outcome:
        """Let turns end in a random order; before each, all that may run does, and nothing else."""
        outcome = asyncio.create_task(table.run(self.task()))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            while self.oracle.running:
                while not self._is_settled(table.journal):
                    assert not self.too_early, "nothing starts before its dependencies allow it"
                    await loop.run_in_executor(None, int)
                name, turn = random.choice(sorted(self.running))
                self.oracle.end(name, turn)
                self.running.pop((name, turn)).set_result(None)
            found = await outcome
        assert not self.too_early
        return found

    def _is_settled(self, journal: Journal) -> bool:
        """Whether all that may run does, and what is over was reported."""
        over = {record.step for record in journal.records if record.finished_at is not None}
        return self.running.keys() == self.oracle.running and over == self.oracle.over.keys()


@given(plays(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, phases=set(Phase) - {Phase.shrink})  # it may wait
def test_a_runner_does_what_the_rules_say_at_every_moment(play: Play, random: Random) -> None:
    stage = Stage(play)
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"act": stage.act}) as table:
        outcome = asyncio.run(stage.run(table, random))
        journal = table.journal
    over = stage.oracle.over
    assert over == expected_ends(play.steps, play.ends)
    assert journal.statuses() == {name: end.value.partition(" ")[0] for name, end in over.items()}
    for name, work in play.works.items():
        if over[name] is End.SUCCESS:
            results = [f"{name}/{turn}" for turn in range(work.turns)]
            output = journal.last(name).output
            assert output is not None
            assert json.loads(output) == (results if work.loop else results[0])
    if not fails(play.steps, over):
        assert outcome.event == "succeed"
        return
    assert outcome.event == "fail"
    accepted = tolerated(play.steps)
    first = next(name for name in failed_in_order(over) if name not in accepted)
    assert outcome.error is not None
    assert outcome.error.step == first


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
