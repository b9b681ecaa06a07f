"""Which steps and turns run at each moment of a run: the rules of TASKS.md in the plainest way.

Imports aura_aio's model and `graphs` only.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hypothesis import strategies as st

from aura_aio.model.plan import DependsOn, Loop, Step, StepStatus
from tests.engine.graphs import End, certain, graphs, leaves, met


class Work(NamedTuple):
    """What a step does: so many turns, so many of them at the same time; `loop` is their kind, or
    None for a step without a loop. The turn `fails_at` raises.
    """

    loop: str | None = None
    turns: int = 1
    lanes: int = 1
    fails_at: int | None = None

    def as_loop(self) -> Loop | None:
        """The loop that a task file would have."""
        match self.loop:
            case "for_each":
                return Loop(for_each=list(range(self.turns)), parallelism=self.lanes)
            case "times":
                return Loop(times=self.turns, parallelism=self.lanes)
            case "while":
                return Loop(while_=f"{{{{ loop.index < {self.turns} }}}}")
            case _:
                return None


class Play(NamedTuple):
    """A task: its steps, how each ends if it may start, and what each does."""

    steps: list[Step]
    ends: dict[str, End]
    works: dict[str, Work]


@st.composite
def plays(draw: st.DrawFn, most: int = 40) -> Play:
    """Graphs whose steps have loops, or none."""
    steps, ends = draw(graphs(most))
    works: dict[str, Work] = {}
    for name, end in ends.items():
        loop = draw(st.sampled_from([None, None, "for_each", "times", "while"]))
        turns = 1 if loop is None else draw(st.integers(1 if end is End.FAILED else 0, 4))
        lanes = draw(st.integers(1, 3)) if loop in {"for_each", "times"} else 1
        fails_at = draw(st.integers(0, turns - 1)) if end is End.FAILED else None
        works[name] = Work(loop, turns, lanes, fails_at)
    return Play(steps, ends, works)


class Oracle:
    """Knows what runs. Tell it of each turn that ends, one by one, in any order."""

    def __init__(self, play: Play) -> None:
        self.over: dict[str, End] = {}
        """How the steps ended that are over, in that order."""
        self._play = play
        self._begun: dict[str, int] = {}
        self._ended: dict[str, set[int]] = {}
        self._go_on()

    @property
    def running(self) -> set[tuple[str, int]]:
        """The turns under way: (step, index)."""
        return {
            (name, turn)
            for name, begun in self._begun.items()
            for turn in range(begun)
            if turn not in self._ended[name]
        }

    def end(self, name: str, turn: int) -> None:
        """This turn has ended."""
        self._ended[name].add(turn)
        self._go_on()

    def _go_on(self) -> None:
        """Let begin and end whatever does by itself, until nothing more does."""
        while any(self._moves(step) for step in self._play.steps):
            pass

    def _moves(self, step: Step) -> bool:
        name = step.name
        if name in self.over:
            return False
        if name in self._begun:
            return self._turns_move(name)
        if step.depends_on is None or certain(step.depends_on, self._known):
            if self._play.ends[name] is End.SKIPPED:  # its `when` is false
                self.over[name] = End.SKIPPED
            else:
                self._begun[name], self._ended[name] = 0, set()
            return True
        named = [self.over.get(leaf.step) for leaf in leaves(step.depends_on)]
        if None in named:
            return False
        bad = {End.FAILED, End.SKIPPED_BY_FAILURE} & set(named)
        self.over[name] = End.SKIPPED_BY_FAILURE if bad else End.SKIPPED
        return True

    def _turns_move(self, name: str) -> bool:
        work, ended, begun = self._play.works[name], self._ended[name], self._begun[name]
        has_failed = work.fails_at in ended
        may_begin = begun if has_failed else min(work.turns, len(ended) + work.lanes)
        if may_begin > begun:
            self._begun[name] = may_begin
            return True
        if len(ended) == begun:
            self.over[name] = End.FAILED if has_failed else End.SUCCESS
            return True
        return False

    def _known(self, leaf: DependsOn) -> bool | None:
        if leaf.step in self.over:
            return met(leaf, self.over[leaf.step])
        if leaf.step in self._begun and leaf.statuses and StepStatus.RUNNING in leaf.statuses:
            return True
        return None


def failed_in_order(over: Mapping[str, End]) -> Iterator[str]:
    """The steps that failed, the first one first."""
    return (name for name, end in over.items() if end is End.FAILED)
