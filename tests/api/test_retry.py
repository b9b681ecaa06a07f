"""Runs that are done over: from the start, from where they failed, from a step.

Imports pytest, the fixtures, `tests.serving` and `tests.probe_plan`.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served, serving, write_plan
from tests.waiting import until

NO_CID = "019cadd4-0000-7000-8000-000000000000"

ACTIONS = '''
from pathlib import Path

from aura_aio import action


@action
def note(file: str, line: str) -> str:
    """Append a line to a file, and give it back."""
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(line + "\\n")
    return line


@action
def fail_once(file: str, line: str) -> str:
    """Fail unless there is a file `ok` beside it."""
    note(file, line)
    if not (Path(file).parent / "ok").exists():
        raise RuntimeError("not yet")
    return line
'''

FLAKY = """
meta:
  inputs:
    - {name: file, required: true}
    - {name: word, default: one}
    - {name: key, secret: true}
steps:
  fetch: {action: note, params: {file: "{{ inputs.file }}", line: "fetch {{ inputs.word }}"}}
  quiet: {action: note, when: "{{ false }}", params: {file: x, line: x}}
  store:
    action: fail_once
    depends_on: fetch
    params: {file: "{{ inputs.file }}", line: "store {{ nodes.fetch.output }}"}
  after:
    action: note
    depends_on: [store, quiet]
    params: {file: "{{ inputs.file }}", line: after}
  beside: {action: note, depends_on: quiet, params: {file: "{{ inputs.file }}", line: beside}}
returns:
  - "{{ nodes.store.output }}"
  - "{{ inputs.word }}"
  - "{{ inputs.key | default('') == 'open sesame' }}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lines"


@pytest.fixture
async def server(make_server: MakeServer, tmp_path: Path) -> Served:
    write_plan(tmp_path / "plans", "redo", {"flaky": FLAKY}, ACTIONS)
    return await make_server(
        plans=[str(tmp_path / "plans"), write_probe(tmp_path / "probe")],
        data_dir=str(tmp_path / "data"),
    )


def forget(file: Path) -> None:
    """Begin anew with what the steps write."""
    file.write_text("", "utf-8")


def lines(file: Path) -> list[str]:
    """What the steps have written, in no order of their own."""
    return sorted(file.read_text("utf-8").splitlines())


async def failed(server: Served, file: Path, **inputs: Any) -> str:
    """A run whose step `store` has failed."""
    run = await server.done("redo", "flaky", inputs={"file": str(file), **inputs})
    assert (run["status"], run["error"]["step"]) == ("failed", "store")
    cid: str = run["cid"]
    forget(file)
    return cid


async def retry(server: Served, cid: str, **body: Any) -> Any:
    """Do the run over, and wait for the end of the new one."""
    response = await server.post(f"/api/tasks/{cid}/retry", body)
    assert response.status == 202, response.body
    assert response.headers["Location"] == f"/api/runs/{response.json['cid']}"
    assert response.json["retry_of"] == cid != response.json["cid"]
    return await server.finished(response.json["cid"])


def mend(file: Path) -> None:
    """Let the step `store` succeed from now on."""
    (file.parent / "ok").touch()


async def test_from_the_start_every_step_is_run(server: Served, file: Path) -> None:
    cid = await failed(server, file, key="open sesame")
    mend(file)
    response = await server.post(f"/api/tasks/{cid}/retry")
    run = await server.finished(response.json["cid"])
    assert run["status"] == "succeeded"
    assert run["result"] == ["store fetch one", "one", True]
    assert (run["retry_of"], run["inputs"]["key"]) == (cid, "***")
    assert lines(file) == ["after", "beside", "fetch one", "store fetch one"]
    assert "retry_of" not in (await server.get(f"/api/runs/{cid}")).json


async def test_from_where_it_failed(server: Served, file: Path) -> None:
    cid = await failed(server, file)
    mend(file)
    run = await retry(server, cid, **{"from": "failed"})
    assert run["result"][0] == "store fetch one"
    assert lines(file) == ["after", "store fetch one"]
    steps = (await server.get(f"/api/runs/{run['cid']}/timeline")).json["steps"]
    reused = {step["node_id"]: step["is_reused"] for step in steps}
    assert reused == {"fetch": True, "quiet": True, "beside": True, "store": False, "after": False}
    assert all(("attempt" in step) != step["is_reused"] for step in steps)


async def test_a_retry_that_fails_again_is_done_over_in_turn(server: Served, file: Path) -> None:
    cid = await failed(server, file)
    again = await retry(server, cid, **{"from": "failed"})
    assert (again["status"], again["error"]["step"]) == ("failed", "store")
    mend(file)
    last = await retry(server, again["cid"], **{"from": "failed"})
    assert (last["status"], last["retry_of"]) == ("succeeded", again["cid"])
    assert "fetch one" not in lines(file)
    for of in (cid, again["cid"]):
        items = (await server.get(f"/api/runs?retry_of={of}")).json["items"]
        assert [each["retry_of"] for each in items] == [of]
    assert (await server.get(f"/api/runs?retry_of={last['cid']}")).json == {"items": []}


async def test_from_a_step_with_other_inputs(server: Served, file: Path) -> None:
    cid = await failed(server, file, key="open sesame")
    mend(file)
    run = await retry(server, cid, inputs={"word": "two"}, **{"from": "store"})
    assert run["result"] == ["store fetch one", "two", True]
    assert run["inputs"]["word"] == "two"
    assert lines(file) == ["after", "store fetch one"]


async def test_priority_and_labels_stay(server: Served, file: Path) -> None:
    run = await server.done(
        "redo", "flaky", inputs={"file": str(file)}, priority=3, labels={"a": "b"}, timeout_sec=50
    )
    again = await retry(server, run["cid"])
    assert (again["priority"], again["labels"], again["timeout_sec"]) == (3, {"a": "b"}, 50)


async def test_asked_only(server: Served, file: Path) -> None:
    cid = await failed(server, file)
    response = await server.post(
        f"/api/tasks/{cid}/retry", {"from": "failed", "dry_run": True, "inputs": {"word": "two"}}
    )
    assert response.status == 200
    assert "cid" not in response.json
    assert "status" not in response.json
    steps = {step["node_id"]: step for step in response.json["steps"]}
    assert {name: step["action"] for name, step in steps.items()} == {
        "fetch": "reuse",
        "quiet": "skip",
        "store": "run",
        "after": "run",
        "beside": "reuse",
    }
    assert steps["store"]["why"] == "It has failed."
    assert steps["after"]["why"] == "It depends on 'store', which is run."
    assert list(steps).index("store") < list(steps).index("after")
    assert lines(file) == []
    assert len((await server.get("/api/runs")).json["items"]) == 1


async def test_the_task_as_it_is_now(server: Served, file: Path, tmp_path: Path) -> None:
    cid = await failed(server, file)
    mend(file)
    changed = FLAKY.replace("line: beside", "line: changed").replace(
        "    - {name: key, secret: true}\n", ""
    )
    write_plan(tmp_path / "plans", "redo", {"flaky": changed.replace("inputs.key", "'no'")})
    await server.post("/api/system/reload")
    await retry(server, cid, **{"from": "failed"})
    assert lines(file) == ["after", "store fetch one"]
    forget(file)
    run = await retry(server, cid, definition="latest", **{"from": "failed"})
    assert "key" not in run["inputs"]
    assert lines(file) == ["after", "changed", "store fetch one"]


async def test_the_same_key_does_it_over_once(server: Served, file: Path) -> None:
    cid = await failed(server, file)
    key = {"Idempotency-Key": "once"}
    body = {"from": "failed"}
    first = await server.post(f"/api/tasks/{cid}/retry", body, headers=key)
    mend(file)
    second = await server.post(f"/api/tasks/{cid}/retry", body, headers=key)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json == first.json
    other = await server.post(f"/api/tasks/{cid}/retry", {"from": "start"}, headers=key)
    assert other.status == 422


async def test_what_cannot_be_done_over(server: Served, file: Path, tmp_path: Path) -> None:
    cid = await failed(server, file)

    async def refused(cid: str, **body: Any) -> tuple[int, str]:
        response = await server.post(f"/api/tasks/{cid}/retry", body)
        return response.status, response.json["detail"]

    assert (await refused(NO_CID))[0] == 404
    status, detail = await refused(cid, **{"from": "stroe"})
    assert (status, "Did you mean 'store'?" in detail) == (400, True)
    status, detail = await refused(cid, inputs={"wrod": "x"})
    assert (status, "wrod" in detail) == (400, True)
    assert (await refused(cid, definition="newest"))[0] == 422
    gate = tmp_path / "gate"
    held = await server.run("probe", "hold", inputs={"gate": str(gate)})
    assert (await refused(held))[0] == 409
    gate.touch()
    await server.finished(held)


async def test_a_task_that_is_gone(server: Served, file: Path, tmp_path: Path) -> None:
    cid = await failed(server, file)
    (tmp_path / "plans" / "redo" / "tasks" / "flaky.yaml").unlink()
    await server.post("/api/system/reload")
    response = await server.post(f"/api/tasks/{cid}/retry", {"definition": "latest"})
    assert (response.status, "flaky" in response.json["detail"]) == (400, True)
    mend(file)
    assert (await retry(server, cid))["status"] == "succeeded"


async def test_what_is_kept_outlives_a_lost_worker(
    server: Served, file: Path, tmp_path: Path
) -> None:
    """`on_crash: restart` begins anew, but not before what the run was given."""
    gate = tmp_path / "gate"
    task = f"""
meta: {{on_crash: restart}}
steps:
  first: {{action: count, params: {{file: "{file}", line: first}}}}
  hold: {{action: hold, depends_on: first, params: {{gate: "{gate}"}}}}
"""
    write_plan(tmp_path / "probe", "probe", {"two": task})
    await server.post("/api/system/reload")
    cid = await server.run("probe", "two")
    await until(file.exists)
    await server.post(f"/api/tasks/{cid}/cancel")
    await server.finished(cid)
    assert lines(file) == ["first"]
    again = (await server.post(f"/api/tasks/{cid}/retry", {"from": "failed"})).json["cid"]

    async def holding() -> Any:
        active = (await server.get("/api/runs/active")).json["items"]
        return next((run for run in active if run["current_steps"] == ["hold"]), None)

    assert (await until(holding, within=20))["attempt"] == 1
    (worker,) = (await server.get("/api/system/status")).json["workers"]
    os.kill(worker["pid"], signal.SIGKILL)

    async def holding_again() -> Any:
        run = await holding()
        return run is not None and run["attempt"] == 2

    await until(holding_again, within=20)
    gate.touch()
    assert (await server.finished(again))["status"] == "succeeded"
    assert lines(file) == ["first"]


async def test_secret_inputs_whose_key_is_gone(tmp_path: Path) -> None:
    write_plan(tmp_path / "plans", "redo", {"flaky": FLAKY}, ACTIONS)
    settings = {"plans": [str(tmp_path / "plans")], "data_dir": str(tmp_path / "data")}
    async with serving(**settings) as server:
        cid = await failed(server, tmp_path / "lines", key="open sesame")
    await asyncio.to_thread((tmp_path / "data" / "secrets.key").unlink)
    async with serving(**settings) as server:
        response = await server.post(f"/api/tasks/{cid}/retry")
        assert (response.status, "secrets.key" in response.json["detail"]) == (409, True)
