"""How large the inputs of a run may be, wherever they come from.

Imports the fixtures, `tests.serving` and `tests.waiting`.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.serving import Response, Served, serving, write_plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST = 1024
AROUND = len('{"text":""}')
FITS = {"text": "x" * (MOST - AROUND)}
TOO_LARGE = {"text": "x" * (MOST - AROUND + 1)}
FAULT = "Has 1,025 bytes of JSON, and 1,024 are allowed (max_inputs_bytes)."
TOLD = (
    "The inputs are too large: they have 1,025 bytes of JSON, and 1,024 are allowed "
    "(max_inputs_bytes). Write them into a file, and give its name."
)

TASKS = {
    "take": """
meta: {inputs: [{name: text, type: string, default: short}]}
steps: {it: {action: log, params: {message: "{{ inputs.text | length }}"}}}
""",
    "hide": """
meta: {inputs: [{name: text, type: string, secret: true}]}
steps: {it: {action: set}}
""",
    "hand_down": """
meta: {inputs: [{name: letters, type: integer}]}
steps:
  it: {action: aura.run_task, params: {task: take, inputs: {text: "{{ 'x' * inputs.letters }}"}}}
""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A server that runs what fits, with a schedule of a plan whose inputs do not."""
    data = tmp_path_factory.mktemp("inputs")
    folder = write_plan(data / "plans", "site", TASKS)
    (folder / "schedule.yaml").write_text(
        f"- {{id: large, task: take, every: 9d, inputs: {{text: {TOO_LARGE['text']}}}}}\n", "utf-8"
    )
    settings = {"plans": [str(data / "plans")], "data_dir": str(data), "workers": 0}
    async with serving(max_inputs_bytes=MOST, max_body_bytes=10 * MOST, **settings) as server:
        yield server


def asked(inputs: dict[str, Any], task: str = "take") -> dict[str, Any]:
    """A request for a run."""
    return {"plan_name": "site", "task_name": task, "inputs": inputs}


def is_refused(response: Response) -> None:
    assert response.status == 422
    assert response.json["type"] == "urn:aura:problem:inputs-too-large"
    assert response.json["detail"] == TOLD
    assert response.json["errors"] == [{"location": "body", "field": "/inputs", "message": FAULT}]


async def test_as_much_as_is_allowed_is_taken_and_no_more(site: Served) -> None:
    assert (await site.done("site", "take", inputs=FITS))["status"] == "succeeded"
    is_refused(await site.post("/api/tasks/run", asked(TOO_LARGE)))
    is_refused(await site.post("/api/tasks/dry-run", asked(TOO_LARGE)))
    is_refused(await site.post("/api/queue/insert", asked(TOO_LARGE) | {"index": 0}))
    told = (await site.get("/api/system/capabilities")).json["limits"]
    assert told["max_inputs_bytes"] == MOST


async def test_of_a_batch_only_what_is_too_large_is_refused(site: Served) -> None:
    tasks = [asked(FITS), asked(TOO_LARGE)]
    batch = (await site.post("/api/tasks/batch", {"tasks": tasks})).json
    assert (batch["success_count"], batch["failed_count"]) == (1, 1)
    error = batch["items"][1]["error"]
    assert (error["status"], error["detail"]) == (422, TOLD)


async def test_secret_inputs_count_too(site: Served) -> None:
    response = await site.post("/api/tasks/run", asked({"text": "s" * MOST}, "hide"))
    assert response.status == 422
    assert response.json["type"] == "urn:aura:problem:inputs-too-large"
    assert b"sss" not in response.body


async def test_a_run_that_is_done_over_with_other_inputs(site: Served) -> None:
    run = await site.done("site", "take")
    is_refused(await site.post(f"/api/tasks/{run['cid']}/retry", {"inputs": TOO_LARGE}))
    accepted = await site.post(f"/api/tasks/{run['cid']}/retry", {"inputs": FITS})
    assert (await site.finished(accepted.json["cid"]))["status"] == "succeeded"


async def test_schedules(site: Served) -> None:
    wanted = asked(FITS) | {"id": "mine", "every_sec": 86_400}
    is_refused(await site.post("/api/schedules", wanted | {"inputs": TOO_LARGE}))
    assert (await site.post("/api/schedules", wanted)).status == 201
    changes = {"inputs": TOO_LARGE}
    is_refused(await site.request("PATCH", "/api/schedules/mine", json=changes))
    assert (await site.post("/api/schedules/mine/run")).status == 202
    is_refused(await site.post("/api/schedules/site%2Flarge/run"))


async def test_a_child_run_is_refused_with_a_sentence(site: Served) -> None:
    letters = len(FITS["text"])
    run = await site.done("site", "hand_down", inputs={"letters": letters})
    assert run["status"] == "succeeded"
    run = await site.done("site", "hand_down", inputs={"letters": letters + 1})
    assert run["status"] == "failed"
    assert run["error"]["message"].endswith(TOLD)
