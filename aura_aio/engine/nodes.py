"""What templates see as `nodes`: the steps that have begun, and what they gave.

May import the standard library and `engine.sandbox`.
"""

from collections.abc import Collection
from typing import Any, Final

from aura_aio.engine.sandbox import Named

_HOW: Final = {"SKIPPED": "was skipped", "FAILED": "failed"}


class Nodes(Named):
    """The nodes of a task's `steps`, by the names of those that have begun."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Collection[str]) -> None:
        super().__init__("nodes")
        self._steps = steps

    def _explained(self, name: str) -> str | None:
        return _not_yet(name) if name in self._steps else None


class Node(Named):
    """One step: its `run_state` and, once it has succeeded, its `output` and `outputs`."""

    __slots__ = ("_step",)

    def __init__(self, step: str) -> None:
        super().__init__(f"nodes.{step}")
        self._step = step

    def _explained(self, name: str) -> str | None:
        state: dict[str, Any] | None = self.get("run_state")
        if "output" in self or state is None:
            return None
        if state["end_time"] is None:
            return _not_yet(self._step)
        how = _HOW.get(state["status"], f"is {state['status'].lower()}")
        return f"There is no {name!r} of step {self._step!r}, which {how}."


def _not_yet(step: str) -> str:
    return f"Step {step!r} had not ended when this was needed: name it in depends_on."
