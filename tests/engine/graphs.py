"""Random graphs of steps, and what must become of them: the rules of TASKS.md, written down a
second time in the plainest way.

Imports Hypothesis and aura_aio's model only.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import product

from hypothesis import strategies as st

from aura_aio.model.plan import AllOf, AnyOf, Dependency, DependsOn, NoneOf, Step, StepStatus


class End(StrEnum):
    """How a step ends if it is not skipped for what it waits for; and, last, if it is."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    SKIPPED_BY_FAILURE = "skipped by failure"


WORDS = (StepStatus.SUCCESS, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.RUNNING)


def _leaf(names: list[str]) -> st.SearchStrategy[Dependency]:
    statuses = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(DependsOn, st.sampled_from(names), st.one_of(st.none(), statuses))


def _operator(parts: st.SearchStrategy[Dependency]) -> st.SearchStrategy[Dependency]:
    several = st.lists(parts, min_size=1, max_size=4).map(tuple)
    return st.one_of(*(st.builds(operator, several) for operator in (AllOf, AnyOf, NoneOf)))


def conditions(names: list[str]) -> st.SearchStrategy[Dependency | None]:
    """Nothing, or a condition on some of `names`."""
    if not names:
        return st.none()
    nested = st.recursive(_leaf(names), _operator, max_leaves=6)
    plain = st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)
    all_of = plain.map(lambda some: AllOf(tuple(map(DependsOn, some))))
    return st.one_of(st.none(), all_of, nested)


@st.composite
def graphs(draw: st.DrawFn, most: int = 40) -> tuple[list[Step], dict[str, End]]:
    """Steps in an order that their names do not tell, and how each ends if it may start."""
    count = draw(st.integers(1, most))
    names = [f"s{number}" for number in draw(st.permutations(range(count)))]
    steps: list[Step] = []
    ends: dict[str, End] = {}
    for position, name in enumerate(names):
        ends[name] = draw(st.sampled_from([End.SUCCESS, End.SUCCESS, End.FAILED, End.SKIPPED]))
        condition = draw(conditions(names[max(0, position - 8) : position]))
        steps.append(Step(name, "act", depends_on=condition))
    order = draw(st.permutations(steps))
    return list(order), ends


def leaves(condition: Dependency) -> list[DependsOn]:
    """The conditions on single steps, in the order in which `truth` asks for them."""
    if isinstance(condition, DependsOn):
        return [condition]
    return [leaf for part in condition.of for leaf in leaves(part)]


def truth(condition: Dependency, ask: Callable[[DependsOn], bool]) -> bool:
    """Whether a condition holds when `ask` answers for each of its leaves, all in order."""
    if isinstance(condition, DependsOn):
        return ask(condition)
    answers = [truth(part, ask) for part in condition.of]
    match condition:
        case AllOf():
            return all(answers)
        case AnyOf():
            return any(answers)
        case NoneOf():
            return not any(answers)


def met(leaf: DependsOn, end: End) -> bool:
    """Whether a leaf holds when its step has ended so."""
    if leaf.statuses is None:
        return end in {End.SUCCESS, End.SKIPPED}
    if end in {End.SKIPPED, End.SKIPPED_BY_FAILURE}:
        return StepStatus.SKIPPED in leaf.statuses
    return StepStatus(end) in leaf.statuses or StepStatus.RUNNING in leaf.statuses


def expected_ends(steps: list[Step], ends: Mapping[str, End]) -> dict[str, End]:
    """How each step ends, whatever the order in which steps run."""
    by_name = {step.name: step for step in steps}
    found: dict[str, End] = {}

    def end_of(name: str) -> End:
        if name not in found:
            found[name] = decide(by_name[name].depends_on, name)
        return found[name]

    def decide(condition: Dependency | None, name: str) -> End:
        if condition is None or truth(condition, lambda leaf: met(leaf, end_of(leaf.step))):
            return ends[name]
        others = {end_of(leaf.step) for leaf in leaves(condition)}
        bad = others & {End.FAILED, End.SKIPPED_BY_FAILURE}
        return End.SKIPPED_BY_FAILURE if bad else End.SKIPPED

    for step in steps:
        end_of(step.name)
    return found


def certain(condition: Dependency, known: Callable[[DependsOn], bool | None]) -> bool:
    """Whether a condition holds whatever the leaves turn out to be of which `known` knows nothing:
    tried out for all that they can be.
    """
    answers = [known(leaf) for leaf in leaves(condition)]
    choices = [(True, False) if answer is None else (answer,) for answer in answers]
    return all(_with(condition, list(choice)) for choice in product(*choices))


def _with(condition: Dependency, answers: list[bool]) -> bool:
    return truth(condition, lambda _leaf: answers.pop(0))


def fails(steps: list[Step], found: Mapping[str, End]) -> bool:
    """Whether the run fails: a step failed, and no state dependency accepts that."""
    accepted = tolerated(steps)
    return any(end is End.FAILED and name not in accepted for name, end in found.items())


def tolerated(steps: list[Step]) -> set[str]:
    """The steps whose failure some step's state dependency accepts."""
    return {
        leaf.step
        for step in steps
        if step.depends_on is not None
        for leaf, wanted in _wanted(step.depends_on, wanted=True)
        if wanted and leaf.statuses is not None and StepStatus.FAILED in leaf.statuses
    }


def _wanted(condition: Dependency, *, wanted: bool) -> list[tuple[DependsOn, bool]]:
    if isinstance(condition, DependsOn):
        return [(condition, wanted)]
    inner = not wanted if isinstance(condition, NoneOf) else wanted
    return [pair for part in condition.of for pair in _wanted(part, wanted=inner)]
