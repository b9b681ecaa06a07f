"""Idempotency-Key: the same request again is answered again, and runs nothing."""

import asyncio

from tests.serving import Served, serving

RUN = "/api/tasks/run"
BODY = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "once"}}
KEY = {"Idempotency-Key": "order-4711"}


async def _count(server: Served) -> int:
    return len((await server.get("/api/runs")).json["items"])


async def test_the_same_key_and_body_answer_the_first_answer(waiting: Served) -> None:
    first = await waiting.post(RUN, BODY, headers=KEY)
    again = await waiting.post(RUN, BODY, headers=KEY)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert await _count(waiting) == 1


async def test_the_same_key_with_another_body_is_a_422(waiting: Served) -> None:
    await waiting.post(RUN, BODY, headers=KEY)
    other = await waiting.post(RUN, {**BODY, "priority": 1}, headers=KEY)
    assert other.status == 422
    assert other.json["type"] == "urn:aura:problem:idempotency-mismatch"
    assert await _count(waiting) == 1


async def test_many_at_the_same_time_run_once(waiting: Served) -> None:
    answers = await asyncio.gather(*(waiting.post(RUN, BODY, headers=KEY) for _ in range(20)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["cid"] for answer in answers}) == 1
    assert await _count(waiting) == 1


async def test_a_key_holds_across_a_restart(probe_root: str, tmp_path: object) -> None:
    settings = {"data_dir": f"{tmp_path}/data", "plans": [probe_root], "start": False}
    async with serving(**settings) as server:
        first = await server.post(RUN, BODY, headers=KEY)
    async with serving(**settings) as server:
        again = await server.post(RUN, BODY, headers=KEY)
        assert again.json == first.json
        assert again.headers["Idempotent-Replayed"] == "true"
        assert await _count(server) == 1


async def test_a_batch_is_replayed_with_its_rejections(waiting: Served) -> None:
    body = {"tasks": [BODY, {"plan_name": "probe", "task_name": "ecko"}, {"priority": 1}]}
    first = await waiting.post("/api/tasks/batch", body, headers=KEY)
    again = await waiting.post("/api/tasks/batch", body, headers=KEY)
    assert first.json["success_count"] == 1
    assert first.json["failed_count"] == 2
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await _count(waiting) == 1
