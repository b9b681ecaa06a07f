"""Which steps are done over: against a naive oracle, on graphs of any shape.

Imports pytest, hypothesis, aura_aio.model and aura_aio.scheduler.redo.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aura_aio.model.errors import UnknownStep
from aura_aio.model.plan import AllOf, AnyOf, Dependency, DependsOn, NoneOf, Step, Task, steps_named
from aura_aio.scheduler.redo import FAILED, START, Redoing, redo

STATUSES = ("success", "skipped", "failed", "cancelled", "running", None)

JOINS: tuple[type[AllOf | AnyOf | NoneOf], ...] = (AllOf, AnyOf, NoneOf)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Task, dict[str, str], str]:
    """A task, how its steps ended, and where to begin."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    steps = []
    for index, name in enumerate(names):
        on = draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        kind = draw(st.sampled_from(JOINS))
        condition: Dependency | None = kind(tuple(map(DependsOn, on))) if on else None
        steps.append(Step(name, "log", depends_on=condition))
    ends = {name: draw(st.sampled_from(STATUSES)) for name in names}
    statuses = {name: status for name, status in ends.items() if status is not None}
    start = draw(st.sampled_from([START, FAILED, *names]))
    return Task("p", "t", steps=tuple(draw(st.permutations(steps)))), statuses, start


def needs(task: Task, name: str) -> set[str]:
    """All steps that a step waits for, directly or not."""
    condition = next(step.depends_on for step in task.steps if step.name == name)
    direct = set(steps_named(condition)) if condition is not None else set()
    return direct.union(*(needs(task, each) for each in direct))


@given(cases())
def test_what_is_run_is_what_must_be(case: tuple[Task, dict[str, str], str]) -> None:
    task, statuses, start = case
    names = {step.name for step in task.steps}
    own = {name for name in names if statuses.get(name) not in {"success", "skipped"}} | {start}
    found = redo(task, task, statuses, start)
    ran = {each.step for each in found if each.action is Redoing.RUN}
    if start == START:
        assert ran == names
    else:
        assert ran == {name for name in names if ({name} | needs(task, name)) & own}
    for each in found:
        if each.action is not Redoing.RUN:
            assert (each.action is Redoing.SKIP) == (statuses[each.step] == "skipped")
    order = [each.step for each in found]
    assert sorted(order) == sorted(names)
    for index, name in enumerate(order):
        assert needs(task, name) <= set(order[:index])


def test_a_step_that_is_not_as_it_was_is_run() -> None:
    steps = tuple(Step(name, "log") for name in ("same", "changed", "new"))
    task = Task("p", "t", steps=steps)
    earlier = Task("p", "t", steps=(steps[0], replace(steps[1], action="set")))
    statuses = dict.fromkeys(("same", "changed", "new"), "success")
    actions = {each.step: each.action.value for each in redo(task, earlier, statuses, FAILED)}
    assert actions == {"same": "reuse", "changed": "run", "new": "run"}


def test_each_step_is_told_why_it_is_run_or_kept() -> None:
    on_broken = DependsOn("broken")
    names = ("done", "skipped", "broken", "cancelled", "running", "unreached", "new")
    steps = tuple(Step(name, "log") for name in names)
    task = Task("p", "t", steps=(*steps, Step("after", "log", depends_on=on_broken)))
    earlier = Task("p", "t", steps=(*steps[:-1], task.steps[-1]))
    statuses = {name: name for name in names[1:5]} | {"broken": "failed"}
    statuses |= dict.fromkeys(("done", "after"), "success")
    told = {each.step: each.why for each in redo(task, earlier, statuses, FAILED)}
    assert told == {
        "done": "It has succeeded; its output is kept.",
        "skipped": "It was skipped; that stays so.",
        "broken": "It has failed.",
        "cancelled": "It was cancelled.",
        "running": "It was cut off.",
        "unreached": "It was not reached.",
        "new": "The earlier run did not have it.",
        "after": "It depends on 'broken', which is run.",
    }
    changed = replace(earlier, steps=(replace(steps[0], action="set"), *steps[1:]))
    told = {each.step: each.why for each in redo(task, changed, statuses, "skipped")}
    assert told["done"] == "It is not as it was in the earlier run."
    assert told["skipped"] == "The run is to begin with it."
    told = {each.step: each.why for each in redo(task, earlier, statuses, START)}
    assert set(told.values()) == {"The run begins from its start."}


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(UnknownStep, match="Did you mean 'fetch'"):
        redo(Task("p", "t", steps=(Step("fetch", "log"),)), Task("p", "t"), {}, "fetsh")
