"""Facts: published once, after the commit, in its order, before the caller goes on.

Imports aura_aio.model and the fixtures.
"""

import asyncio
import logging

import pytest

from aura_aio.model.run import CancelRequest, RunChanged, RunEnd
from aura_aio.model.states import RunState
from tests.store.opened import Opened


async def test_facts_tell_the_way_of_a_run(opened: Opened) -> None:
    cid = await opened.enqueue()
    accepted_at = opened.clock.now()
    opened.clock.seconds += 1
    await opened.claim()
    opened.clock.seconds += 1
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    opened.clock.seconds += 1
    await opened.end(cid)
    assert opened.facts == [
        RunChanged(cid, None, RunState.QUEUED, 1, accepted_at),
        RunChanged(cid, RunState.QUEUED, RunState.RUNNING, 1, accepted_at + 1),
        RunChanged(cid, RunState.RUNNING, RunState.CANCELLING, 1, accepted_at + 2, grace_sec=10.0),
        RunChanged(
            cid,
            RunState.CANCELLING,
            RunState.SUCCEEDED,
            1,
            accepted_at + 3,
            RunEnd("hello", "greet", accepted_at + 1),
        ),
    ]


async def test_a_fact_is_durable_when_it_is_published(opened: Opened) -> None:
    reads: list[asyncio.Task[bool]] = []
    async with asyncio.TaskGroup() as group:

        async def is_so(fact: RunChanged) -> bool:
            return (await opened.run(fact.cid)).state is fact.target

        opened.listeners.append(lambda fact: reads.append(group.create_task(is_so(fact))))
        cid = await opened.start()
        await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert len(reads) == 3
    # Later changes may have come before the read; the last one cannot be overtaken.
    assert reads[-1].result()


async def test_the_fact_comes_before_the_answer(opened: Opened) -> None:
    for _ in range(20):
        cid = await opened.enqueue()
        assert opened.facts[-1].cid == cid


async def test_facts_of_concurrent_writes_keep_the_order_of_the_commits(opened: Opened) -> None:
    async def live() -> None:
        cid = await opened.enqueue()
        await opened.store.runs.request_cancel(cid, CancelRequest(0.0))

    await asyncio.gather(*(live() for _ in range(100)))
    assert len(opened.facts) == 200
    for cid in {fact.cid for fact in opened.facts}:
        assert opened.changes(cid) == [
            (None, RunState.QUEUED),
            (RunState.QUEUED, RunState.CANCELLED),
        ]


async def test_a_batch_publishes_its_facts_in_its_order(opened: Opened) -> None:
    cids = await opened.enqueue_many(50)
    assert [fact.cid for fact in opened.facts] == cids
    opened.facts.clear()
    await opened.claim(50)
    assert [fact.cid for fact in opened.facts] == cids


async def test_nothing_is_published_of_what_did_not_happen(opened: Opened) -> None:
    there = opened.tasklet()
    cid = await opened.enqueue(cid=there.cid)
    opened.facts.clear()
    with pytest.raises(Exception, match=r"(?i)unique"):
        await opened.enqueue(cid=there.cid)
    assert await opened.store.runs.finish((opened.outcome(cid, attempt=7),)) == (None,)
    assert opened.facts == []


async def test_a_listener_that_raises_harms_nobody(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(fact: RunChanged) -> None:
        raise RuntimeError("no")

    opened.listeners.insert(0, refuse)
    with caplog.at_level(logging.ERROR):
        cid = await opened.enqueue()
    assert (await opened.run(cid)).state is RunState.QUEUED
    (record,) = [each for each in caplog.records if vars(each).get("action") == "publish_failed"]
    assert vars(record)["cid"] == cid
