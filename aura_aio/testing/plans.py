"""The plan that a test is of, and running it: the real engine on time and HTTP of the test's own.

May import engine, catalog, model, and the rest of `testing` but `plugin`.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aura_aio.catalog.actions import LoadedAction, load_actions
from aura_aio.catalog.catalog import is_plan, load_catalog
from aura_aio.catalog.inputs import check_inputs
from aura_aio.catalog.references import split_action
from aura_aio.catalog.secret_inputs import part
from aura_aio.engine.builtin import builtin_actions
from aura_aio.engine.builtin.http import HttpActions
from aura_aio.engine.capture import captured_output
from aura_aio.engine.results import to_json
from aura_aio.engine.runner import Runner, RunnerParts
from aura_aio.model import json
from aura_aio.model.ids import CidFactory
from aura_aio.model.origin import Origin, encode_origin
from aura_aio.model.plan import Definition, InputSpec, Step, Task, TaskMeta
from aura_aio.model.run import Outcome, Tasklet
from aura_aio.model.sealing import Hidden, hidden_text
from aura_aio.model.states import RunState, advance
from aura_aio.testing.clock import VirtualClock, VirtualLoop
from aura_aio.testing.http import FakeHttp
from aura_aio.testing.runs import FinishedRun, Notebook, StepOfRun


class PlanBroken(AssertionError):
    """The plan of a test cannot be loaded, or not all of it."""


class World(NamedTuple):
    """What surrounds a run: time, the web, the folder of all data, what the plan keeps, and the
    secrets of the server.
    """

    clock: VirtualClock
    http: FakeHttp
    data_root: Path
    state: dict[str, Any]
    secrets: dict[str, str]


class TestedPlan:
    """A plan, loaded once, whose tasks can be run."""

    __test__ = False  # for pytest, which would take it for a test

    def __init__(self, folder: Path, more_roots: Iterable[Path] = ()) -> None:
        """Load the plan in `folder`, and the plans beside it, and those in `more_roots`.

        Raises:
            PlanBroken: something is wrong with the plan; says what, and where.
        """
        self._catalog = load_catalog(dict.fromkeys((folder.parent, *more_roots)))
        found = [plan for plan in self._catalog.plans.values() if plan.root == str(folder)]
        if not found:
            raise PlanBroken(f"Another plan has the name of the one in {folder}.")
        (self._plan,) = found
        self._actions: dict[str, dict[str, LoadedAction]] = {}
        if self._plan.errors:
            faults = "\n".join(f"  {error.place}: {error.message}" for error in self._plan.errors)
            raise PlanBroken(f"The plan {self.name!r} has faults:\n{faults}")

    @property
    def name(self) -> str:
        """What the plan is called."""
        return self._plan.name

    def task(self, name: str) -> Task:
        """A task of the plan; raises as `Catalog.task`."""
        return self._catalog.task(self.name, name).task

    def call(self, action: str, params: Iterable[str]) -> Task:
        """A task that calls an action with `params`, and has them as its inputs."""
        step = Step("call", action, {name: f"{{{{ inputs[{name!r}] }}}}" for name in params})
        meta = TaskMeta(inputs=tuple(InputSpec(name, "any") for name in params))
        return Task(self.name, action, meta, (step,), "{{ nodes.call.output }}")

    def run(
        self,
        task: Task,
        inputs: Mapping[str, Any],
        world: World,
        *,
        timeout_sec: float | None = None,
        origin: Origin | None = None,
    ) -> FinishedRun:
        """A run of `task`, to its end.

        Raises:
            InputsRejected: the inputs do not fit the task.
            ResultNotJson: one of them has no JSON form.
            AssertionError: a step has sent a request that the test has no answer for; or the test
                is on an event loop.
        """
        if _is_on_a_loop():
            raise AssertionError(
                "A run in a test goes to its end at once, which an 'async def' test cannot wait "
                "for: make it a plain 'def'."
            )
        given = json.loads(to_json(dict(inputs), "What the test gives as inputs"))
        shown, hidden = part(task.meta.inputs, check_inputs(task, given))
        tasklet = Tasklet(
            cid=CidFactory(world.clock)(),
            plan_name=task.plan_name,
            task_name=task.name,
            definition_digest=Definition.of(task).digest,
            accepted_at=world.clock.now(),
            inputs=json.dumps(shown),
            timeout_sec=timeout_sec,
            origin=encode_origin(origin),
            state=json.dumps(world.state) if world.state else None,
        )
        self._load_actions(task)
        notebook = Notebook(world.state)
        began, began_at = world.clock.monotonic(), world.clock.now()
        with _loop(world.clock) as loop, captured_output():
            parts = RunnerParts(
                journal=notebook,
                clock=world.clock,
                worker="test",
                data_dir=world.data_root,
                actions=lambda plan, name: self._actions[plan][name],
                threads=loop.threads,
                builtin=builtin_actions(allow_shell=True) | _on(world.http),
                secrets=world.secrets,
            )
            secret = hidden_text(Hidden(hidden)) if hidden else None
            outcome = loop.run_until_complete(Runner(tasklet, task, parts, hidden=secret).run())
        if world.http.unexpected:
            raise AssertionError("\n".join(world.http.unexpected))
        took_sec = world.clock.monotonic() - began
        return _finished(task, outcome, notebook, began_at, took_sec)

    def _load_actions(self, task: Task) -> None:
        for step in task.steps:
            name = split_action(step.action)[0] or self.name
            if name not in self._actions:
                plan = self._catalog.plan(name)
                self._actions[name] = load_actions(Path(plan.root), plan.actions.values())


def plan_folder(file: Path) -> Path:
    """The folder of the plan that the test in `file` is of.

    Raises:
        PlanBroken: it is in none.
    """
    for folder in file.resolve().parents:
        if is_plan(folder):
            return folder
    raise PlanBroken(
        f"{file} is in no plan, so there is nothing to run: the tests of a plan are in its folder, "
        "as in plans/hello/tests/test_hello.py."
    )


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _on(http: FakeHttp) -> dict[str, LoadedAction]:
    actions = HttpActions(http.send).by_name()
    return {name: LoadedAction(name, function) for name, function in actions.items()}


@contextmanager
def _loop(clock: VirtualClock) -> Iterator[VirtualLoop]:
    """A loop, and the end of all that was started on it."""
    loop = VirtualLoop(clock)
    try:
        yield loop
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=1))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _finished(
    task: Task, outcome: Outcome, notebook: Notebook, began_at: float, took_sec: float
) -> FinishedRun:
    steps = {step.name: StepOfRun() for step in task.steps}
    for name, record in notebook.records.items():
        output = None if record.output is None else json.loads(record.output)
        steps[name] = StepOfRun(record.status, output, record.tries, record.error)
    return FinishedRun(
        task=task.full_task_id,
        status=advance(RunState.RUNNING, outcome.event).value,
        result=None if outcome.result is None else json.loads(outcome.result),
        error=outcome.error,
        steps=steps,
        log=tuple(notebook.lines),
        progress=tuple(notebook.told),
        began_at=began_at,
        took_sec=took_sec,
    )
