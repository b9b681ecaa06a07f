"""The graph of a task: which steps may start, and which never will (TASKS.md, "Steps").

May import model only. Pure: no clock, no I/O, no coroutines.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum
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

    PENDING = ("pending", StepStatus.PENDING, False)
    RUNNING = ("running", StepStatus.RUNNING, False)
    SUCCESS = ("success", StepStatus.SUCCESS, True)
    FAILED = ("failed", StepStatus.FAILED, True)
    SKIPPED = ("skipped", StepStatus.SKIPPED, True)
    """Its `when` is false, or its condition does not hold although nothing failed."""
    SKIPPED_BY_FAILURE = ("skipped by failure", StepStatus.SKIPPED, True)
    """Its condition does not hold, and a step in it failed, or was itself skipped by failure."""

    def __init__(self, _label: str, status: StepStatus, is_over: bool) -> None:
        self.status = status
        """The word for it that templates, records and state dependencies have."""
        self.is_over = is_over


def is_met(condition: DependsOn, standing: Standing) -> bool | None:
    """Whether a condition on a step holds when the step stands so; None while that is open.

    A plain one holds when the step is over, and neither failed nor was skipped by failure.
    `running` holds from the start of the step on, also when it is over.
    """
    if condition.statuses is None:
        if not standing.is_over:
            return None
        return standing is Standing.SUCCESS or standing is Standing.SKIPPED
    if StepStatus.RUNNING in condition.statuses and _has_started(standing):
        return True
    return standing.status in condition.statuses if standing.is_over else None


def _has_started(standing: Standing) -> bool:
    return (
        standing is Standing.RUNNING or standing is Standing.SUCCESS or standing is Standing.FAILED
    )


def _went_wrong(standing: Standing) -> bool:
    return standing is Standing.FAILED or standing is Standing.SKIPPED_BY_FAILURE


class _Operator(NamedTuple):
    """Which answer of one part decides over the whole, and what that is then (else the other)."""

    deciding: bool
    decided: bool


_OPERATORS: Final[dict[type[Dependency], _Operator]] = {
    AllOf: _Operator(deciding=False, decided=False),
    AnyOf: _Operator(deciding=True, decided=True),
    NoneOf: _Operator(deciding=True, decided=False),
}


class _Gate:
    """A condition made of parts: hears their answers one by one, until it has one itself."""

    __slots__ = ("_operator", "_outer", "_parts_open", "answer")

    def __init__(self, operator: _Operator, parts: int, outer: "_Gate | None") -> None:
        self._operator = operator
        self._parts_open = parts
        self._outer = outer
        self.answer: bool | None = None

    def hear(self, answer: bool) -> None:
        """Take the answer of one part."""
        self._parts_open -= 1
        decides = answer is self._operator.deciding
        if self.answer is None and (decides or not self._parts_open):
            self.answer = self._operator.decided if decides else not self._operator.decided
            if self._outer is not None:
                self._outer.hear(self.answer)


class Graph:
    """The steps of a task and what they wait for; the same for every run of it."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.conditions = {step.name: step.depends_on for step in steps}
        self.named: dict[str, tuple[str, ...]] = {
            name: tuple(dict.fromkeys(steps_named(condition))) if condition else ()
            for name, condition in self.conditions.items()
        }
        """The steps that a step's condition names, each once."""
        self.dependents: dict[str, list[str]] = {step.name: [] for step in steps}
        """The steps whose condition names a step."""
        for name, named in self.named.items():
            for other in named:
                self.dependents[other].append(name)
        self.tolerated = frozenset(
            name
            for condition in self.conditions.values()
            if condition is not None
            for name in _tolerated(condition)
        )
        """The steps whose failure some step's state dependency accepts: it fails no run."""


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
    skipped: list[str]


class Walk:
    """One way through a graph.

    A step is ready as soon as its condition holds. It is skipped when its condition does not hold
    and all steps that it names are over: not before, so that why it was skipped does not depend on
    which of them was faster. All changes together cost as much as there are conditions.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.standings: dict[str, Standing] = dict.fromkeys(graph.conditions, Standing.PENDING)
        self._waits_for = {name: len(named) for name, named in graph.named.items()}
        self._gates: dict[str, _Gate] = {}
        self._heard_by: dict[str, list[tuple[DependsOn, _Gate]]] = {
            name: [] for name in graph.conditions
        }
        for name, condition in graph.conditions.items():
            if condition is not None:
                self._gates[name] = self._gate(condition, None)

    def begin(self) -> list[str]:
        """The steps that wait for nothing; call it once, first."""
        return [name for name in self.standings if name not in self._gates]

    def change(self, step: str, standing: Standing) -> Moves:
        """What follows when `step` stands so from now on."""
        moves = Moves([], [])
        changes = deque([(step, standing)])
        while changes:
            name, now = changes.popleft()
            before = self.standings[name]
            self.standings[name] = now
            for condition, gate in self._heard_by[name]:
                answer = is_met(condition, now)
                if answer is not None and is_met(condition, before) is None:
                    gate.hear(answer)
            for dependent in self._graph.dependents[name]:
                self._waits_for[dependent] -= now.is_over
                decision = self._decide(dependent)
                if decision is Standing.RUNNING:
                    moves.ready.append(dependent)
                elif decision is not None:
                    moves.skipped.append(dependent)
                    changes.append((dependent, decision))
        return moves

    def _decide(self, step: str) -> Standing | None:
        """RUNNING if the step may start, a way of being skipped, or None; each step once."""
        gate = self._gates.get(step)
        if gate is None:
            return None
        if gate.answer:
            del self._gates[step]
            return Standing.RUNNING
        if self._waits_for[step]:
            return None
        del self._gates[step]
        named = self._graph.named[step]
        if any(_went_wrong(self.standings[name]) for name in named):
            return Standing.SKIPPED_BY_FAILURE
        return Standing.SKIPPED

    def _gate(self, condition: Dependency, outer: _Gate | None) -> _Gate:
        parts = (condition,) if isinstance(condition, DependsOn) else condition.of
        gate = _Gate(_OPERATORS.get(type(condition), _OPERATORS[AllOf]), len(parts), outer)
        for part in parts:
            if isinstance(part, DependsOn):
                self._heard_by[part.step].append((part, gate))
            else:
                self._gate(part, gate)
        return gate
