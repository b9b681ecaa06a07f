"""What a plan keeps between its runs, on a real server with real workers.

Imports the fixtures and `tests.serving`.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, serving, write_plan

ACTIONS = '''
import os
from pathlib import Path

from aura_aio import ActionContext, action


@action
def count(context: ActionContext) -> int:
    """Count the calls, over all runs."""
    context.state["n"] = context.state.get("n", 0) + 1
    return context.state["n"]


@action
def crash_once(mark: str) -> None:
    """End the worker, the first time."""
    if not Path(mark).exists():
        Path(mark).touch()
        os._exit(1)
'''
TASKS = {
    "count": """
steps: {count: {action: count}}
returns: ["{{ nodes.count.output }}", "{{ state.n }}"]
""",
    "read": """
steps: {nothing: {action: set}}
returns: "{{ state.n | default('none') }}"
""",
    "crash": """
meta: {on_crash: restart, inputs: [{name: mark, required: true}]}
steps:
  count: {action: count}
  crash: {action: crash_once, depends_on: count, params: {mark: "{{ inputs.mark }}"}}
returns: "{{ state.n }}"
""",
}


@pytest.fixture
def plans(tmp_path: Path) -> list[str]:
    """Two plans with the same tasks."""
    for name in ("one", "two"):
        write_plan(tmp_path / "plans", name, TASKS, ACTIONS)
    return [str(tmp_path / "plans")]


async def result(server: Served, task: str, plan: str = "one", **inputs: Any) -> Any:
    """The result of a run that succeeds."""
    run = await server.done(plan, task, inputs=inputs)
    assert run["status"] == "succeeded", run
    return run["result"]


async def test_a_plan_keeps_its_state_between_runs_and_restarts(
    plans: list[str], tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"plans": plans, "data_dir": str(tmp_path / "data"), "workers": 2}
    async with serving(**settings) as server:
        assert await result(server, "read") == "none"
        assert [await result(server, "count") for _ in range(3)] == [[1, 1], [2, 2], [3, 3]]
    async with serving(**settings) as server:
        assert await result(server, "read") == 3
        assert await result(server, "read", "two") == "none"


async def test_what_a_step_kept_before_a_crash_is_there_in_the_next_attempt(
    make_server: MakeServer, plans: list[str], tmp_path: Path
) -> None:
    server = await make_server(plans=plans)
    assert await result(server, "crash", mark=str(tmp_path / "mark")) == 2
