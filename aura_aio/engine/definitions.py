"""Tasks made ready to run: their graph and templates, kept for the next run of the same definition.

May import model, catalog, and of `engine` `graph`, `parameters` and `templates`.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET

from aura_aio.catalog.actions import LoadedAction
from aura_aio.catalog.references import split_action
from aura_aio.engine.graph import Graph
from aura_aio.engine.parameters import Binder
from aura_aio.engine.templates import Template, Templates
from aura_aio.model.plan import Step, Task

MAX_KEPT: Final = 256


class ReadyStep:
    """A step with its templates."""

    __slots__ = (
        "action", "for_each", "name", "note", "outputs", "params", "repeat_while", "retry_when",
        "step", "times", "when",
    )  # fmt: skip

    def __init__(self, step: Step, templates: Templates) -> None:
        form = templates.form
        self.step = step
        self.name = step.name
        self.action = split_action(step.action)
        self.when = form(step.when, "when")
        self.params = form(step.params, "params")
        self.outputs = form(step.outputs, "outputs")
        self.note = form(step.step_note, "step_note")
        loop, on_result = step.loop, step.on_result
        self.retry_when = form(on_result.retry_when, "retry_when") if on_result else None
        self.for_each = form(loop.for_each, "loop.for_each") if loop else None
        self.times = form(loop.times, "loop.times") if loop else None
        self.repeat_while = form(loop.while_, "loop.while") if loop else None


class ReadyTask:
    """A task with its graph and templates."""

    __slots__ = ("graph", "inputs", "returns", "steps", "timeout_sec")

    def __init__(self, task: Task, templates: Templates) -> None:
        self.graph = Graph(task.steps)
        self.steps = {step.name: ReadyStep(step, templates) for step in task.steps}
        self.inputs = task.meta.inputs
        self.timeout_sec = task.meta.timeout_sec
        self.returns: Template | Any = (
            UNSET if task.returns is UNSET else templates.form(task.returns, "returns")
        )


class Definitions:
    """The latest definitions that a worker ran, by digest, and the signatures of actions. What is
    rendered in one go may take `template_sec` of a processor.
    """

    def __init__(self, template_sec: float) -> None:
        self._templates = Templates(template_sec)
        self._tasks: OrderedDict[str, ReadyTask] = OrderedDict()
        self._binders: dict[Callable[..., Any], Binder] = {}

    def task(self, digest: str, task: Task) -> ReadyTask:
        """`task`, whose definition has this digest, made ready."""
        ready = self._tasks.get(digest)
        if ready is None:
            ready = self._tasks[digest] = ReadyTask(task, self._templates)
            if len(self._tasks) > MAX_KEPT:
                self._tasks.popitem(last=False)
        else:
            self._tasks.move_to_end(digest)
        return ready

    def binder(self, action: LoadedAction) -> Binder:
        """What fits parameters to `action`.

        Raises:
            BadParameters: it cannot be called by name.
        """
        binder = self._binders.get(action.function)
        if binder is None:
            binder = self._binders[action.function] = Binder(action.name, action.function)
        return binder
