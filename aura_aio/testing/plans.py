"""The plan that a test is of, and running it: the real engine on time and HTTP of the test's own.

May import engine, catalog, model, run_settings, and the rest of `testing` but `plugin`.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from aura_aio.catalog.actions import LoadedAction, load_actions
from aura_aio.catalog.catalog import is_plan, load_catalog
from aura_aio.catalog.references import split_action
from aura_aio.engine.builtin import builtin_actions
from aura_aio.engine.builtin.http import HttpActions
from aura_aio.engine.capture import captured_output
from aura_aio.engine.results import to_json
from aura_aio.engine.runner import RunnerParts
from aura_aio.model import json
from aura_aio.model.ids import CidFactory
from aura_aio.model.origin import Origin
from aura_aio.model.plan import InputSpec, Step, Task, TaskMeta
from aura_aio.run_settings import RunSettings
from aura_aio.testing.clock import VirtualClock, VirtualLoop
from aura_aio.testing.family import Family, Member, Wanted
from aura_aio.testing.http import FakeHttp
from aura_aio.testing.runs import FinishedRun

_ALL_LINES: Final = RunSettings(log_lines_per_sec=0)
"""The time of a test stands still while actions log."""


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
        self._loading = Lock()
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
        wanted = Wanted(task, given, timeout_sec=timeout_sec, origin=origin)
        stage = _Stage(self, world)
        self.load_actions(task)
        with _loop(world.clock) as loop, captured_output():
            parts_with = partial(
                RunnerParts,
                clock=world.clock,
                worker="test",
                data_dir=world.data_root,
                actions=lambda plan, name: self._actions[plan][name],
                threads=loop.threads,
                builtin=builtin_actions(allow_shell=True) | _on(world.http),
                secrets=world.secrets,
                allowed=_ALL_LINES,
            )
            member = loop.run_until_complete(_run(stage, parts_with, wanted))
        if world.http.unexpected:
            raise AssertionError("\n".join(world.http.unexpected))
        return member.finished()

    def any_task(self, plan_name: str, name: str) -> Task:
        """A task of this plan or another; raises as `Catalog.task`."""
        return self._catalog.task(plan_name, name).task

    def load_actions(self, task: Task) -> None:
        """Import what the steps of a task call, unless that was done before; from any thread."""
        with self._loading:
            for step in task.steps:
                name = split_action(step.action)[0] or task.plan_name
                if name not in self._actions:
                    plan = self._catalog.plan(name)
                    self._actions[name] = load_actions(Path(plan.root), plan.actions.values())


class _Stage:
    """Implements `family.Stage`: the plans of a test in its world."""

    def __init__(self, plan: TestedPlan, world: World) -> None:
        self.clock = world.clock
        self.new_cid = CidFactory(world.clock)
        self._plan = plan
        self._states = {plan.name: world.state}

    def task(self, plan_name: str, name: str) -> Task:
        """A task of a plan; raises as `Catalog.task`."""
        return self._plan.any_task(plan_name, name)

    def load_actions(self, task: Task) -> None:
        """Import what its steps call; blocks."""
        self._plan.load_actions(task)

    def state_of(self, plan_name: str) -> dict[str, Any]:
        """What a plan keeps; plans that the test is not of keep it for the run alone."""
        return self._states.setdefault(plan_name, {})


async def _run(stage: _Stage, parts_with: "partial[RunnerParts]", wanted: Wanted) -> Member:
    return await Family(stage, parts_with).run(wanted)


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
