"""The graph of a task: which steps may start, and which never will (TASKS.md, "Steps").

May import model only. Pure: no clock, no I/O, no coroutines.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from aura_aio.model.plan import (
    AllOf,
    AnyOf,
    Dependency,
    DependsOn,
    NoneOf,
    Step,
    StepStatus,
    steps_named,
)


class Standing(Enum):
    """How a step stands, as far as other steps must know it."""

    PENDING = auto()
    RUNNING = auto()
    SUCCESS = auto()
    FAILED = auto()
    SKIPPED = auto()
    """Its `when` is false, or its condition does not hold although nothing failed."""
    SKIPPED_BY_FAILURE = auto()
    """Its condition does not hold, and a step in it failed, or was itself skipped by failure."""

    @property
    def status(self) -> StepStatus:
        """The word for it that templates and records have."""
        return _STATUS[self]


_STATUS: Final = {
    Standing.PENDING: StepStatus.PENDING,
    Standing.RUNNING: StepStatus.RUNNING,
    Standing.SUCCESS: StepStatus.SUCCESS,
    Standing.FAILED: StepStatus.FAILED,
    Standing.SKIPPED: StepStatus.SKIPPED,
    Standing.SKIPPED_BY_FAILURE: StepStatus.SKIPPED,
}
_OPEN: Final = frozenset({Standing.PENDING, Standing.RUNNING})
_STARTED: Final = frozenset({Standing.RUNNING, Standing.SUCCESS, Standing.FAILED})
_FINE: Final = frozenset({Standing.SUCCESS, Standing.SKIPPED})
_BAD: Final = frozenset({Standing.FAILED, Standing.SKIPPED_BY_FAILURE})

Standings = Mapping[str, Standing]


def holds(condition: Dependency, standings: Standings) -> bool | None:
    """Whether `condition` holds; None while that is still open. An answer never changes again.

    A plain dependency holds when the step is over and fine. `running` holds from the start of the
    step on, also when it is over.
    """
    match condition:
        case DependsOn():
            return _is_met(condition, standings[condition.step])
        case AllOf(parts):
            return _not(_any(_not(holds(part, standings)) for part in parts))
        case AnyOf(parts):
            return _any(holds(part, standings) for part in parts)
        case NoneOf(parts):
            return _not(_any(holds(part, standings) for part in parts))


def _is_met(condition: DependsOn, standing: Standing) -> bool | None:
    if condition.statuses is None:
        return None if standing in _OPEN else standing in _FINE
    if StepStatus.RUNNING in condition.statuses and standing in _STARTED:
        return True
    return None if standing in _OPEN else standing.status in condition.statuses


def _any(answers: Iterable[bool | None]) -> bool | None:
    open_answers = False
    for answer in answers:
        if answer:
            return True
        open_answers |= answer is None
    return None if open_answers else False


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


class Graph:
    """The steps of a task and what they wait for; the same for every run of it."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.conditions = {step.name: step.depends_on for step in steps}
        self.named = {
            name: frozenset(steps_named(condition)) if condition else frozenset[str]()
            for name, condition in self.conditions.items()
        }
        """The steps that a step's condition names."""
        self.dependents: dict[str, list[str]] = {step.name: [] for step in steps}
        """The steps whose condition names a step."""
        for name, named in self.named.items():
            for other in named:
                self.dependents[other].append(name)
        conditions = [each for each in self.conditions.values() if each is not None]
        self.early = frozenset(
            name for name, each in self.conditions.items() if each and _may_hold_early(each)
        )
        """The steps whose condition may hold before all steps that it names are over."""
        self.tolerated = frozenset(name for each in conditions for name in _tolerated(each))
        """The steps whose failure some step's state dependency accepts: it fails no run."""


def _may_hold_early(condition: Dependency) -> bool:
    match condition:
        case DependsOn(_, statuses):
            return statuses is not None and StepStatus.RUNNING in statuses
        case AnyOf():
            return True
        case AllOf(parts) | NoneOf(parts):
            return any(map(_may_hold_early, parts))


def _tolerated(condition: Dependency, *, wanted: bool = True) -> Iterator[str]:
    match condition:
        case DependsOn(step, statuses):
            if wanted and statuses is not None and StepStatus.FAILED in statuses:
                yield step
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _tolerated(part, wanted=wanted)
        case NoneOf(parts):
            for part in parts:
                yield from _tolerated(part, wanted=not wanted)


class Moves(NamedTuple):
    """What follows from a change: the steps that may start now, and those that are skipped."""

    ready: list[str]
    skipped: list[tuple[str, Standing]]


class Walk:
    """One way through a graph.

    A step is ready as soon as its condition holds. It is skipped when its condition does not hold
    and all steps that it names are over: not before, so that why it was skipped does not depend on
    which of them was faster. Each change costs as much as there are steps that wait for it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._waits_for = {name: len(named) for name, named in graph.named.items()}
        self._decided: set[str] = set()
        self.standings: dict[str, Standing] = dict.fromkeys(graph.named, Standing.PENDING)

    def begin(self) -> list[str]:
        """The steps that wait for nothing; call it once, first."""
        return [name for name, condition in self._graph.conditions.items() if condition is None]

    def change(self, step: str, standing: Standing) -> Moves:
        """What follows when `step` stands so from now on."""
        moves = Moves([], [])
        changes = deque([(step, standing)])
        while changes:
            name, standing = changes.popleft()
            self.standings[name] = standing
            for dependent in self._graph.dependents[name]:
                decision = self._look_at(dependent, one_more_is_over=standing not in _OPEN)
                if decision is Standing.PENDING:
                    continue
                self._decided.add(dependent)
                if decision is Standing.RUNNING:
                    moves.ready.append(dependent)
                else:
                    moves.skipped.append((dependent, decision))
                    changes.append((dependent, decision))
        return moves

    def _look_at(self, step: str, *, one_more_is_over: bool) -> Standing:
        """RUNNING if the step may start, a way of being skipped, or PENDING."""
        self._waits_for[step] -= one_more_is_over
        is_last = self._waits_for[step] == 0
        if step in self._decided or not (is_last or step in self._graph.early):
            return Standing.PENDING
        condition = self._graph.conditions[step]
        if condition is None or holds(condition, self.standings):
            return Standing.RUNNING
        if not is_last:
            return Standing.PENDING
        failed = any(self.standings[name] in _BAD for name in self._graph.named[step])
        return Standing.SKIPPED_BY_FAILURE if failed else Standing.SKIPPED
