"""A run that logs without end: it loses lines and is told so, and others do not.

Imports the fixtures, `tests.conftest`, `tests.serving` and `tests.waiting`.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, write_plan
from tests.waiting import until

PER_SEC = 50

ACTIONS = '''
from pathlib import Path

from aura_aio import ActionContext, action


@action
def shout(context: ActionContext, gate: str) -> int:
    """Log until the file `gate` exists; how many lines that were."""
    said = 0
    while said % 100 or not Path(gate).exists():
        context.log(f"loud {said}")
        said += 1
    return said


@action
def say(context: ActionContext) -> None:
    """Log a few lines."""
    for number in range(100):
        context.log(f"quiet {number}")
'''

LOUD = """
meta: {inputs: [{name: gate, type: string}], timeout: 120}
steps: {it: {action: shout, params: {gate: "{{ inputs.gate }}"}}}
returns: "{{ nodes.it.output }}"
"""
TASKS = {
    "loud": LOUD,
    "loud_apart": LOUD.replace("action: shout", "action: shout, isolation: process"),
    "quiet": "steps: {one: {action: say}, two: {action: say, depends_on: one}}",
}


@pytest.fixture
async def site(make_server: MakeServer, tmp_path: Path) -> Served:
    write_plan(tmp_path / "plans", "site", TASKS, ACTIONS)
    return await make_server(plans=[str(tmp_path / "plans")], log_lines_per_sec=PER_SEC)


async def marks(site: Served, cid: str) -> list[Any]:
    """What the run's log says of lines that were left out, so far."""
    page = await site.get(f"/api/runs/{cid}/logs?level=warning")
    return list(page.json["items"])


async def test_a_loud_run_loses_lines_and_is_told_and_a_quiet_one_beside_it_does_not(
    site: Served, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    inputs = {"gate": str(gate)}
    loud = [await site.run("site", task, inputs=inputs) for task in ("loud", "loud_apart")]

    async def all_are_left_out() -> bool:
        return all([await marks(site, cid) for cid in loud])

    await until(all_are_left_out, within=30)
    quiet = await site.done("site", "quiet")
    said = [entry["message"] for entry in await site.log(quiet["cid"])]
    assert said == [f"quiet {number}" for number in range(100)] * 2
    gate.touch()
    for cid in loud:
        said_aloud = (await site.finished(cid))["result"]
        log = await site.log(cid)
        told = [entry["data"]["left_out"] for entry in log if "left_out" in entry.get("data", {})]
        heard = [entry["message"] for entry in log if entry["message"].startswith("loud")]
        assert heard[:500] == [f"loud {number}" for number in range(500)]
        assert len(heard) + sum(told) == said_aloud
        assert "log_lines_per_sec" in log[-1]["message"]
