"""A token that is narrowed to plans: it sees and touches these, and nothing else."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Response, Served, write_plan
from tests.streams.clients import Monitor
from tests.tokens import a_token, bearer, put_tokens
from tests.waiting import until

TASKS = {
    "say": """
meta: {inputs: [{name: text, type: string, required: true}]}
steps: {say: {action: log, params: {message: "{{ inputs.text }}"}}}
""",
}


class Shop:
    """A server with two plans, one of which is seen by the token that is narrowed to it."""

    def __init__(self, server: Served, tokens: dict[str, str]) -> None:
        self.server = server
        self.admin = bearer(tokens["admin"])
        self.narrowed = bearer(tokens["narrowed"])

    async def get(self, path: str) -> Response:
        """Ask with the narrowed token."""
        return await self.server.get(path, headers=self.narrowed)

    async def items(self, path: str) -> list[Any]:
        """All items of a list, over all of its pages, as the narrowed token sees them."""
        page = (await self.get(path)).json
        items: list[Any] = page["items"]
        while "next_cursor" in page:
            page = (await self.get(f"{path}&cursor={page['next_cursor']}")).json
            items += page["items"]
        return items

    async def post(self, path: str, body: Any = None) -> Response:
        """Do something with the narrowed token."""
        return await self.server.post(path, body, headers=self.narrowed)

    async def run(self, plan: str, text: str = "hi", **rest: Any) -> str:
        """Start a task as admin; the cid."""
        body = {"plan_name": plan, "task_name": "say", "inputs": {"text": text}, **rest}
        done = await self.server.post("/api/tasks/run", body, headers=self.admin)
        cid: str = done.json["cid"]
        return cid

    async def ended(self, cid: str) -> None:
        """Return when the run has ended."""
        run = await self.server.get(f"/api/runs/{cid}?wait_sec=20", headers=self.admin)
        assert run.json["status"] == "succeeded"


@pytest.fixture
async def shop(make_server: MakeServer, tmp_path: Path) -> Shop:
    """The shop, open."""
    return await _shop(make_server, tmp_path)


@pytest.fixture
async def closed_shop(make_server: MakeServer, tmp_path: Path) -> Shop:
    """One in which no run starts."""
    return await _shop(make_server, tmp_path, start=False)


async def _shop(make_server: MakeServer, tmp_path: Path, **settings: Any) -> Shop:
    for plan in ("mine", "other", "secret_third"):
        write_plan(tmp_path / "plans", plan, TASKS)
    data = tmp_path / "data"
    tokens = await put_tokens(data, admin=a_token("admin"), narrowed=a_token("run", "mine", "gone"))
    plans = [str(tmp_path / "plans")]
    return Shop(await make_server(data_dir=str(data), plans=plans, **settings), tokens)


async def test_other_plans_are_not_there(shop: Shop) -> None:
    assert [plan["name"] for plan in await shop.items("/api/plans")] == ["mine"]
    assert (await shop.get("/api/plans/mine/tasks/say")).status == 200
    for path in ("other", "other/tasks", "other/tasks/say", "gone", "nowhere"):
        missing = await shop.get(f"/api/plans/{path}")
        assert missing.status == 404
        assert "secret_third" not in missing.json["detail"]
    suggested = await shop.get("/api/plans/secret_thirt")
    assert "secret_third" not in suggested.json["detail"]


async def test_runs_of_other_plans_are_not_there(shop: Shop) -> None:
    mine, other = await shop.run("mine"), await shop.run("other")
    await shop.ended(mine)
    await shop.ended(other)
    assert [run["cid"] for run in await shop.items("/api/runs?limit=1")] == [mine]
    assert await shop.items("/api/runs?plan_name=other") == []
    assert [
        run["cid"] for run in await shop.items("/api/runs?plan_name=mine&status=succeeded")
    ] == [mine]
    assert await shop.items("/api/runs?q=other") == []
    for part in ("", "/logs", "/definition"):
        assert (await shop.get(f"/api/runs/{mine}{part}")).status == 200
        missing = await shop.get(f"/api/runs/{other}{part}")
        nobody = await shop.get(f"/api/runs/{mine[:-4]}0000{part}")
        assert missing.status == nobody.status == 404
        assert missing.json["type"] == nobody.json["type"]
    asked = await shop.post("/api/tasks/status/batch", {"cids": [mine, other]})
    assert [item["status"] for item in asked.json["items"]] == ["succeeded", "not_found"]


async def test_tasks_of_other_plans_cannot_be_run(shop: Shop) -> None:
    body = {"plan_name": "mine", "task_name": "say", "inputs": {"text": "x"}}
    assert (await shop.post("/api/tasks/run", body)).status == 202
    for plan in ("other", "gone"):
        refused = await shop.post("/api/tasks/run", body | {"plan_name": plan})
        assert refused.status == 400
        assert f"no plan '{plan}'" in refused.json["detail"]
        assert "secret_third" not in refused.json["detail"]
    batch = {"tasks": [body, body | {"plan_name": "other"}]}
    done = (await shop.post("/api/tasks/batch", batch)).json
    assert [item["status"] for item in done["items"]] == ["queued", "rejected"]
    atomic = await shop.post("/api/tasks/batch", batch | {"atomic": True})
    assert atomic.status == 400
    everything = await shop.server.get("/api/runs?plan_name=other", headers=shop.admin)
    assert everything.json["items"] == []


CALLS = """
calls:
  steps:
    there: {action: %(plan)s/mend}
    guess: {action: lgo}
waits:
  on: [{event: run.finished, plan: %(plan)s, task: nothing}]
  steps: {say: {action: log, params: {message: x}}}
"""


async def test_a_document_is_checked_and_nothing_is_told_of_other_plans(shop: Shop) -> None:
    async def faults(plan: str, **where: str) -> list[str]:
        body = {"document": CALLS % {"plan": plan}, **where}
        answer = await shop.post("/api/plans/validate", body)
        assert answer.status == 200
        return [error["message"] for error in answer.json["errors"]]

    guess = "There is no action 'lgo'. Did you mean 'log'?"
    for plan in ("other", "nowhere"):
        assert await faults(plan) == await faults(plan, plan_name="mine") == [guess]
    own = await faults("mine", plan_name="mine")
    assert own[:2] == ["The plan 'mine' has no action 'mend'.", guess]
    assert "no task 'nothing'" in own[2]
    for plan in ("other", "secret_thirt"):
        refused = await shop.post("/api/plans/validate", {"document": "", "plan_name": plan})
        assert refused.status == 400
        assert "secret_third" not in refused.json["detail"]


async def test_the_key_of_somebody_else_replays_nothing(shop: Shop) -> None:
    batch = {
        "tasks": [
            {"plan_name": plan, "task_name": "say", "inputs": {"text": "x"}}
            for plan in ("mine", "other")
        ]
    }
    key = {"Idempotency-Key": "k"}
    first = await shop.server.post("/api/tasks/batch", batch, headers=shop.admin | key)
    assert first.status == 202
    again = await shop.server.post("/api/tasks/batch", batch, headers=shop.narrowed | key)
    assert again.status == 422
    assert again.json["type"].endswith("idempotency-mismatch")


async def test_the_queue_holds_nothing_of_other_plans(closed_shop: Shop) -> None:
    others = [await closed_shop.run("other", priority=9) for _ in range(3)]
    mine = [await closed_shop.run("mine") for _ in range(2)]
    later = [await closed_shop.run(plan, delay_sec=3600) for plan in ("other", "mine")]
    for limit in (1, 2, 50):
        queued = await closed_shop.items(f"/api/queue/list?limit={limit}")
        assert [entry["cid"] for entry in queued] == mine
    delayed = await closed_shop.items("/api/queue/list?state=delayed")
    assert [entry["cid"] for entry in delayed] == [later[1]]
    for cid in (others[0], later[0]):
        assert (await closed_shop.post(f"/api/tasks/{cid}/cancel")).status == 404
        options = {"json": {"priority": 5}, "headers": closed_shop.narrowed}
        path = f"/api/tasks/{cid}/priority"
        assert (await closed_shop.server.request("PATCH", path, **options)).status == 404
    assert (await closed_shop.post(f"/api/tasks/{mine[0]}/cancel")).status == 202
    run = await closed_shop.server.get(f"/api/runs/{others[0]}", headers=closed_shop.admin)
    assert (run.json["status"], run.json["priority"]) == ("queued", 9)


async def test_what_is_done_to_many_is_done_to_nothing_of_other_plans(closed_shop: Shop) -> None:
    shop = closed_shop
    others = [await shop.run("other") for _ in range(2)]
    for path, method, answer in (
        ("/api/tasks/cancel", "POST", {"cancelled_count": 2, "cancelling_count": 0}),
        ("/api/queue/clear", "DELETE", {"removed_count": 2}),
    ):
        for _ in range(2):
            await shop.run("mine")
        none: dict[str, Any] | None = {} if method == "POST" else None
        done = await shop.server.request(method, path, json=none, headers=shop.narrowed)
        assert done.json == answer
    nothing = await shop.post("/api/tasks/cancel", {"plan_name": "other"})
    assert nothing.json == {"cancelled_count": 0, "cancelling_count": 0}
    cleared = "/api/queue/clear?plan_name=other"
    removed = await shop.server.request("DELETE", cleared, headers=shop.narrowed)
    assert removed.json == {"removed_count": 0}
    body = {"plan_name": "other", "task_name": "say", "inputs": {"text": "x"}}
    assert (await shop.post("/api/queue/insert", {**body, "index": 0})).status == 400
    assert (await shop.post("/api/tasks/dry-run", body)).status == 400
    listed = await shop.server.get("/api/queue/list", headers=shop.admin)
    assert [entry["cid"] for entry in listed.json["items"]] == others


async def test_only_its_own_plans_are_paused_and_resumed(
    make_server: MakeServer, tmp_path: Path
) -> None:
    write_plan(tmp_path / "plans", "gone", TASKS)
    shop = await _shop(make_server, tmp_path, start=False)
    for verb in ("pause", "resume"):
        path = f"/api/queue/{verb}"
        whole = await shop.post(path)
        assert (whole.status, whole.json["type"]) == (403, "urn:aura:problem:narrowed-token")
        for plan in ("other", "nowhere"):
            refused = await shop.post(path, {"plan_name": plan})
            assert (refused.status, refused.json["type"]) == (
                404,
                "urn:aura:problem:plan-not-found",
            )
            assert "secret_third" not in refused.json["detail"]
    third = {"plan_name": "secret_third"}
    await shop.server.post("/api/queue/pause", third, headers=shop.admin)
    await shop.post("/api/queue/pause", {"plan_name": "mine"})
    paused = (await shop.post("/api/queue/pause", {"plan_name": "gone"})).json
    assert [each["plan_name"] for each in paused["plans"]] == ["gone", "mine"]
    (tmp_path / "plans" / "gone").rename(tmp_path / "gone")
    await shop.server.post("/api/system/reload", headers=shop.admin)
    resumed = (await shop.post("/api/queue/resume", {"plan_name": "gone"})).json
    assert [plan["plan_name"] for plan in resumed["plans"]] == ["mine"]


async def test_who_holds_what_a_run_waits_for_is_not_named(shop: Shop, tmp_path: Path) -> None:
    limited = """
meta: {concurrency: {mode: shared, resources: ["printer:1"]}}
steps: {hold: {action: sleep, params: {seconds: 600}}}
"""
    for plan in ("mine", "other"):
        write_plan(tmp_path / "plans", plan, {"print": limited})
    await shop.server.post("/api/system/reload", headers=shop.admin)
    held, waits = {"plan_name": "other", "task_name": "print"}, {"task_name": "print"}
    holder = (await shop.server.post("/api/tasks/run", held, headers=shop.admin)).json["cid"]

    async def is_running() -> bool:
        run = await shop.server.get(f"/api/runs/{holder}", headers=shop.admin)
        return bool(run.json["status"] == "running")

    await until(is_running, within=20)
    body = {"plan_name": "mine", **waits}
    cid = (await shop.post("/api/tasks/run", body)).json["cid"]
    whole = await shop.server.get(f"/api/runs/{cid}", headers=shop.admin)
    assert whole.json["waiting"]["reasons"][0]["blocking_cids"] == [holder]
    listed = (await shop.get("/api/queue/list")).json["items"][0]
    dry = (await shop.post("/api/tasks/dry-run", body)).json
    for told in ((await shop.get(f"/api/runs/{cid}")).json, listed, dry):
        reason = told["waiting"]["reasons"][0]
        assert (reason["code"], reason["resource"]) == ("resource", "printer")
        assert holder not in json.dumps(told)
    for each in (holder, cid):
        kill = {"mode": "kill"}
        await shop.server.post(f"/api/tasks/{each}/cancel", kill, headers=shop.admin)


async def test_active_runs_of_other_plans_are_not_there(shop: Shop, tmp_path: Path) -> None:
    for plan in ("mine", "other"):
        tasks = {"hold": "steps: {hold: {action: sleep, params: {seconds: 600}}}"}
        write_plan(tmp_path / "plans", plan, tasks)
    await shop.server.post("/api/system/reload", headers=shop.admin)
    held = {}
    for plan in ("mine", "other"):
        body = {"plan_name": plan, "task_name": "hold"}
        done = await shop.server.post("/api/tasks/run", body, headers=shop.admin)
        held[plan] = done.json["cid"]

    async def active(headers: dict[str, str]) -> set[str]:
        listed = await shop.server.get("/api/runs/active", headers=headers)
        return {run["cid"] for run in listed.json["items"]}

    async def all_active() -> bool:
        return await active(shop.admin) == set(held.values())

    await until(all_active, within=20)
    assert await active(shop.narrowed) == {held["mine"]}
    for cid in held.values():
        kill = {"mode": "kill"}
        await shop.server.post(f"/api/tasks/{cid}/cancel", kill, headers=shop.admin)


async def test_the_log_holds_nothing_of_other_plans(shop: Shop) -> None:
    mine, other = await shop.run("mine", "I see this"), await shop.run("other", "but not this")
    await shop.ended(mine)
    await shop.ended(other)
    entries = (await shop.get("/api/logs?limit=1000")).json["items"]
    assert {entry["plan_name"] for entry in entries} == {"mine"}
    assert "I see this" in {entry["message"] for entry in entries}
    for query in ("plan_name=other", f"cid={other}"):
        assert (await shop.get(f"/api/logs?{query}")).json["items"] == []


async def test_the_live_log_can_not_be_widened(shop: Shop) -> None:
    url = f"{shop.server.url}/ws/logs"
    other = await shop.run("other", "before")
    await shop.ended(other)
    async with shop.server.session.ws_connect(
        url, params={"since": 0}, headers=shop.narrowed
    ) as ws:
        monitor = Monitor(ws)
        assert await _logged(monitor, "caught_up") == []
        await monitor.say(type="subscribe", plan_name="other", since=0)
        assert await _logged(monitor, "caught_up") == []
        await monitor.say(type="subscribe", cid=other, since=0)
        refused = await monitor.message("error")
        assert refused["type"].endswith("run-not-found")
        await monitor.say(type="subscribe", since=0)
        assert await _logged(monitor, "caught_up") == []
        await shop.ended(await shop.run("other", "not for me"))
        mine = await shop.run("mine", "for me")
        await shop.ended(mine)
        await monitor.say(type="subscribe", cid=mine, since=0)
        entries = await _logged(monitor, "end")
        assert {entry["plan_name"] for entry in entries} == {"mine"}
        assert "for me" in {entry["message"] for entry in entries}
    params = {"cid": other}
    async with shop.server.session.ws_connect(url, params=params, headers=shop.narrowed) as ws:
        monitor = Monitor(ws)
        await monitor.message("hello")
        assert (await monitor.message("error"))["type"].endswith("run-not-found")
        assert await monitor.next() is None
        assert monitor.code == 1008


async def test_server_sent_events_hold_nothing_of_other_plans(shop: Shop) -> None:
    mine, other = await shop.run("mine", "I see this"), await shop.run("other", "but not this")
    await shop.ended(mine)
    await shop.ended(other)
    path = f"{shop.server.url}/api/logs/stream"
    assert (await shop.get(f"/api/logs/stream?cid={other}")).status == 404
    async with shop.server.session.get(
        path, params={"since": "0"}, headers=shop.narrowed
    ) as response:
        text = ""
        async with asyncio.timeout(20):
            while "caught_up" not in text:
                text += (await response.content.readline()).decode()
    assert "I see this" in text
    assert "but not this" not in text
    data = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    assert {entry.get("plan_name", "mine") for entry in data} == {"mine"}


async def _logged(monitor: Monitor, last: str) -> list[Any]:
    """The entries up to the message `last`."""
    messages = await monitor.up_to(last)
    return [message["payload"] for message in messages if message["type"] == "log"]
