"""What one run may use, in a worker that was handed small settings: a run that logs without end,
and lines, results and templates that are too much.

Imports the fixtures, `tests.serving` and `tests.waiting`.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.serving import Served, serving, write_plan
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOWED = {
    "log_lines_per_sec": 50,
    "max_line_chars": 256,
    "max_result_bytes": 1024,
    "template_timeout_sec": 0.01,
}

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


@action
def say_much(context: ActionContext) -> None:
    """Log a line that is too long."""
    context.log("m" * 300, fits="f" * 200, long="l" * 300)


@action
def give(letters: int) -> str:
    """Give so many letters."""
    return "x" * letters
'''

LOUD = """
meta: {inputs: [{name: gate, type: string}], timeout: 120}
steps: {it: {action: shout, params: {gate: "{{ inputs.gate }}"}}}
returns: "{{ nodes.it.output }}"
"""
GIVE = """
meta: {inputs: [{name: letters, type: integer}]}
steps: {it: {action: give, params: {letters: "{{ inputs.letters }}"}}}
"""
TASKS = {
    "loud": LOUD,
    "loud_apart": LOUD.replace("action: shout", "action: shout, isolation: process"),
    "say_much": "steps: {it: {action: say_much}}",
    "say_much_apart": "steps: {it: {action: say_much, isolation: process}}",
    "give": GIVE,
    "give_apart": GIVE.replace("action: give", "action: give, isolation: process"),
    "put_together": """
steps: {it: {action: give, params: {letters: 600}}}
returns: ["{{ nodes.it.output }}", "{{ nodes.it.output }}"]
""",
    "render": """
steps: {it: {action: set, params: {n: "{% for x in range(20000) %}{{ x }}{% endfor %}"}}}
""",
    "quiet": "steps: {one: {action: say}, two: {action: say, depends_on: one}}",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A server with one worker."""
    data = tmp_path_factory.mktemp("site")
    write_plan(data / "plans", "site", TASKS, ACTIONS)
    async with serving(plans=[str(data / "plans")], data_dir=str(data), **ALLOWED) as server:
        yield server


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


@pytest.mark.parametrize("task", ["say_much", "say_much_apart"])
async def test_a_line_that_is_too_long_is_cut_and_says_so(site: Served, task: str) -> None:
    (line,) = await site.log((await site.done("site", task))["cid"])
    assert line["message"] == "m" * 256 + "… (cut: there were 300 characters)"
    assert line["data"]["fits"] == "f" * 200
    assert line["data"]["long"] == "'" + "l" * 63 + "… (cut: there were 302 characters)"


@pytest.mark.parametrize("task", ["give", "give_apart"])
async def test_a_result_that_is_too_large_fails_its_step(site: Served, task: str) -> None:
    fits = await site.done("site", task, inputs={"letters": 1022})
    assert fits["status"] == "succeeded"
    run = await site.done("site", task, inputs={"letters": 1023})
    assert run["error"]["type"] == "ResultNotJson"
    assert run["error"]["message"] == (
        "The result of step 'it' has 1,025 bytes of JSON, and 1,024 are allowed "
        "(max_result_bytes): write it into a file, and give its name."
    )


async def test_a_result_of_a_run_that_is_too_large_fails_the_run(site: Served) -> None:
    run = await site.done("site", "put_together")
    assert run["status"] == "failed"
    assert run["error"]["message"].startswith("What 'returns' gives has 1,207 bytes of JSON")


async def test_a_template_that_takes_too_long_fails_its_step(site: Served) -> None:
    run = await site.done("site", "render")
    assert run["status"] == "failed"
    assert "does too much" in run["error"]["message"] or "0.01 s" in run["error"]["message"]
    assert "template_timeout_sec" in run["error"]["message"]
