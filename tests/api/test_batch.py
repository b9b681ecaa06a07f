"""runTaskBatch: each task is judged on its own, and all that is good is stored together."""

from typing import Any

from tests.conftest import MakeServer
from tests.receiver import receiving
from tests.serving import Served

BATCH = "/api/tasks/batch"
GOOD = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "x"}}
MISTYPED = {"plan_name": "probe", "task_name": "ecko"}
INVALID = {**GOOD, "priority": "high"}


async def test_a_bad_task_does_not_stop_the_others(waiting: Served) -> None:
    response = await waiting.post(BATCH, {"tasks": [GOOD, MISTYPED, INVALID, GOOD]})
    assert response.status == 202
    items = response.json["items"]
    assert [item["status"] for item in items] == ["queued", "rejected", "rejected", "queued"]
    assert items[1]["error"]["status"] == 400
    assert "Did you mean 'echo'?" in items[1]["error"]["detail"]
    assert items[2]["error"]["status"] == 422
    assert items[2]["error"]["errors"][0]["field"] == "/priority"
    assert response.json["success_count"] == 2
    assert response.json["failed_count"] == 2
    listed = (await waiting.get("/api/queue/list")).json["items"]
    assert [item["cid"] for item in listed] == [items[0]["cid"], items[3]["cid"]]


async def test_an_atomic_batch_with_a_bad_task_queues_none(waiting: Served) -> None:
    response = await waiting.post(BATCH, {"tasks": [GOOD, MISTYPED], "atomic": True})
    assert response.status == 400
    assert response.json["errors"][0]["field"] == "/tasks/1"
    assert (await waiting.get("/api/queue/list")).json["items"] == []


async def test_a_thousand_tasks_are_executed(probe: Served) -> None:
    body = {"tasks": [GOOD] * 1000, "atomic": True}
    response = await probe.post(BATCH, body)
    assert response.json["success_count"] == 1000
    last = await probe.finished(response.json["items"][-1]["cid"], within=60)
    assert last["status"] == "succeeded"


async def test_a_batch_as_a_whole_must_fit_the_contract(waiting: Served) -> None:
    bodies: list[dict[str, Any]]
    bodies = [{"tasks": []}, {"tasks": [GOOD] * 1001}, {"tasks": {}}, {"task": [GOOD]}]
    for body in bodies:
        assert (await waiting.post(BATCH, body)).status == 422


async def test_each_run_tells_the_address_of_its_own_task_and_so_does_one_done_over(
    make_server: MakeServer, probe_root: str
) -> None:
    server = await make_server(plans=[probe_root], callback_private=True, workers=0)
    async with receiving() as receiver:
        own = [{**GOOD, "callback_url": f"{receiver.url}/{name}"} for name in ("one", "two")]
        items = (await server.post(BATCH, {"tasks": [GOOD, *own]})).json["items"]
        one, two = items[1]["cid"], items[2]["cid"]
        calls = await receiver.came(2)
        assert {call.path: call.json["data"]["cid"] for call in calls} == {"/one": one, "/two": two}
        again = (await server.post(f"/api/tasks/{two}/retry")).json["cid"]
        last = (await receiver.came(3))[-1]
        assert (last.path, last.json["data"]["cid"]) == ("/two", again)
