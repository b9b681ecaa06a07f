"""Spans of OpenTelemetry: one trace from the request over the run to its steps.

Imports pytest, `tests.collector`, `tests.receiver`, `tests.serving` and `tests.waiting`.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.collector import Collector, collecting
from tests.receiver import SECRET, receiving
from tests.serving import Served, serving, write_plan
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPAN = "00f067aa0ba902b7"
HIDDEN = "not for every eye"
ACTIONS = '''
import asyncio
import sys

from aura_aio import ActionContext, action


@action
def fine(context: ActionContext) -> str:
    """Where the call belongs, and that nothing of OpenTelemetry is in a worker."""
    assert not [name for name in sys.modules if name.startswith("opentelemetry")]
    return context.traceparent or "none"


@action
def second_time(context: ActionContext) -> int:
    """Fails the first time."""
    if context.tries == 1:
        raise ValueError("not yet")
    return context.tries


@action
def says(text: str) -> None:
    """Fails, and says why."""
    raise LookupError(f"no {text} here")


@action
async def never_ends() -> None:
    """Waits for nothing."""
    await asyncio.Event().wait()
'''
TASKS = {
    "good": """
meta: {inputs: [{name: url, type: string}]}
steps:
  first: {action: fine}
  ask: {action: http.get, depends_on: first, params: {url: "{{ inputs.url }}"}}
  again: {action: second_time, depends_on: ask, retry: 2}
  turns: {action: fine, depends_on: again, loop: {times: 2}}
  below: {action: aura.run_task, depends_on: turns, params: {task: child}}
  not_now: {action: fine, depends_on: below, when: "{{ false }}"}
returns: {first: "{{ nodes.first.output }}", child: "{{ nodes.below.output.cid }}"}
""",
    "child": "steps: {inside: {action: fine}}\n",
    "bad": """
meta: {inputs: [{name: word, type: string, secret: true}]}
steps: {breaks: {action: says, params: {text: "{{ inputs.word }}"}}}
""",
    "lost": "steps: {it: {action: never_ends}}\n",
    "follows": """
on: [{event: run.finished, plan: spans, task: child}]
steps: {after: {action: fine}}
""",
}


@dataclass(frozen=True)
class Traced:
    """A server that makes spans, and where it sends them."""

    server: Served
    collector: Collector

    async def start(self, trace_id: str, task: str, flags: str = "01", **rest: Any) -> str:
        """Start a task in that trace; its cid."""
        headers = {"traceparent": f"00-{trace_id}-{SPAN}-{flags}", "tracestate": "rojo=1"}
        body = {"plan_name": "spans", "task_name": task, **rest}
        response = await self.server.post("/api/tasks/run", body, headers=headers)
        assert response.status == 202, response.body
        cid: str = response.json["cid"]
        return cid

    async def run(self, trace_id: str, task: str, flags: str = "01", **rest: Any) -> Any:
        """Run a task in that trace, to its end."""
        return await self.server.finished(await self.start(trace_id, task, flags, **rest))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    """A traced server with one worker; the SDK has its own settings, from its own variables."""
    folder = tmp_path_factory.mktemp("spans")
    await asyncio.to_thread(write_plan, folder / "plans", "spans", TASKS, ACTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        patch.setenv("OTEL_SERVICE_NAME", "aura of the test")
        patch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc")
        async with (
            collecting() as collector,
            serving(
                data_dir=str(folder / "data"),
                plans=[str(folder / "plans")],
                otel_endpoint=collector.url,
                callback_secrets=[SECRET],
                callback_private=True,
            ) as server,
        ):
            yield Traced(server, collector)


async def test_one_trace_leads_from_the_request_to_every_step(traced: Traced) -> None:
    trace_id = "a" * 32
    async with receiving() as receiver:
        run = await traced.run(trace_id, "good", inputs={"url": receiver.url})
        (asked,) = await receiver.came()
    assert run["status"] == "succeeded", run
    spans = await traced.collector.came(
        "runTask", "spans/good", "spans/child", "inside", trace_id=trace_id
    )
    request, whole = spans["runTask"], spans["spans/good"]
    assert (request.parent_id, request.kind, request.state) == (SPAN, "SERVER", "rojo=1")
    assert request.attributes == request.attributes | {
        "http.request.method": "POST",
        "http.route": "/api/tasks/run",
        "http.response.status_code": 202,
        "url.scheme": "http",
        "url.path": "/api/tasks/run",
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
    }
    assert (whole.parent_id, whole.kind, whole.failed) == (request.id, "CONSUMER", False)
    assert run["traceparent"] == f"00-{trace_id}-{request.id}-01"
    about = {
        "aura.run.cid": run["cid"],
        "aura.run.attempt": 1,
        "aura.run.outcome": "succeeded",
        "aura.plan.name": "spans",
        "aura.task.name": "good",
    }
    assert whole.attributes == whole.attributes | about
    assert whole.attributes["aura.worker.name"].rpartition("/")[2].startswith("worker-")
    assert 0 <= whole.attributes["aura.run.queue_wait_sec"] < 60

    steps = [spans[name] for name in ("first", "ask", "again", "turns", "below")]
    assert {step.parent_id for step in steps} == {whole.id}
    assert not any(step.failed for step in steps)
    assert "not_now" not in spans
    assert whole.began <= steps[0].began <= steps[0].ended <= steps[1].began
    assert steps[-1].ended <= whole.ended
    assert run["result"]["first"] == f"00-{trace_id}-{spans['first'].id}-01"
    assert asked.headers["traceparent"] == f"00-{trace_id}-{spans['ask'].id}-01"
    assert asked.headers["tracestate"] == "rojo=1"

    again = spans["again"]
    assert again.attributes["aura.step.tries"] == 2
    tries = [spans["try 1"], spans["try 2"]]
    assert [(each.parent_id, each.failed) for each in tries] == [
        (again.id, True),
        (again.id, False),
    ]
    assert {spans[f"turn {n}, try 1"].parent_id for n in (0, 1)} == {spans["turns"].id}

    child = spans["spans/child"]
    assert child.parent_id == spans["below"].id
    assert child.attributes["aura.run.parent_cid"] == run["cid"]
    assert spans["inside"].parent_id == child.id
    assert traced.collector.about["service.name"] == "aura of the test"
    assert traced.collector.headers["x-key"] == "abc"


async def test_what_a_client_did_not_start_has_a_trace_of_its_own(traced: Traced) -> None:
    await traced.run("a" * 32, "child")

    async def followed_by() -> Any:
        return (await traced.server.get("/api/runs?task_name=follows")).json["items"]

    followed = (await until(followed_by))[0]
    assert "traceparent" not in (await traced.server.get(f"/api/runs/{followed['cid']}")).json
    await traced.server.finished(followed["cid"])
    trace_id = followed["cid"].replace("-", "")
    spans = await traced.collector.came("spans/follows", "after", trace_id=trace_id)
    assert spans["spans/follows"].parent_id == ""
    assert spans["after"].parent_id == spans["spans/follows"].id


async def test_errors_are_told_and_secrets_are_not(traced: Traced) -> None:
    run = await traced.run("b" * 32, "bad", inputs={"word": HIDDEN})
    spans = await traced.collector.came("spans/bad", "breaks", trace_id="b" * 32)
    for span in (spans["spans/bad"], spans["breaks"]):
        assert span.failed
        assert span.message == "LookupError: no *** here"
        (event,) = span.events
        assert event["exception.type"] == span.attributes["error.type"] == "LookupError"
        assert event["exception.message"] == run["error"]["message"]
        assert "actions.py" in event["exception.stacktrace"]
        assert HIDDEN not in str(vars(span))
    assert spans["spans/bad"].attributes["aura.run.outcome"] == "failed"
    assert spans["breaks"].attributes["aura.step.status"] == "failed"

    cid = await traced.start("c" * 32, "lost")

    async def in_step() -> bool:
        items = (await traced.server.get("/api/runs/active")).json["items"]
        return any(each["current_steps"] == ["it"] for each in items)

    await until(in_step)
    (worker,) = (await traced.server.get("/api/system/status")).json["workers"]
    os.kill(worker["pid"], signal.SIGKILL)
    await traced.server.finished(cid)
    spans = await traced.collector.came("spans/lost", "it", trace_id="c" * 32)
    assert spans["spans/lost"].failed
    assert spans["spans/lost"].attributes["error.type"] == "WorkerLost"
    assert spans["it"].failed
    assert spans["it"].parent_id == spans["spans/lost"].id


async def test_what_the_caller_does_not_sample_is_not_sent(traced: Traced) -> None:
    run = await traced.run("d" * 32, "child", flags="00")
    assert run["traceparent"].startswith(f"00-{'d' * 32}-")
    assert run["traceparent"].endswith("-00")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await traced.server.get(path)).status == 200
    headers = {"traceparent": f"00-{'e' * 32}-{SPAN}-01", "User-Agent": "\udcff"}
    assert (await traced.server.get("/api/runs/none", headers=headers)).status == 404
    spans = await traced.collector.came("getRun", trace_id="e" * 32)
    assert (spans["getRun"].failed, spans["getRun"].attributes["http.route"]) == (
        False,
        "/api/runs/{cid}",
    )
    seen = {span.trace_id: span.name for span in traced.collector.spans}
    assert "d" * 32 not in seen
    assert not {"getHealth", "getReadiness", "getMetrics"} & set(seen.values())


async def test_a_callback_has_a_span_below_that_of_the_run(traced: Traced) -> None:
    async with receiving() as receiver:
        receiver.answers.append((410, {}))  # never again
        await traced.run("f" * 32, "child", callback_url=receiver.url)
        (call,) = await receiver.came()
    spans = await traced.collector.came("callback", "spans/child", trace_id="f" * 32)
    callback = spans["callback"]
    assert call.headers["traceparent"] == f"00-{'f' * 32}-{callback.id}-01"
    assert call.headers["tracestate"] == "rojo=1"
    assert (callback.parent_id, callback.kind) == (spans["spans/child"].id, "CLIENT")
    assert callback.attributes["http.response.status_code"] == 410
    assert callback.failed
