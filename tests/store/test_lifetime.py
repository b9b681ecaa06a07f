"""A store's life: what survives a close, what a closed one answers, who is cancelled while waiting.

Imports aura_aio.store, model and the fixtures.
"""

import asyncio
from typing import Any

import pytest

from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.log import LogFilter
from aura_aio.model.states import RunState
from aura_aio.store.relational.store import SqlStore
from tests.store.opened import Opened, begun


async def test_everything_is_there_after_a_restart(opened: Opened) -> None:
    cids = await opened.enqueue_many(10)
    await opened.claim(4)
    await opened.end(cids[0])
    runs = [await opened.run(cid) for cid in cids]
    counts = await opened.store.queue.counts()
    await opened.reopen()
    assert [await opened.run(cid) for cid in cids] == runs
    assert await opened.store.queue.counts() == counts
    assert await opened.claim(99) == cids[4:]


async def test_writes_that_wait_are_finished_by_a_close(opened: Opened) -> None:
    async with asyncio.TaskGroup() as group:
        writes = [group.create_task(opened.enqueue()) for _ in range(50)]
        await begun(group)
        await opened.store.aclose()
    await opened.open()
    for write in writes:
        assert (await opened.run(write.result())).state is RunState.QUEUED


async def test_what_is_asked_at_once_is_answered_in_turn(opened: Opened) -> None:
    """Each reader has one connection, in which there is one transaction at a time."""
    cids = await opened.enqueue_many(20)
    asked = [opened.run(cid) for cid in cids * 10]
    assert [run.cid for run in await asyncio.gather(*asked)] == cids * 10


async def test_a_closed_store_says_so(opened: Opened) -> None:
    cid = await opened.enqueue()
    await opened.close()
    await opened.close()
    with pytest.raises(StoreUnavailable, match=r"^The store is closed\.$"):
        await opened.enqueue()
    with pytest.raises(StoreUnavailable, match=r"^The store is closed\.$"):
        await opened.store.runs.get(cid)
    with pytest.raises(StoreUnavailable, match=r"^The store is closed\.$"):
        await opened.store.logs.read(LogFilter(), after=0, up_to=None, limit=1)


async def test_a_write_counts_though_its_caller_was_cancelled(opened: Opened) -> None:
    tasklets = [opened.tasklet() for _ in range(20)]
    async with asyncio.TaskGroup() as group:
        writes = [
            group.create_task(opened.enqueue(cid=tasklet.cid), name=tasklet.cid)
            for tasklet in tasklets
        ]
        await begun(group)
        for write in writes[::2]:
            write.cancel()
    assert [write.cancelled() for write in writes] == [True, False] * 10
    await opened.reopen()
    assert await opened.claim(99) == [tasklet.cid for tasklet in tasklets]
    assert {fact.cid for fact in opened.facts} == {tasklet.cid for tasklet in tasklets}


async def test_it_is_known_how_long_commits_have_taken(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(opened.store, SqlStore)
    database = opened.store._session._database
    commit, before = database.commit, opened.store.commit_sec

    def slowly(*of_it: Any) -> bool:
        opened.clock.seconds += 0.25
        return commit(*of_it)

    monkeypatch.setattr(database, "commit", slowly)
    assert before == 0
    await opened.enqueue()
    await opened.enqueue()
    assert opened.store.commit_sec == 0.5
    monkeypatch.setattr(database, "commit", lambda *of_it: slowly(*of_it) and False)
    await opened.enqueue()  # its answer was lost, and asked for, for minutes
    assert opened.store.commit_sec == 0.5


async def test_concurrent_writes_share_commits(opened: Opened) -> None:
    before = opened.store.commits
    await asyncio.gather(*(opened.enqueue() for _ in range(500)))
    assert opened.store.commits - before < 50
    assert (await opened.store.queue.counts()).ready == 500
