"""Slow, silent and dead monitors: they harm nobody but themselves.

Imports model and the parts that tests.streams offers.
"""

import asyncio
from typing import Any

import pytest

from aura_aio.api import log_stream
from aura_aio.model.log import LogLevel
from tests.streams.clients import Monitor, account
from tests.streams.conftest import MakeStream, Stream, line
from tests.waiting import until

BURST = 15_000
"""Lines of about 400 bytes: far more than the buffers of a connection hold."""


async def burst(stream: Stream, lines: int = BURST) -> None:
    """Log many lines; every third is a warning."""
    for start in range(0, lines, 250):
        await stream.hub.put(
            [
                line("x" * 300, LogLevel.WARNING if n % 3 == 0 else LogLevel.INFO)
                for n in range(start, min(start + 250, lines))
            ]
        )


async def fetched(stream: Stream, dropped: dict[str, int], **query: Any) -> list[int]:
    """What another monitor is given of a range that was dropped."""
    monitor = await stream.monitor(since=dropped["from_seq"] - 1, **query)
    await monitor.message("hello")
    seqs: list[int] = []
    while not seqs or seqs[-1] < dropped["to_seq"]:
        seqs.append((await monitor.message("log"))["seq"])
    return seqs


async def test_a_stalled_monitor_delays_nobody_and_learns_what_it_missed(
    make_stream: MakeStream,
) -> None:
    stream = await make_stream(buffer_lines=2_000)
    stalled = await stream.bare_monitor()
    others = [await stream.live() for _ in range(3)]

    async def reading(monitor: Monitor) -> list[int]:
        return [(await monitor.ws.receive_json(timeout=10))["payload"]["seq"] for _ in range(BURST)]

    async with asyncio.TaskGroup() as group:
        got = [group.create_task(reading(monitor)) for monitor in others]
        group.create_task(burst(stream))
    for each in got:
        assert each.result() == list(range(1, BURST + 1))
    seqs, dropped = await account(stalled, BURST)
    assert dropped
    missing = [seq for each in dropped for seq in range(each["from_seq"], each["to_seq"] + 1)]
    assert sum(each["count"] for each in dropped) == len(missing) == stream.hub.counters.dropped
    assert sorted(seqs + missing) == list(range(1, BURST + 1))
    assert await fetched(stream, dropped[0]) == list(
        range(dropped[0]["from_seq"], dropped[0]["to_seq"] + 1)
    )
    await stream.log("and on")
    after, _ = await account(stalled, BURST + 1)
    assert after == [BURST + 1]


async def test_dropped_counts_what_passes_the_filter(make_stream: MakeStream) -> None:
    stream = await make_stream(buffer_lines=100)
    stalled = await stream.bare_monitor("/ws/logs?level=warning")
    await until(lambda: stream.hub.counters.monitors == 1)
    await burst(stream)
    warnings = list(range(1, BURST + 1, 3))
    seqs, dropped = await account(stalled, warnings[-1])
    assert dropped
    missing = set(warnings) - set(seqs)
    for each in dropped:
        lost = sorted(seq for seq in missing if each["from_seq"] <= seq <= each["to_seq"])
        assert (lost[0], lost[-1], len(lost)) == (
            each["from_seq"],
            each["to_seq"],
            each["count"],
        )
        assert await fetched(stream, each, level="warning") == lost
        missing -= set(lost)
    assert not missing


async def test_a_stalled_monitor_holds_no_more_than_its_buffer(make_stream: MakeStream) -> None:
    stream = await make_stream(buffer_lines=500)
    stalled = await stream.bare_monitor()
    await until(lambda: stream.hub.counters.monitors == 1)
    await burst(stream)
    counters = stream.hub.counters
    # What is not dropped is in the buffer or was written; the kernel and the transport take about
    # a megabyte, which is some 2,500 of these lines.
    assert counters.published < 500 + 4_000
    assert counters.published + counters.dropped == BURST
    stalled.close()
    await until(lambda: stream.manager.monitors == 0)


async def test_a_stalled_monitor_may_be_replayed_and_stalls_only_itself(stream: Stream) -> None:
    await burst(stream)
    stalled = await stream.bare_monitor("/ws/logs?since=0")
    live = await stream.live()
    await stream.log("a")
    assert (await live.message("log"))["message"] == "a"
    seqs, dropped = await account(stalled, BURST + 1)
    assert (seqs, dropped) == (list(range(1, BURST + 2)), [])


async def test_a_dead_peer_is_found_and_a_silent_one_lives(make_stream: MakeStream) -> None:
    stream = await make_stream(heartbeat_sec=0.1)
    dead = await stream.bare_monitor()
    silent = await stream.live()
    await until(lambda: stream.manager.monitors == 2)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(silent.next())
        await until(lambda: stream.manager.monitors == 1)
        # It answers pings while it reads, for longer than a dead one would be let.
        assert await dead.next() is not None
        while await dead.next() is not None:
            pass
        await stream.log("still there")
    message = waiting.result()
    assert message is not None
    assert message["payload"]["message"] == "still there"


async def test_who_reads_slowly_and_answers_no_ping_is_alive(make_stream: MakeStream) -> None:
    """Its answer to a ping stands behind what it has not read yet: what it takes counts."""
    stream = await make_stream(heartbeat_sec=0.5)
    await burst(stream)
    slow = await stream.bare_monitor("/ws/logs?since=0")
    loop = asyncio.get_running_loop()
    started = loop.time()
    read = 0
    while loop.time() - started < 2.5:
        for _ in range(100):
            message = await slow.next()
            assert message is not None, f"cut off after {loop.time() - started} s"
            read += 1
        ready = loop.time() + 0.025
        await until(lambda: loop.time() >= ready)  # noqa: B023 - awaited at once
    assert read < BURST
    assert stream.manager.monitors == 1
    await until(lambda: stream.manager.monitors == 0)


async def test_who_takes_nothing_for_too_long_is_cut_off(
    make_stream: MakeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_stream, "SEND_LIMIT_SEC", 0.2)
    stream = await make_stream()
    stalled = await stream.bare_monitor()
    fine = await stream.live()
    await until(lambda: stream.manager.monitors == 2)
    async with asyncio.TaskGroup() as group:

        async def read() -> None:
            for _ in range(BURST):
                await fine.ws.receive(timeout=10)

        group.create_task(read())
        group.create_task(burst(stream))
    await until(lambda: stream.manager.monitors == 1)
    stalled.close()


async def test_who_asks_much_and_reads_nothing_is_heard_no_more(stream: Stream) -> None:
    """Answers are bounded like everything else: reading stops when writing does."""
    greedy = await stream.bare_monitor()
    other = await stream.live()
    loop = asyncio.get_running_loop()
    sent, last = 0, loop.time()

    async def ask() -> None:
        nonlocal sent, last
        while True:
            await greedy.send_text("x" * 1_000)
            sent, last = sent + 1, loop.time()

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask())
        await until(lambda: loop.time() - last > 0.5, within=30)
        await stream.log("a")
        assert (await other.message("log"))["message"] == "a"
        asking.cancel()
    assert stream.manager.monitors == 2
