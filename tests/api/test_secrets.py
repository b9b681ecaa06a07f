"""Secrets on a real server with real workers: in nothing that leaves them, and not in the store.

Imports pytest, aiohttp, the fixtures, `tests.serving` and `tests.server_process`.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.backends import DATABASES
from tests.conftest import MakeServer
from tests.server_process import server_process
from tests.serving import Served, serving, write_plan

VALUE = 's3cr3t "quoted" ü'
PARTS = ("s3cr3t", "quoted")

ACTIONS = '''
import json
import logging
import os
import signal
import subprocess
import sys

from aura_aio import ActionContext, action


@action
def leak(context: ActionContext, value: str) -> dict:
    """Say it in all the ways there are."""
    print(value)
    print(json.dumps({"inner": json.dumps([value])}))
    sys.stderr.write(value)
    logging.getLogger("leak").warning("logged %s", value)
    context.log(f"said {value}", value=value)
    context.progress(0.5, f"at {value}")
    return {"value": value, "env": sorted(os.environ)}


@action
def check(value: str, expected: str) -> bool:
    return value == expected


@action
def fail(value: str) -> None:
    raise ValueError(f"not {value}")


@action
def die_once(context: ActionContext) -> int:
    """End the worker in the first attempt."""
    if context.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return context.attempt


@action
def environment() -> dict:
    """The variables of this process, and of one that it starts."""
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return {"here": dict(os.environ), "child": json.loads(done.stdout)}
'''

STEPS = """
steps:
  leak:
    action: leak
    params: {value: "{{ NAME }}"}
    step_note: "note {{ params.value }}"
  fail: {action: fail, depends_on: leak, params: {value: "{{ NAME }}"}}
  after:
    action: log
    depends_on: {fail: failed}
    params: {message: "{{ nodes.leak.output.value }}"}
returns: {value: "{{ NAME }}", leaked: "{{ nodes.leak.output.value }}"}
"""

TASKS = {
    "leak_secret": STEPS.replace("NAME", "secrets.VALUE"),
    "leak_input": "meta: {inputs: [{name: value, secret: true}]}"
    + STEPS.replace("NAME", "inputs.value"),
    "check": """
meta:
  on_crash: restart
  inputs: [{name: value, secret: true}, {name: note, default: plain}]
steps:
  check: {action: check, params: {value: "{{ inputs.value }}", expected: "{{ secrets.VALUE }}"}}
returns: ["{{ nodes.check.output }}", "{{ run.attempt }}"]
""",
    "number": """
meta: {inputs: [{name: value, secret: true, type: integer}]}
steps: {a: {action: set}}
""",
    "parent": """
meta: {inputs: [{name: value, secret: true, required: true}]}
steps:
  child:
    action: aura.run_task
    params:
      task: child
      inputs:
        text: "key {{ secrets.THIRD }} end"
        conf: {mode: fast, token: "{{ inputs.value }}", deep: ["{{ secrets.OTHER }}"]}
      labels: {of: "{{ inputs.value }}"}
returns: "{{ nodes.child.output.result }}"
""",
    "child": """
meta:
  inputs:
    - {name: text, type: string}
    - name: conf
      type: dict
      properties: {mode: {}, token: {secret: true}, deep: {type: list}}
steps:
  part: {action: leak, params: {value: "{{ inputs.text[4:-4] }}"}}
  deep: {action: leak, params: {value: "{{ inputs.conf.deep[0] }}"}}
  fail: {action: fail, params: {value: "{{ inputs.text[4:-4] }}"}}
  after: {action: log, depends_on: {fail: failed}, params: {message: "{{ inputs.conf }}"}}
returns:
  mode: "{{ inputs.conf.mode }}"
  lengths: ["{{ inputs.text[4:-4] | length }}", "{{ inputs.conf.deep[0] | length }}"]
  value: "{{ nodes.part.output.value }}"
""",
    "resume": """
meta:
  on_crash: resume
  inputs: [{name: value, secret: true, required: true}]
steps:
  both: {action: set, params: {a: "{{ inputs.value }}", b: "x {{ secrets.OTHER }}"}}
  seen: {action: set, params: {it: "{{ nodes.both.output }}"}, depends_on: both}
  die: {action: die_once, depends_on: seen}
  again: {action: set, params: {it: "{{ nodes.both.output }}"}, depends_on: die}
  leak: {action: leak, params: {value: "{{ inputs.value }}"}, depends_on: die}
returns: ["{{ nodes.seen.output.it }}", "{{ nodes.again.output.it }}", "{{ nodes.both.output }}"]
""",
    "environment": "steps: {a: {action: environment}}\nreturns: '{{ nodes.a.output }}'\n",
}


@pytest.fixture
def plans(tmp_path: Path) -> list[str]:
    write_plan(tmp_path / "plans", "secretive", TASKS, ACTIONS)
    return [str(tmp_path / "plans")]


@pytest.fixture
async def server(make_server: MakeServer, plans: list[str], tmp_path: Path) -> Served:
    return await make_server(plans=plans, secrets={"VALUE": VALUE}, data_dir=str(tmp_path / "data"))


def assert_hidden(*found: object) -> None:
    for each in found:
        text = each.decode(errors="replace") if isinstance(each, bytes) else json.dumps(each)
        for part in PARTS:
            assert part not in text


async def stored(folder: Path) -> bytes:
    """All bytes of the database and what belongs to it."""
    return await asyncio.to_thread(DATABASES.content, folder)


@pytest.mark.parametrize("task", ["leak_secret", "leak_input"])
async def test_a_secret_is_in_no_answer_no_log_line_and_not_in_the_store(
    server: Served, task: str, tmp_path: Path
) -> None:
    inputs = {"value": VALUE} if task == "leak_input" else {}
    async with server.session.ws_connect(f"{server.url}/ws/logs?since=0") as monitor:
        cid = await server.run("secretive", task, inputs=inputs)
        run = await server.finished(cid)
        assert run["status"] == "succeeded", run
        assert run["result"] == {"value": "***", "leaked": "***"}
        assert run["inputs"] == dict.fromkeys(inputs, "***")
        log = await server.log(cid)
        messages = [entry["message"] for entry in log]
        assert {"note ***", "***", "logged ***", "said ***"} <= set(messages)
        streamed: list[Any] = []
        while len(streamed) < len(log):
            frame = json.loads(await monitor.receive_str(timeout=10))
            streamed += [frame] if frame["type"] == "log" and frame["payload"].get("cid") else []
    listed = (await server.get("/api/runs?include=inputs,result")).json
    definition = (await server.get(f"/api/runs/{cid}/definition")).json
    assert_hidden(run, log, streamed, listed, definition)
    assert_hidden(await stored(tmp_path / "data"))


async def test_a_secret_that_is_passed_to_a_child_is_one_there_whatever_the_child_does_with_it(
    plans: list[str], make_server: MakeServer, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    secrets = {"OTHER": "0ther quoted", "THIRD": "s3cr3t no. 3"}
    server = await make_server(plans=plans, secrets=secrets, data_dir=str(data_dir))
    async with server.session.ws_connect(f"{server.url}/ws/logs?since=0") as monitor:
        parent = await server.done("secretive", "parent", inputs={"value": VALUE})
        assert parent["status"] == "succeeded", parent
        wanted = {"mode": "fast", "lengths": [12, 12], "value": "***"}
        assert parent["result"] == wanted
        (child,) = (await server.get(f"/api/runs?parent_cid={parent['cid']}")).json["items"]
        retried = await server.post(f"/api/tasks/{child['cid']}/retry", {"from": "start"})
        again = await server.finished(retried.json["cid"])
        assert again["result"] == wanted
        logs = [await server.log(run["cid"]) for run in (parent, child, again)]
        streamed: list[Any] = []
        while len(streamed) < sum(map(len, logs)):
            frame = json.loads(await monitor.receive_str(timeout=10))
            streamed += [frame] if frame["type"] == "log" and frame["payload"].get("cid") else []
    for run in (child, again):
        timeline = (await server.get(f"/api/runs/{run['cid']}/timeline")).json
        shown = (await server.get(f"/api/runs/{run['cid']}")).json
        assert shown["inputs"] == {"text": "***", "conf": "***"}
        assert_hidden(shown, timeline)
    listed = (await server.get("/api/runs?include=inputs,result")).json
    assert_hidden(parent, logs, streamed, listed, await stored(data_dir))


async def test_what_was_masked_before_a_crash_is_the_same_after_it(
    plans: list[str], make_server: MakeServer, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    server = await make_server(plans=plans, secrets={"OTHER": "quoted"}, data_dir=str(data_dir))
    run = await server.done("secretive", "resume", inputs={"value": VALUE})
    assert (run["status"], run["attempt"]) == ("succeeded", 2), run
    assert run["result"] == [{"a": "***", "b": "x ***"}] * 3
    timeline = (await server.get(f"/api/runs/{run['cid']}/timeline")).json
    assert_hidden(run, timeline, await server.log(run["cid"]), await stored(data_dir))


async def test_a_sealed_input_reaches_the_action_after_a_restart_of_the_server(
    plans: list[str], tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"plans": plans, "data_dir": str(tmp_path / "data")}
    async with serving(**settings, start=False) as server:
        cid = await server.run("secretive", "check", inputs={"value": VALUE})
        assert_hidden((await server.get(f"/api/runs/{cid}")).json)
    assert_hidden(await stored(tmp_path / "data"))
    async with serving(**settings, secrets={"VALUE": VALUE}) as server:
        run = await server.finished(cid)
        assert run["result"] == [True, 1]
        assert run["inputs"] == {"value": "***", "note": "plain"}


async def test_a_sealed_input_whose_key_is_gone_fails_its_run_and_no_other(
    plans: list[str], tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    settings: dict[str, Any] = {"plans": plans, "data_dir": str(data_dir)}
    async with serving(**settings, start=False) as server:
        cid = await server.run("secretive", "check", inputs={"value": VALUE})
    await asyncio.to_thread((data_dir / "secrets.key").unlink)
    async with serving(**settings, secrets={"VALUE": VALUE}) as server:
        run = await server.finished(cid)
        assert (run["status"], run["error"]["type"]) == ("failed", "SealBroken")
        assert "secrets.key" in run["error"]["message"]
        assert (await server.done("secretive", "check", inputs={"value": VALUE}))["result"][0]


async def test_what_is_wrong_with_a_secret_input_is_told_without_it(
    server: Served, tmp_path: Path
) -> None:
    body = {"plan_name": "secretive", "task_name": "number", "inputs": {"value": VALUE}}
    alone = await server.post("/api/tasks/run", body)
    assert alone.status == 400
    assert "must be a whole number" in alone.json["detail"]
    batch = await server.post(
        "/api/tasks/batch", {"tasks": [body]}, headers={"Idempotency-Key": "secret-1"}
    )
    assert batch.json["failed_count"] == 1
    assert_hidden(alone.json, batch.json, await stored(tmp_path / "data"))


async def test_an_idempotency_key_holds_for_secret_inputs_and_keeps_nothing_to_guess_by(
    server: Served, tmp_path: Path
) -> None:
    body = {"plan_name": "secretive", "task_name": "check", "inputs": {"value": VALUE}}
    other = {**body, "inputs": {"value": "another one"}}
    headers = {"Idempotency-Key": "secret-2"}
    first = await server.post("/api/tasks/run", body, headers=headers)
    again = await server.post("/api/tasks/run", body, headers=headers)
    assert again.json == first.json
    assert (await server.post("/api/tasks/run", other, headers=headers)).status == 422
    assert_hidden(await stored(tmp_path / "data"))


async def test_what_is_secret_is_written_only_in_a_schema(server: Served) -> None:
    found = (await server.get("/api/plans/secretive/tasks/check")).json
    assert found["inputs_schema"]["properties"]["value"] == {"type": "string", "writeOnly": True}
    assert found["meta"]["inputs"][0]["secret"] is True


async def test_a_variable_of_the_server_is_in_no_environment_of_what_it_starts(
    plans: list[str], tmp_path: Path
) -> None:
    (tmp_path / "secrets").write_text("VALUE=of the file\nMORE=of the file\n", "utf-8")
    (tmp_path / "secrets").chmod(0o600)
    env = {"AURA_SECRET_VALUE": VALUE, "AURA_SECRETS_FILE": str(tmp_path / "secrets")}
    async with server_process(tmp_path / "data", plans[0], "--workers=1", env=env) as server:
        found = (await server.done("secretive", "environment"))["result"]
        for environment in (found["here"], found["child"]):
            assert environment["AURA_SECRETS_FILE"] == env["AURA_SECRETS_FILE"]
            assert "AURA_SECRET_VALUE" not in environment
        assert_hidden(found)
        run = await server.done("secretive", "check", inputs={"value": VALUE})
        assert run["result"] == [True, 1]
