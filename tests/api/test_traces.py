"""Traces on their way: from the request to the run, its actions, its children, its callback.

Imports pytest, the fixtures, `tests.receiver` and `tests.serving`.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.receiver import SECRET, receiving
from tests.serving import Served, write_plan

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "rojo=1,congo=2"}
WHOLE = f"{SENT['traceparent']} {SENT['tracestate']}"

ACTIONS = '''
from aura_aio import ActionContext, action


@action
async def where(context: ActionContext) -> str:
    """The trace that this call belongs to."""
    return f"{context.traceparent} {context.tracestate}"


@action(isolation="process")
def apart(context: ActionContext) -> str:
    """The same, of a process of its own."""
    return f"{context.traceparent} {context.tracestate}"
'''
TASKS = {
    "here": "steps: {it: {action: where}}\nreturns: '{{ nodes.it.output }}'\n",
    "apart": "steps: {it: {action: apart}}\nreturns: '{{ nodes.it.output }}'\n",
    "above": """
steps: {it: {action: aura.run_task, params: {task: here}}}
returns: "{{ nodes.it.output.result }}"
""",
    "ask": """
meta: {inputs: [{name: url, type: string}, {name: headers, type: dict, default: {}}]}
steps:
  it: {action: http.get, params: {url: "{{ inputs.url }}", headers: "{{ inputs.headers }}"}}
""",
}
SCHEDULE = {"id": "s", "plan_name": "traces", "task_name": "here", "every_sec": 86_400}


@pytest.fixture
async def server(make_server: MakeServer, tmp_path: Path) -> Served:
    """A server whose runs tell which trace they belong to."""
    write_plan(tmp_path / "plans", "traces", TASKS, ACTIONS)
    root = str(tmp_path / "plans")
    return await make_server(plans=[root], callback_secrets=[SECRET], callback_private=True)


async def _ended(server: Served, path: str, body: Any, headers: dict[str, str]) -> Any:
    response = await server.post(path, body, headers=headers)
    assert response.status == 202, response.body
    answer = response.json
    return await server.finished(answer["items"][0]["cid"] if "items" in answer else answer["cid"])


async def test_a_trace_reaches_whatever_comes_of_the_request(server: Served) -> None:
    cids = {}
    for task in ("here", "apart", "above"):
        body = {"plan_name": "traces", "task_name": task}
        run = await _ended(server, "/api/tasks/run", body, SENT)
        assert {name: run[name] for name in SENT} == SENT, task
        assert run["result"] == WHOLE, task
        cids[task] = run["cid"]
    (child,) = (await server.get(f"/api/runs?parent_cid={cids['above']}")).json["items"]
    found = (await server.get(f"/api/runs/{child['cid']}")).json
    assert {name: found[name] for name in SENT} == SENT


async def test_whatever_starts_a_run_takes_one(server: Served) -> None:
    body = {"plan_name": "traces", "task_name": "here"}
    batch = {"tasks": [body]}
    first = await _ended(server, "/api/tasks/batch", batch, SENT)
    assert first["result"] == WHOLE
    other = {"traceparent": f"00-{TRACE[::-1]}-{SPAN}-00"}
    inserted = await _ended(server, "/api/queue/insert", {**body, "index": 0}, other)
    assert inserted["result"] == f"{other['traceparent']} None"
    assert "tracestate" not in inserted
    again = await _ended(server, f"/api/tasks/{first['cid']}/retry", {}, other)
    assert again["result"] == inserted["result"]
    assert (await server.post("/api/schedules", SCHEDULE)).status == 201
    scheduled = await _ended(server, "/api/schedules/s/run", None, SENT)
    assert scheduled["result"] == WHOLE


async def test_without_one_and_with_a_bad_one_there_is_none(server: Served) -> None:
    body = {"plan_name": "traces", "task_name": "here"}
    bad = SENT | {"traceparent": f"00-{'0' * 32}-{SPAN}-01"}
    for headers in ({}, bad):
        run = await _ended(server, "/api/tasks/run", body, headers)
        assert not run.keys() & SENT.keys()
        assert run["result"] == "None None"
    run = await _ended(server, "/api/tasks/run", body, SENT | {"tracestate": "none"})
    assert run["result"] == f"{SENT['traceparent']} None"


async def test_a_callback_is_a_span_of_the_trace(server: Served) -> None:
    async with receiving() as receiver:
        body = {"plan_name": "traces", "task_name": "here", "callback_url": receiver.url}
        await _ended(server, "/api/tasks/run", body, SENT)
        (call,) = await receiver.came()
        await _ended(server, "/api/tasks/run", body, {})
        (_, *rest) = await receiver.came(2)
    told = call.headers["traceparent"]
    assert told.split("-")[1] == TRACE
    assert told.endswith("-01")
    assert SPAN not in told
    assert call.headers["tracestate"] == SENT["tracestate"]
    assert not rest[0].headers.keys() & SENT.keys()


@pytest.mark.parametrize(
    ("started", "own", "sent"),
    [
        (SENT, {}, SENT),
        ({}, {}, {}),
        (SENT, {"TraceParent": "mine"}, {"traceparent": "mine"}),
        (SENT, {"TraceState": "mine=1", "X-A": "b"}, SENT),
    ],
)
async def test_what_a_step_asks_for_belongs_to_the_trace(
    server: Served, started: dict[str, str], own: dict[str, str], sent: dict[str, str]
) -> None:
    async with receiving() as receiver:
        inputs = {"url": receiver.url, "headers": own}
        body = {"plan_name": "traces", "task_name": "ask", "inputs": inputs}
        assert (await _ended(server, "/api/tasks/run", body, started))["status"] == "succeeded"
        (call,) = await receiver.came()
    assert {name: call.headers[name] for name in SENT if name in call.headers} == sent
    assert call.headers.get("X-A") == own.get("X-A")
