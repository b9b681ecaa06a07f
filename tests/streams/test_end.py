"""`end`: after the last entry of a run, once, and nothing after it.

Imports model and the parts that tests.streams offers.
"""

import asyncio

import pytest

from aura_aio.model.states import TERMINAL, RunState
from tests.streams.clients import Monitor
from tests.streams.conftest import CID, OTHER_CID, Stream
from tests.waiting import until


async def kinds(monitor: Monitor) -> list[str]:
    """What comes until a ping is answered, each by its type, entries by their message."""
    await monitor.say(type="ping")
    return [
        each["payload"]["message"] if each["type"] == "log" else each["type"]
        for each in (await monitor.up_to("pong"))[:-1]
    ]


@pytest.mark.parametrize("state", sorted(TERMINAL))
async def test_end_follows_the_last_entry(stream: Stream, state: RunState) -> None:
    monitor = await stream.live(cid=CID)
    await stream.log("a", "b", cid=CID)
    stream.end(CID, state)
    assert [each["message"] for each in await monitor.logs(2)] == ["a", "b"]
    assert await monitor.message("end") == {"cid": CID, "status": state.value}


async def test_nothing_follows_end_until_a_new_subscribe(stream: Stream) -> None:
    monitor = await stream.live(cid=CID)
    stream.end(CID, RunState.SUCCEEDED)
    await monitor.message("end")
    await stream.log("late", cid=CID)
    assert await kinds(monitor) == []
    assert stream.hub.counters.monitors == 0
    await monitor.say(type="subscribe", since=0)
    await monitor.message("hello")
    assert await kinds(await monitor_after(monitor, "caught_up")) == []


async def monitor_after(monitor: Monitor, kind: str) -> Monitor:
    await monitor.up_to(kind)
    return monitor


async def test_other_changes_and_other_runs_end_nothing(stream: Stream) -> None:
    monitor = await stream.live(cid=CID)
    everything = await stream.live()
    stream.end(CID, RunState.CANCELLING)
    stream.end(OTHER_CID, RunState.FAILED)
    assert await kinds(monitor) == []
    stream.end(CID, RunState.CANCELLED)
    assert (await monitor.message("end"))["status"] == "cancelled"
    assert await kinds(everything) == []


async def test_a_run_that_has_long_ended(stream: Stream) -> None:
    await stream.log("a", "b", cid=CID)
    stream.end(CID, RunState.SUCCEEDED)
    await stream.log("of another", cid=OTHER_CID)
    monitor = await stream.monitor(cid=CID, since=0)
    assert [each["type"] for each in await monitor.up_to("end")] == [
        "hello",
        "log",
        "log",
        "caught_up",
        "end",
    ]
    without_replay = await stream.monitor(cid=CID)
    assert [each["type"] for each in await without_replay.up_to("end")] == [
        "hello",
        "caught_up",
        "end",
    ]


async def test_a_run_that_ends_during_the_replay(stream: Stream) -> None:
    await stream.log("a", cid=CID)
    stream.store.reading.clear()
    monitor = await stream.monitor(cid=CID, since=0)
    await monitor.message("hello")
    await stream.log("b", cid=CID)
    stream.end(CID, RunState.FAILED)
    stream.store.reading.set()
    got = await monitor_kinds(monitor)
    assert sorted(got[:-1]) == ["a", "b", "caught_up"]
    assert got[-1] == "end"
    assert await kinds(monitor) == []


async def monitor_kinds(monitor: Monitor) -> list[str]:
    return [
        each["payload"]["message"] if each["type"] == "log" else each["type"]
        for each in await monitor.up_to("end")
    ]


async def test_lines_that_wait_for_the_store_come_before_end(stream: Stream) -> None:
    monitor = await stream.live(cid=CID)
    stream.store.writing.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(stream.log("a", "b", cid=CID))
        await until(lambda: stream.hub.counters.waiting == 2)
        stream.end(CID, RunState.SUCCEEDED)
        assert await kinds(monitor) == []
        stream.store.writing.set()
    assert await monitor_kinds(monitor) == ["a", "b", "end"]


async def test_who_connects_while_the_last_lines_wait_gets_them_too(stream: Stream) -> None:
    stream.store.writing.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(stream.log("a", cid=CID))
        await until(lambda: stream.hub.counters.waiting == 1)
        stream.end(CID, RunState.SUCCEEDED)
        monitor = await stream.monitor(cid=CID, since=0)
        await monitor.message("hello")
        stream.store.writing.set()
    assert await monitor_kinds(monitor) == ["a", "caught_up", "end"]
    assert await kinds(monitor) == []


async def test_who_turned_to_another_run_hears_of_that_one(stream: Stream) -> None:
    monitor = await stream.live(cid=CID)
    await monitor.say(type="subscribe", cid=OTHER_CID)
    await monitor.ready()
    stream.end(CID, RunState.SUCCEEDED)
    assert await kinds(monitor) == []
    stream.end(OTHER_CID, RunState.FAILED)
    assert (await monitor.message("end")) == {"cid": OTHER_CID, "status": "failed"}


async def test_many_monitors_of_one_run(stream: Stream) -> None:
    monitors = [await stream.live(cid=CID) for _ in range(20)]
    await stream.log("a", cid=CID)
    stream.end(CID, RunState.SUCCEEDED)
    for monitor in monitors:
        assert await monitor_kinds(monitor) == ["a", "end"]
