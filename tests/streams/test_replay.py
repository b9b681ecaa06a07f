"""From the store into the live stream: every entry once, in order, wherever a monitor comes in.

Imports model and the parts that tests.streams offers.
"""

import asyncio
import random
from typing import Any

import pytest

from aura_aio.logs.replay import PAGE_LINES
from aura_aio.model.log import LogFilter, LogLevel
from tests.streams.clients import Monitor
from tests.streams.conftest import CID, OTHER_CID, MakeStream, Stream, line
from tests.waiting import until


async def log_many(stream: Stream, count: int, **places: Any) -> None:
    """Log `count` lines, a few hundred at a time."""
    for start in range(0, count, 500):
        lines = [line(f"line {n}", **places) for n in range(start, min(start + 500, count))]
        await stream.hub.put(lines)


async def replayed(monitor: Monitor) -> list[int]:
    """The seqs between `hello` and `caught_up`."""
    await monitor.message("hello")
    return [each["payload"]["seq"] for each in (await monitor.up_to("caught_up"))[:-1]]


async def test_since_replays_what_came_after_it(stream: Stream) -> None:
    await log_many(stream, 10)
    assert await replayed(await stream.monitor(since=0)) == list(range(1, 11))
    assert await replayed(await stream.monitor(since=7)) == [8, 9, 10]
    assert await replayed(await stream.monitor(since=10)) == []


async def test_a_replay_of_many_pages(stream: Stream) -> None:
    count = 2 * PAGE_LINES + 345
    await log_many(stream, count)
    assert await replayed(await stream.monitor(since=0)) == list(range(1, count + 1))


async def test_a_replay_of_exactly_one_page(stream: Stream) -> None:
    await log_many(stream, PAGE_LINES)
    assert await replayed(await stream.monitor(since=0)) == list(range(1, PAGE_LINES + 1))


async def test_a_replay_with_few_matches_among_many(stream: Stream) -> None:
    for _ in range(4):
        await log_many(stream, 700)
        await stream.log("mine", cid=CID)
    assert await replayed(await stream.monitor(since=0, cid=CID)) == [701, 1402, 2103, 2804]
    assert await replayed(await stream.monitor(since=701, cid=CID)) == [1402, 2103, 2804]


async def test_a_since_that_was_never_given_is_now(stream: Stream) -> None:
    await log_many(stream, 3)
    monitor = await stream.monitor(since=1_000_000)
    assert await replayed(monitor) == []
    await stream.log("a")
    assert (await monitor.message("log"))["seq"] == 4


async def test_entries_of_before_a_restart(make_stream: MakeStream) -> None:
    first = await make_stream()
    await log_many(first, 5)
    await first.aclose()
    second = await make_stream()
    await log_many(second, 5)
    monitor = await second.monitor(since=2)
    assert await replayed(monitor) == list(range(3, 11))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"tail": 3}, [5_998, 5_999, 6_000]),
        ({"tail": 0}, []),
        ({"tail": 2, "cid": CID}, [1_501, 3_000]),
        ({"tail": 3, "cid": CID}, [1_500, 1_501, 3_000]),
        ({"tail": 100, "cid": CID}, [2, 1_500, 1_501, 3_000]),
        ({"tail": 3, "cid": CID, "since": 1_500}, [1_501, 3_000]),
        ({"tail": 3, "since": 5_999}, [6_000]),
        ({"tail": 5, "cid": OTHER_CID}, []),
        ({"tail": 1, "level": "error"}, [4_000]),
    ],
)
async def test_tail(stream: Stream, query: dict[str, Any], expected: list[int]) -> None:
    mine, bad = {2, 1_500, 1_501, 3_000}, 4_000
    lines = [
        line(
            cid=CID if seq in mine else None,
            level=LogLevel.ERROR if seq == bad else LogLevel.INFO,
        )
        for seq in range(1, 6_001)
    ]
    await stream.hub.put(lines)
    assert await replayed(await stream.monitor(**query)) == expected


async def test_a_tail_longer_than_the_log(stream: Stream) -> None:
    await log_many(stream, 3)
    assert await replayed(await stream.monitor(tail=10_000)) == [1, 2, 3]


async def test_a_tail_of_an_empty_log(stream: Stream) -> None:
    assert await replayed(await stream.monitor(tail=5)) == []


async def test_what_is_logged_during_the_replay_follows_it(stream: Stream) -> None:
    await log_many(stream, 10)
    stream.store.reading.clear()
    monitor = await stream.monitor(since=5)
    await monitor.message("hello")
    await log_many(stream, 10)
    stream.store.reading.set()
    got = [await monitor.next() for _ in range(16)]
    assert [each["payload"]["seq"] for each in got if each and each["type"] == "log"] == list(
        range(6, 21)
    )
    assert [each["type"] for each in got if each].count("caught_up") == 1


async def test_a_monitor_slower_than_the_log_is_replayed_all_of_it(make_stream: MakeStream) -> None:
    """While it is far behind it lives on the store, at its own pace, and nothing is dropped."""
    stream = await make_stream(buffer_lines=5)
    await log_many(stream, 5_000)
    monitor = await stream.bare_monitor("/ws/logs?since=0")
    assert (await monitor.next() or {})["type"] == "hello"
    got: list[int] = []
    while len(got) < 10_000:
        if len(got) == 100:
            await log_many(stream, 5_000)
        message = await monitor.next()
        assert message is not None
        assert message["type"] == "log", message
        got.append(message["payload"]["seq"])
    assert got == list(range(1, 10_001))
    assert (await monitor.next() or {})["type"] == "caught_up"


class Seam:
    """A writer that logs all the time, and monitors that come in at any moment."""

    def __init__(self, stream: Stream, seed: int) -> None:
        self.stream = stream
        self.random = random.Random(seed)
        self.last = 0

    async def write(self, lines: int) -> None:
        written = 0
        while written < lines:
            count = min(self.random.randint(1, 40), lines - written)
            written += count
            await self.stream.hub.put(
                [
                    line(
                        str(n),
                        self.random.choice(list(LogLevel)),
                        cid=self.random.choice([CID, OTHER_CID, None]),
                    )
                    for n in range(count)
                ]
            )

    async def watch(self, at: int, **query: Any) -> tuple[int, list[int]]:
        """Come in when entry `at` is stored, and stay until the last that was written."""
        await until(lambda: self.stream.hub.seq > at, within=20)
        since = self.random.randint(0, min(at, self.stream.hub.seq - 1))
        monitor = await self.stream.monitor(since=since, **query)
        await monitor.message("hello")
        seqs: list[int] = []
        caught_up = 0
        while not self.last or monitor_is_behind(seqs, self.last):
            message = await monitor.next()
            assert message is not None
            if message["type"] == "caught_up":
                caught_up += 1
                continue
            assert message["type"] == "log", message
            seqs.append(message["payload"]["seq"])
        # None when the last entry was part of the replay.
        assert caught_up <= 1
        return since, seqs


def monitor_is_behind(seqs: list[int], last: int) -> bool:
    return not seqs or seqs[-1] < last


@pytest.mark.parametrize("seed", range(3))
async def test_the_seam(stream: Stream, seed: int) -> None:
    """Writers never pause; each monitor gets every entry after its `since` once, in order."""
    seam, lines, monitors = Seam(stream, seed), 2_000, 8
    where = LogFilter(level=LogLevel.WARNING, cid=CID)

    async def write() -> None:
        await seam.write(lines)
        # The end that every monitor waits for, whatever it filters.
        await stream.hub.put([line("end", LogLevel.CRITICAL, cid=CID)])
        seam.last = stream.hub.seq

    async with asyncio.TaskGroup() as group:
        moments = [seam.random.randint(0, lines - 1) for _ in range(monitors)]
        everything = [group.create_task(seam.watch(at)) for at in moments[::2]]
        filtered = [
            group.create_task(seam.watch(at, level="warning", cid=CID)) for at in moments[1::2]
        ]
        group.create_task(write())
    for watched in everything:
        since, seqs = watched.result()
        assert seqs == list(range(since + 1, lines + 2))
    matching = await stream.store.read(where, after=0, up_to=None, limit=10_000)
    for watched in filtered:
        since, seqs = watched.result()
        assert seqs == [entry.seq for entry in matching if entry.seq > since]


@pytest.mark.parametrize("monitors", [1, 10])
async def test_a_burst_of_20_000_lines(stream: Stream, monitors: int) -> None:
    connected = [await stream.live() for _ in range(monitors)]

    async def received(monitor: Monitor) -> list[int]:
        # Not checked one by one: a monitor of this test must keep pace on half a core.
        return [
            (await monitor.ws.receive_json(timeout=10))["payload"]["seq"] for _ in range(20_000)
        ]

    async with asyncio.TaskGroup() as group:
        got = [group.create_task(received(monitor)) for monitor in connected]
        for _ in range(80):
            group.create_task(stream.hub.put([line("burst")] * 250))
    for each in got:
        assert each.result() == list(range(1, 20_001))
    assert stream.hub.counters.dropped == 0


async def test_a_store_that_is_down_closes_with_1013(stream: Stream) -> None:
    await log_many(stream, 3)
    stream.store.reading.clear()
    monitor = await stream.monitor(since=0)
    await monitor.message("hello")
    stream.store.down = True
    stream.store.reading.set()
    assert (await monitor.message("error"))["status"] == 503
    assert await monitor.rest() == []
    assert monitor.code == 1013
    at_connect = await stream.monitor()
    assert (await at_connect.message("error"))["type"] == "urn:aura:problem:store-unavailable"
    assert await at_connect.rest() == []
    assert at_connect.code == 1013
    stream.store.down = False
    await until(lambda: stream.manager.monitors == 0)


async def test_a_store_that_is_down_does_not_touch_who_is_live(stream: Stream) -> None:
    monitor = await stream.live()
    stream.store.down = True
    await monitor.say(type="subscribe", level="error")
    assert (await monitor.message("error"))["status"] == 503
    stream.store.down = False
    await stream.log("a")
    assert (await monitor.message("log"))["message"] == "a"
