"""The pytest plugin for tests of plans: fixtures that run tasks, with time and HTTP in hand.

May import pytest and the rest of `testing`; that only once a test asks for it, since every
session of pytest loads this module where Aura is installed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aura_aio.model.origin import Origin
    from aura_aio.model.plan import Task
    from aura_aio.testing.clock import VirtualClock
    from aura_aio.testing.http import FakeHttp
    from aura_aio.testing.plans import TestedPlan
    from aura_aio.testing.runs import FinishedRun, RunAction, RunTask

_Run = Callable[..., "FinishedRun"]

_ROOTS = "--aura-plans"
_DATA = "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    parser.getgroup("aura", "plans of Aura").addoption(
        _ROOTS,
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="A further folder of plans, whose actions the plan under test calls.",
    )


@pytest.fixture
def clock() -> "VirtualClock":
    """The time of the test: it passes only where something waits for it, and at once."""
    from aura_aio.testing.clock import VirtualClock  # noqa: PLC0415

    return VirtualClock()


@pytest.fixture
def http() -> "FakeHttp":
    """The web as `http.*` actions find it: answers that the test registers, and nothing else."""
    from aura_aio.testing.http import FakeHttp  # noqa: PLC0415

    return FakeHttp()


@pytest.fixture
def state() -> dict[str, Any]:
    """What the plan keeps between its runs: `state` in templates, `context.state` in actions."""
    return {}


@pytest.fixture
def secrets() -> dict[str, str]:
    """The secrets of the server by name, which the test puts there: `secrets` in templates."""
    return {}


@pytest.fixture
def data_dir(tested_plan: "TestedPlan", tmp_path: Path) -> Path:
    """The plan's data folder in this test, empty: where `context.data_dir` and `file.*` are."""
    folder = tmp_path / _DATA / "plans" / tested_plan.name
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def run_task(_run: "_Run", tested_plan: "TestedPlan") -> "RunTask":
    """Runs a task of the plan that the test is of (`aura_aio.testing.RunTask`)."""

    def run_task(
        task: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        timeout_sec: float | None = None,
        origin: "Origin | None" = None,
    ) -> "FinishedRun":
        found = tested_plan.task(task)
        return _run(found, inputs or {}, timeout_sec=timeout_sec, origin=origin)

    return run_task


@pytest.fixture
def run_action(_run: "_Run", tested_plan: "TestedPlan") -> "RunAction":
    """Calls an action of the plan that the test is of (`aura_aio.testing.RunAction`)."""

    def run_action(action: str, /, **params: Any) -> "FinishedRun":
        return _run(tested_plan.call(action, params), params)

    return run_action


@pytest.fixture
def tested_plan(
    request: pytest.FixtureRequest, _loaded_plans: "dict[Path, TestedPlan]"
) -> "TestedPlan":
    """The plan that the test is of; loaded once for all its tests."""
    from aura_aio.testing.plans import TestedPlan, plan_folder  # noqa: PLC0415

    folder = plan_folder(request.path)
    if folder not in _loaded_plans:
        _loaded_plans[folder] = TestedPlan(folder, request.config.getoption(_ROOTS))
    return _loaded_plans[folder]


@pytest.fixture(scope="session")
def _loaded_plans() -> "dict[Path, TestedPlan]":
    return {}


@pytest.fixture
def _run(
    request: pytest.FixtureRequest,
    tested_plan: "TestedPlan",
    clock: "VirtualClock",
    http: "FakeHttp",
    state: dict[str, Any],
    secrets: dict[str, str],
    tmp_path: Path,
) -> "_Run":
    """Runs a task, and adds what it logged to the report of a test that fails."""
    from aura_aio.testing.plans import World  # noqa: PLC0415

    world = World(clock, http, tmp_path / _DATA, state, secrets)

    def run(task: "Task", inputs: Mapping[str, Any], **more: Any) -> "FinishedRun":
        finished = tested_plan.run(task, inputs, world, **more)
        request.node.add_report_section("call", f"run of {finished.task}", finished.report())
        return finished

    return run
