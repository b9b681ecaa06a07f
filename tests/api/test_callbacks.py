"""Callbacks from a real server to a real receiver: who is told, of what, how often, and who never.

Imports pytest, the fixtures, `tests.receiver` and the contract's checker.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aura_aio.contract.document import load_contract
from tests.conftest import MakeServer
from tests.contract.json_schema import Schemas, closed, faults
from tests.receiver import SECRET, Receiver, pouring, receiving
from tests.serving import Served, write_plan
from tests.waiting import until

QUICK = {
    "callback_secrets": [SECRET],
    "callback_private": True,
    "callback_retry_sec": 0.01,
    "callback_timeout_sec": 20,
    "workers": 0,
}
TEXT = {"text": "x"}

FAILS = """
meta: {inputs: [{name: key, type: string, secret: true}]}
steps:
  it: {action: fail, params: {message: "the key {{ inputs.key }} is bad"}}
"""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Takes all that comes."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def with_worker(make_server: MakeServer, probe_root: str) -> Served:
    """The same, with a worker process, which may die."""
    return await make_server(plans=[probe_root], **{**QUICK, "workers": 1})


@pytest.fixture
async def calling(make_server: MakeServer, probe_root: str) -> Served:
    """A server that calls this machine, and tries again at once."""
    return await make_server(plans=[probe_root], **QUICK)


async def settled(server: Served, cid: str) -> Any:
    """The callback of a run once it is not tried any more."""

    async def found() -> Any:
        answer = (await server.get(f"/api/runs/{cid}/callbacks")).json
        return answer if answer["status"] in ("delivered", "failed") else None

    return await until(found, within=20)


async def test_the_end_of_a_run_is_told_with_a_signature(
    calling: Served, receiver: Receiver
) -> None:
    url = f"{receiver.url}/hook?key=4711"
    cid = await calling.run("probe", "echo", inputs=TEXT, labels={"a": "b"}, callback_url=url)
    (call,) = await receiver.came()
    schemas = Schemas(closed((await asyncio.to_thread(load_contract)).as_dict()))
    assert list(faults(schemas.component("RunFinishedEvent"), call.json)) == []
    run = await calling.finished(cid)
    event = call.json
    assert (event["type"], event["timestamp"]) == ("run.finished", run["finished_at"])
    assert event["data"]["cid"] == cid
    assert event["data"]["status"] == "succeeded"
    assert event["data"]["labels"] == {"a": "b"}
    assert not {"inputs", "result"} & event["data"].keys()
    assert call.path == "/hook"
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["webhook-id"] == f"msg_{cid}"
    assert call.is_signed_with(SECRET)
    assert len(call.signatures()) == 1
    found = await settled(calling, cid)
    assert found["url"] == f"{receiver.url}/hook?…"
    (tried,) = found["items"]
    assert (tried["number"], tried["status"], tried["status_code"]) == (1, "delivered", 204)
    assert "next_at" not in found
    assert len(receiver.calls) == 1


async def test_every_end_is_told(with_worker: Served, receiver: Receiver, tmp_path: Path) -> None:
    calling = with_worker
    url = receiver.url
    gate = {"gate": str(tmp_path / "gate")}
    later = await calling.run("probe", "echo", inputs=TEXT, delay_sec=600, callback_url=url)
    held = await calling.run("probe", "hold", inputs=gate, callback_url=url)
    late = await calling.run("probe", "hold", inputs=gate, timeout_sec=0.05, callback_url=url)
    lost = await calling.run("probe", "echo", inputs=TEXT, callback_url=url)
    await receiver.came(2)
    for cid in (later, held):
        assert (await calling.post(f"/api/tasks/{cid}/cancel")).status == 202
    await receiver.came(4)
    broken = await calling.run("probe", "exit_process", callback_url=url)
    told = {call.json["data"]["cid"]: call.json["data"] for call in await receiver.came(5)}
    assert {cid: run["status"] for cid, run in told.items()} == {
        later: "cancelled",
        held: "cancelled",
        late: "timed_out",
        lost: "succeeded",
        broken: "failed",
    }
    assert told[broken]["error"]["type"] == "WorkerLost"


async def test_a_run_without_a_callback_has_none(calling: Served, receiver: Receiver) -> None:
    run = await calling.done("probe", "echo", inputs=TEXT)
    assert (await calling.get(f"/api/runs/{run['cid']}/callbacks")).json == {"items": []}
    assert (await calling.get("/api/runs/none/callbacks")).status == 404
    assert receiver.calls == []


async def test_before_the_end_it_waits(waiting: Served) -> None:
    url = "https://hooks.example.org/"
    cid = await waiting.run("probe", "echo", inputs=TEXT, callback_url=url)
    found = (await waiting.get(f"/api/runs/{cid}/callbacks")).json
    assert found == {"items": [], "url": url, "status": "waiting"}


async def test_no_secret_and_no_traceback_is_told(
    make_server: MakeServer, receiver: Receiver, tmp_path: Path
) -> None:
    write_plan(tmp_path / "plans", "keys", {"bad": FAILS})
    server = await make_server(plans=[str(tmp_path / "plans")], **QUICK)
    inputs = {"key": "s3cr3t-value"}
    run = await server.done("keys", "bad", inputs=inputs, callback_url=receiver.url)
    (call,) = await receiver.came()
    assert call.json["data"]["error"]["message"] == run["error"]["message"]
    assert "***" in call.json["data"]["error"]["message"]
    assert b"s3cr3t" not in call.body
    assert "traceback" not in call.json["data"]["error"]


async def test_what_fails_is_tried_again_as_the_same_message(
    calling: Served, receiver: Receiver
) -> None:
    receiver.answers = [(500, {}), (302, {"Location": f"{receiver.url}/elsewhere"})]
    cid = await calling.run("probe", "echo", inputs=TEXT, callback_url=f"{receiver.url}/hook")
    calls = await receiver.came(3)
    assert [call.path for call in calls] == ["/hook"] * 3
    assert {call.headers["webhook-id"] for call in calls} == {f"msg_{cid}"}
    assert {call.body for call in calls} == {calls[0].body}
    found = await settled(calling, cid)
    assert found["status"] == "delivered"
    assert [each.get("status_code") for each in found["items"]] == [500, 302, 204]
    assert [each["status"] for each in found["items"]] == ["failed", "failed", "delivered"]
    assert [each.get("error") for each in found["items"]] == [
        "The receiver answered 500.",
        "The receiver answered 302.",
        None,
    ]
    assert ["next_at" in each for each in found["items"]] == [True, True, False]


async def test_gone_means_never_again(calling: Served, receiver: Receiver) -> None:
    receiver.answers = [(410, {})]
    cid = await calling.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    found = await settled(calling, cid)
    assert (found["status"], len(found["items"])) == ("failed", 1)


async def test_tries_are_bounded(
    make_server: MakeServer, probe_root: str, receiver: Receiver
) -> None:
    server = await make_server(plans=[probe_root], **QUICK, callback_tries=3)
    receiver.answers = [(503, {})] * 9
    cid = await server.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    found = await settled(server, cid)
    assert (found["status"], len(found["items"])) == ("failed", 3)
    assert len(receiver.calls) == 3
    text = (await server.get("/metrics")).body.decode()
    assert 'aura_callback_tries_total{status="failed"} 1.0' in text
    assert 'aura_callback_tries_total{status="pending"} 2.0' in text


async def test_a_receiver_may_ask_to_be_left_alone(calling: Served, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "3600"})]
    cid = await calling.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)

    async def tried() -> Any:
        found = (await calling.get(f"/api/runs/{cid}/callbacks")).json
        return found if found["items"] else None

    found = await until(tried)
    (each,) = found["items"]
    assert found["status"] == "pending"
    assert found["next_at"] == each["next_at"]
    assert each["next_at"][:13] > each["started_at"][:13]  # the hour after, or later


async def test_a_receiver_that_never_answers_holds_up_no_run(
    make_server: MakeServer, probe_root: str, receiver: Receiver
) -> None:
    receiver.open.clear()
    short = {**QUICK, "callback_timeout_sec": 0.1, "callback_tries": 1}
    server = await make_server(plans=[probe_root], **short)
    cid = await server.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    assert (await server.finished(cid))["status"] == "succeeded"
    found = await settled(server, cid)
    assert found["items"][0]["error"] == "There was no answer within 0.1 seconds."
    assert "status_code" not in found["items"][0]


async def test_so_many_are_under_way_at_once_and_no_more(
    make_server: MakeServer, probe_root: str, receiver: Receiver
) -> None:
    receiver.open.clear()
    server = await make_server(plans=[probe_root], **QUICK, callbacks_at_once=2)
    task = {"plan_name": "probe", "task_name": "echo", "inputs": TEXT}
    body = {"tasks": [{**task, "callback_url": receiver.url}] * 7}
    items = (await server.post("/api/tasks/batch", body)).json["items"]
    for item in items:
        await server.finished(item["cid"])
    await receiver.came(2)
    receiver.open.set()
    for item in items:
        assert (await settled(server, item["cid"]))["status"] == "delivered"
    assert receiver.most_at_once == 2
    assert len(receiver.calls) == 7


async def test_of_an_answer_only_the_head_is_read(calling: Served) -> None:
    async with pouring() as url:
        cid = await calling.run("probe", "echo", inputs=TEXT, callback_url=url)
        found = await settled(calling, cid)
    assert (found["status"], found["items"][0]["status_code"]) == ("delivered", 200)


NO_ANSWERS = (b"", b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000)


async def test_what_is_no_answer_is_a_failure_and_ends_nothing(
    make_server: MakeServer, probe_root: str, receiver: Receiver
) -> None:
    server = await make_server(plans=[probe_root], **QUICK, callback_tries=1)
    for answer in NO_ANSWERS:
        async with pouring(answer) as url:
            cid = await server.run("probe", "echo", inputs=TEXT, callback_url=url)
            found = await settled(server, cid)
        assert found["status"] == "failed"
        assert len(found["items"][0]["error"]) < 600
    await server.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    await receiver.came()
    assert (await server.get("/healthz")).status == 200


REFUSED = (
    "http://127.0.0.1/",
    "http://[::1]:80/x",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:127.0.0.1]/",
    "https://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://127.0.0.1:99999/",
    "http://[1/",
)
INVALID = (
    "ftp://example.org/",
    "hooks.example.org",
    "http://a:b@example.org/",
    "http://e.org/#x",
    "http://e.org/\n",
)
ASKING: dict[str, dict[str, int]] = {
    "/api/tasks/run": {},
    "/api/tasks/dry-run": {},
    "/api/queue/insert": {"index": 0},
}


async def test_an_address_that_is_not_public_is_refused_at_once(waiting: Served) -> None:
    for url, path in ((url, path) for url in REFUSED for path in ASKING):
        body = {"plan_name": "probe", "task_name": "echo", "inputs": TEXT, "callback_url": url}
        response = await waiting.post(path, body | ASKING[path])
        assert response.status == 400, (path, url)
        assert response.json["type"] == "urn:aura:problem:callback-refused"
        assert response.json["errors"][0]["field"] == "/callback_url"
    task = {"plan_name": "probe", "task_name": "echo", "inputs": TEXT, "callback_url": REFUSED[0]}
    batch = (await waiting.post("/api/tasks/batch", {"tasks": [task]})).json
    assert batch["items"][0]["error"]["type"] == "urn:aura:problem:callback-refused"
    for url in INVALID:
        task["callback_url"] = url
        assert (await waiting.post("/api/tasks/run", task)).status == 422, url
    assert (await waiting.get("/api/runs")).json["items"] == []


async def test_a_name_is_judged_by_what_it_is_resolved_to(
    make_server: MakeServer, probe_root: str, receiver: Receiver
) -> None:
    """Where it is connected to, so a name that is resolved otherwise each time gains nothing."""
    public = {**QUICK, "callback_private": False, "callback_tries": 1}
    server = await make_server(plans=[probe_root], **public)
    port = receiver.url.rpartition(":")[2]
    for name in ("localhost", "127.1", "2130706433"):
        cid = await server.run("probe", "echo", inputs=TEXT, callback_url=f"http://{name}:{port}/")
        found = await settled(server, cid)
        assert found["status"] == "failed"
        error = found["items"][0]["error"]
        assert "127.0.0.1 is not public" in error or "is no address" in error
    assert receiver.calls == []


async def test_only_listed_hosts_are_called(make_server: MakeServer, probe_root: str) -> None:
    hosts = {"callback_hosts": ["hooks.example.org", "*.example.com"]}
    server = await make_server(plans=[probe_root], start=False, **hosts)

    async def status(url: str) -> int:
        body = {"plan_name": "probe", "task_name": "echo", "inputs": TEXT, "callback_url": url}
        return (await server.post("/api/tasks/run", body)).status

    assert await status("https://hooks.example.org/a") == 202
    assert await status("https://HOOKS.example.org:8443/a") == 202
    assert await status("https://a.b.example.com/") == 202
    assert await status("https://example.com/") == 400
    assert await status("https://notexample.com/") == 400
    assert await status("https://hooks.example.org.evil.net/") == 400
    assert await status("https://8.8.8.8/") == 400


async def test_what_cannot_be_reached_says_why(make_server: MakeServer, probe_root: str) -> None:
    server = await make_server(plans=[probe_root], **QUICK, callback_tries=1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cid = await server.run("probe", "echo", inputs=TEXT, callback_url=f"http://127.0.0.1:{port}/")
    found = await settled(server, cid)
    assert found["items"][0]["error"].startswith("ConnectionRefusedError")


async def test_several_secrets_sign_so_that_one_can_be_replaced(
    make_server: MakeServer, probe_root: str, receiver: Receiver
) -> None:
    other = SECRET[:-4] + "AAAA"
    settings = {**QUICK, "callback_secrets": [SECRET, other]}
    server = await make_server(plans=[probe_root], **settings)
    await server.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    (call,) = await receiver.came()
    assert call.is_signed_with(SECRET)
    assert call.is_signed_with(other)
    assert not call.is_signed_with(SECRET[:-4] + "BBBB")


async def test_without_a_secret_the_server_makes_its_own(
    make_server: MakeServer, probe_root: str, receiver: Receiver, tmp_path: Path
) -> None:
    data = tmp_path / "own"
    settings = {**QUICK, "callback_secrets": [], "data_dir": str(data)}
    server = await make_server(plans=[probe_root], **settings)
    await server.run("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    (call,) = await receiver.came()
    file = data / "callbacks.key"
    assert call.is_signed_with(file.read_text())
    assert file.stat().st_mode & 0o077 == 0


async def test_a_run_that_is_done_over_calls_back_too(calling: Served, receiver: Receiver) -> None:
    run = await calling.done("probe", "echo", inputs=TEXT, callback_url=receiver.url)
    again = (await calling.post(f"/api/tasks/{run['cid']}/retry", {})).json["cid"]
    calls = await receiver.came(2)
    assert [call.json["data"]["cid"] for call in calls] == [run["cid"], again]
    assert calls[1].json["data"]["retry_of"] == run["cid"]


async def test_the_log_tells_of_each_try_and_not_where_to(
    calling: Served, receiver: Receiver
) -> None:
    receiver.answers = [(500, {})]
    url = f"{receiver.url}/hook?key=4711"
    cid = await calling.run("probe", "echo", inputs=TEXT, callback_url=url)
    await settled(calling, cid)

    async def told() -> Any:
        entries = (await calling.get("/api/logs?limit=1000")).json["items"]
        mine = [each for each in entries if "callback" in each["message"]]
        return mine if len(mine) == 2 else None

    entries = await until(told)
    assert [each["data"]["action"] for each in entries] == [
        "callback_pending",
        "callback_delivered",
    ]
    assert "4711" not in json.dumps(entries)
