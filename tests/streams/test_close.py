"""Shutting down: `bye`, 1001, and no waiting for who does not take it.

Imports aiohttp, the parts that tests.streams offers and pytest.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest
from aiohttp import ClientSession

from aura_aio.api import log_stream
from aura_aio.model.states import RunState
from tests.streams.clients import Monitor
from tests.streams.conftest import CID, MakeStream, Stream
from tests.streams.test_live import handshake
from tests.streams.test_slow import BURST, burst
from tests.waiting import until


async def rest_while(
    closing: Awaitable[None], monitors: Sequence[Monitor]
) -> list[list[dict[str, Any]]]:
    """What the monitors are sent during `closing`; all see the close code 1001."""
    async with asyncio.TaskGroup() as group:
        rests = [group.create_task(monitor.rest()) for monitor in monitors]
        await closing
    assert [monitor.code for monitor in monitors] == [1001] * len(monitors)
    return [rest.result() for rest in rests]


async def test_bye_and_1001(stream: Stream) -> None:
    monitors = [await stream.live(), await stream.live(cid=CID), await stream.live(level="error")]
    for rest in await rest_while(stream.manager.aclose(), monitors):
        assert rest == [{"type": "bye", "payload": {"reason": "shutdown"}}]
    await until(lambda: stream.manager.monitors == 0)


async def test_what_waits_is_sent_before_bye(
    make_stream: MakeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "LEAVE_SEC", 60.0)  # far more than this may take
    stream = await make_stream()
    monitor = await stream.live()
    of_run = await stream.live(cid=CID)
    await stream.log(*(f"line {n}" for n in range(300)), cid=CID)
    stream.end(CID, RunState.CANCELLED)
    async with asyncio.timeout(20):
        rests = await rest_while(stream.manager.aclose(), [monitor, of_run])
    assert [[each["type"] for each in rest] for rest in rests] == [
        ["log"] * 300 + ["bye"],
        ["log"] * 300 + ["end", "bye"],
    ]


async def test_a_monitor_whose_run_has_ended_gets_bye_too(stream: Stream) -> None:
    monitor = await stream.live(cid=CID)
    stream.end(CID, RunState.SUCCEEDED)
    await monitor.message("end")
    (rest,) = await rest_while(stream.manager.aclose(), [monitor])
    assert [each["type"] for each in rest] == ["bye"]


async def test_a_replay_is_broken_off(stream: Stream) -> None:
    await stream.log("a")
    stream.store.reading.clear()
    monitor = await stream.monitor(since=0)
    await monitor.message("hello")
    (rest,) = await rest_while(stream.manager.aclose(), [monitor])
    assert [each["type"] for each in rest] == ["bye"]
    stream.store.reading.set()


async def test_who_takes_nothing_is_cut_off_in_time(
    make_stream: MakeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "LEAVE_SEC", 0.3)
    stream = await make_stream()
    stalled = await stream.bare_monitor()
    fine = await stream.live()
    await until(lambda: stream.hub.counters.monitors == 2)
    async with asyncio.TaskGroup() as group:
        group.create_task(burst(stream))
        for _ in range(BURST):
            await fine.ws.receive(timeout=10)
    async with asyncio.timeout(2):
        (rest,) = await rest_while(stream.manager.aclose(), [fine])
    assert [each["type"] for each in rest] == ["bye"]
    await until(lambda: stream.manager.monitors == 0)
    stalled.close()


async def test_the_whole_application_shuts_down_in_time(stream: Stream) -> None:
    monitors = [await stream.live() for _ in range(50)]
    async with asyncio.timeout(2):
        rests = await rest_while(stream.aclose(), monitors)
    assert [[each["type"] for each in rest] for rest in rests] == [["bye"]] * 50


async def test_nobody_is_let_in_any_more(stream: Stream) -> None:
    await stream.manager.aclose()
    async with ClientSession() as session, session.get(stream.url, headers=handshake()) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"


async def test_who_closes_with_a_full_connection_is_let_go(
    make_stream: MakeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends its close frame, reads nothing, and keeps its socket open."""
    monkeypatch.setattr(log_stream, "LEAVE_SEC", 0.2)
    stream = await make_stream()
    stalled = await stream.bare_monitor()
    await until(lambda: stream.hub.counters.monitors == 1)
    await burst(stream)
    assert stream.connections == 1
    await stalled.send_close()
    await until(lambda: stream.manager.monitors == 0)
    await until(lambda: stream.connections == 0)
