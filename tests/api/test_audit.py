"""The audit trail of a real server: each change with who asked for it, each refusal, no secrets.

Imports pytest, the fixtures, the contract and the tests' requests and tokens.
"""

import asyncio
from pathlib import Path
from typing import Any

from aura_aio.contract.document import load_contract
from aura_aio.model.access import Scope
from tests.backends import DATABASES
from tests.conftest import MakeServer
from tests.contract.example_requests import example_requests
from tests.serving import Served
from tests.tokens import a_token, bearer, put_odd_tokens
from tests.waiting import until

RUN: dict[str, Any] = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}


async def trail(server: Served, query: str = "", **options: Any) -> list[Any]:
    """The events, the newest first."""
    response = await server.get(f"/api/audit{query}", **options)
    assert response.status == 200, response.body
    items: list[Any] = response.json["items"]
    return items


async def test_what_is_started_cancelled_and_ruled_is_kept(waiting: Served) -> None:
    answer = await waiting.post("/api/tasks/run", RUN, headers={"X-Request-ID": "mine"})
    cid = answer.json["cid"]
    await waiting.request("PATCH", f"/api/tasks/{cid}/priority", json={"priority": 5})
    await waiting.post(f"/api/queue/{cid}/move-to-front")
    await waiting.post("/api/queue/pause", {"plan_name": "probe"})
    await waiting.post(f"/api/tasks/{cid}/cancel", {"reason": "why not"})
    await waiting.post("/api/system/stop", {})
    await waiting.post("/api/system/reload", {})
    schedule = {"id": "s", "plan_name": "probe", "task_name": "echo", "every_sec": 3600}
    await waiting.post("/api/schedules", {**schedule, "inputs": {"text": "x"}})
    await waiting.request("DELETE", "/api/schedules/s")
    events = (await trail(waiting))[::-1]
    assert [(each["operation"], each["outcome"], each["by"]) for each in events] == [
        (operation, "done", "local")
        for operation in (
            "runTask",
            "updateTaskPriority",
            "moveToFront",
            "pauseQueue",
            "cancelTask",
            "stopSystem",
            "reloadPlans",
            "createSchedule",
            "deleteSchedule",
        )
    ]
    first = events[0]
    assert (first["cid"], first["run_count"]) == (cid, 1)
    assert (first["plan_name"], first["task_name"]) == ("probe", "echo")
    assert (first["remote"], first["request_id"]) == ("127.0.0.1", "mine")
    assert events[3]["plan_name"] == "probe"
    assert [each["schedule_id"] for each in events[-2:]] == ["s", "s"]
    assert {each["cid"] for each in await trail(waiting, f"?cid={cid}")} == {cid}
    assert len(await trail(waiting, f"?cid={cid}")) == 4
    run = (await waiting.get(f"/api/runs/{cid}")).json
    assert run["cancel"]["requested_by"] == "local"


async def test_what_is_refused_is_kept_and_what_is_no_request_is_not(waiting: Served) -> None:
    cid = await waiting.run(**RUN)
    await waiting.post(f"/api/tasks/{cid}/cancel")
    assert (await waiting.post(f"/api/tasks/{cid}/cancel")).status == 409
    assert (await waiting.post("/api/tasks/none/cancel")).status == 404
    assert (await waiting.post("/api/tasks/run", {**RUN, "inputs": {}})).status == 400
    assert (await waiting.post("/api/tasks/run", {})).status == 422
    assert (await waiting.post("/api/tasks/dry-run", RUN)).status == 200
    dry = {"dry_run": True}
    assert (await waiting.post(f"/api/tasks/{cid}/retry", dry)).status == 200
    events = await trail(waiting, "?outcome=refused")
    assert [(each["operation"], each["reason"], each["run_count"]) for each in events] == [
        ("runTask", "inputs-rejected", 0),
        ("cancelTask", "run-not-found", 0),
        ("cancelTask", "run-finished", 0),
    ]
    assert len(await trail(waiting)) == 5


async def test_who_asked_is_told_by_the_token(
    make_server: MakeServer, probe_root: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    tokens = await put_odd_tokens(
        data,
        admin=(a_token(Scope.ADMIN), {}),
        run=(a_token(Scope.RUN), {}),
        narrowed=(a_token(Scope.ADMIN, "probe"), {}),
    )
    server = await make_server(
        data_dir=str(data),
        plans=[probe_root],
        start=False,
        require_token="always",
    )
    admin, run = bearer(tokens["admin"]), bearer(tokens["run"])
    assert (await server.post("/api/tasks/run", RUN, headers=run)).status == 202
    made = await server.post("/api/auth/tokens", {"scope": "read", "name": "b"}, headers=admin)
    made_id = made.json["token"]["id"]
    await server.request("DELETE", f"/api/auth/tokens/{made_id}", headers=admin)
    assert (await server.get("/api/audit", headers=run)).status == 403
    assert (await server.get("/api/audit", headers=bearer(tokens["narrowed"]))).status == 403
    known = {each["id"]: each for each in await _tokens(server, admin)}
    revoked, created, started = await trail(server, headers=admin)
    assert started["by_token_id"] in known
    assert known[started["by_token_id"]]["scope"] == "run"
    assert known[created["by_token_id"]]["scope"] == "admin"
    assert created["token_id"] == revoked["token_id"] == made_id
    assert created["by"] == known[created["by_token_id"]]["name"]
    for secret in (*tokens.values(), made.json["secret"]):
        assert secret.encode() not in await asyncio.to_thread(DATABASES.content, data)


async def _tokens(server: Served, headers: dict[str, str]) -> Any:
    return (await server.get("/api/auth/tokens", headers=headers)).json["items"]


async def test_pages_and_filters(waiting: Served) -> None:
    for _ in range(5):
        await waiting.run(**RUN)
    await waiting.request("DELETE", "/api/queue/clear")
    page = (await waiting.get("/api/audit?limit=2&operation=runTask")).json
    assert [each["number"] for each in page["items"]] == [5, 4]
    cursor = page["next_cursor"]
    rest = await waiting.get(f"/api/audit?limit=9&operation=runTask&cursor={cursor}")
    assert [each["number"] for each in rest.json["items"]] == [3, 2, 1]
    assert (await waiting.get("/api/audit?cursor=x")).status == 400
    assert await trail(waiting, "?by=nobody") == []
    assert await trail(waiting, "?before=2020-01-01T00:00:00Z") == []
    assert len(await trail(waiting, "?after=2020-01-01T00:00:00Z&by=local")) == 6
    (cleared,) = await trail(waiting, "?operation=clearQueue")
    assert cleared["run_count"] == 5


async def test_what_goes_on_after_the_answer_is_nobodys(probe: Served) -> None:
    """Dispatching that a request has started, and what runs come to, is not asked for by it."""
    await probe.post("/api/system/stop", {})
    await probe.post("/api/system/start")
    await probe.done(**RUN)

    async def stopped() -> bool:
        status = (await probe.get("/api/system/status")).json
        return bool(status["runs"]["succeeded"] == 1)

    await until(stopped)
    operations = [each["operation"] for each in await trail(probe)]
    assert operations == ["runTask", "startSystem", "stopSystem"]


async def test_no_operation_that_may_change_something_is_forgotten(waiting: Served) -> None:
    """From the contract: a new operation is covered as soon as it stands there."""
    contract = await asyncio.to_thread(load_contract)
    changing = [
        each
        for each in example_requests(contract)
        if each.operation.method != "GET" and each.operation.scope in (Scope.RUN, Scope.ADMIN)
    ]
    assert len(changing) > 20
    for each in changing:
        if each.operation.operation_id == "createToken":
            continue  # it would close the door
        before = {event["number"] for event in await trail(waiting)}
        response = await waiting.request(each.operation.method, each.path, **each.options)
        new = [event for event in await trail(waiting) if event["number"] not in before]
        assert {event["operation"] for event in new} == {each.operation.operation_id}
        done = response.status < 300
        assert {event["outcome"] for event in new} == {"done" if done else "refused"}, each.path
