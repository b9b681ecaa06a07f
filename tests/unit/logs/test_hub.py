"""The log hub: numbers, stores, publishes; loses nothing and delays nobody.

Imports aura_aio.logs, model, a real store and pytest.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from aura_aio.logs import hub as hub_module
from aura_aio.logs.buffer import Dropped, Portion, Subscription
from aura_aio.logs.hub import AT_ONCE, LogHub
from aura_aio.logs.payload import payloads
from aura_aio.model.clock import SystemClock
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.log import LogEntry, LogFilter, LogLevel, LogLine
from aura_aio.model.ports import LogSink
from aura_aio.store.sqlite import open_sqlite
from tests.streams.held_store import HeldStore
from tests.unit.logs.lines import CID, OTHER_CID, Odd, everything, line, seqs
from tests.waiting import until

ALL = LogFilter()


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "FIRST_PAUSE_SEC", 0.01)


async def stored(store: HeldStore, where: LogFilter = ALL) -> list[tuple[int, str]]:
    entries = await store.read(where, after=0, up_to=None, limit=100_000)
    return [(entry.seq, entry.line.message) for entry in entries]


async def test_the_hub_is_a_log_sink(hub: LogHub) -> None:
    sink: LogSink = hub
    assert sink.room() == 1_000


async def test_put_returns_when_lines_are_stored_and_published(
    hub: LogHub, store: HeldStore
) -> None:
    subscription = hub.subscribe(ALL, buffer_lines=10)
    await hub.put([line("a"), line("b")])
    assert await stored(store) == [(1, "a"), (2, "b")]
    assert hub.seq == 2
    assert subscription.waiting_lines == 2


async def test_lines_are_taken_at_once_if_there_is_room_for_all_of_them(
    hub: LogHub, store: HeldStore
) -> None:
    store.writing.clear()
    taken = hub.put_at_once([line("a"), line("b")])
    await until(lambda: hub.counters.waiting == 2 and hub.queue.empty())
    assert taken is not None
    assert not taken.done()
    assert hub.put_at_once([line(str(number)) for number in range(1_001)]) is None
    assert hub.queue.empty()
    store.writing.set()
    await taken
    assert await stored(store) == [(1, "a"), (2, "b")]
    assert hub.seq == 2


async def test_a_closed_hub_takes_nothing_at_once(hub: LogHub) -> None:
    await hub.aclose()
    assert hub.put_at_once([line("a")]) is None


async def test_a_put_of_nothing_returns(hub: LogHub) -> None:
    await hub.put([])
    assert hub.seq == 0


async def test_what_waits_is_stored_in_one_transaction(hub: LogHub, store: HeldStore) -> None:
    store.writing.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(hub.put([line("first")]))
        await until(lambda: hub.counters.waiting == 1 and hub.queue.empty())
        for number in range(5):
            group.create_task(hub.put([line(f"{number}.{part}") for part in range(3)]))
        await until(lambda: hub.counters.waiting == 16)
        store.writing.set()
    assert store.appended == [1, 15]
    assert [message for _, message in await stored(store)] == [
        "first",
        *(f"{number}.{part}" for number in range(5) for part in range(3)),
    ]


async def test_a_transaction_is_bounded(store: HeldStore) -> None:
    hub = LogHub(store, clock=SystemClock(), capacity_lines=10_000)
    for number in range(2 * AT_ONCE + 1):
        assert hub.put_nowait(line(str(number)))
    await hub.start()
    await hub.aclose()
    assert store.appended == [AT_ONCE, AT_ONCE, 1]


async def test_the_next_lines_are_on_their_way_to_the_disk_while_entries_are_published(
    store: HeldStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = LogHub(store, clock=SystemClock(), capacity_lines=2 * AT_ONCE)
    await hub.start()
    seen: list[tuple[int, int]] = []
    offer = Subscription.offer

    def offered(self: Subscription, portion: Portion) -> int:
        seen.append((portion.seqs[0], sum(store.appended)))
        return offer(self, portion)

    monkeypatch.setattr(Subscription, "offer", offered)
    hub.subscribe(ALL, buffer_lines=2 * AT_ONCE)
    await hub.put([line(str(n)) for n in range(AT_ONCE + 10)])
    assert seen[0] == (1, AT_ONCE + 10)
    await hub.aclose()


async def test_a_full_queue_makes_put_wait_and_loses_nothing(hub: LogHub, store: HeldStore) -> None:
    store.writing.clear()
    async with asyncio.TaskGroup() as group:
        puts = [
            group.create_task(hub.put([line(f"{number}.{part}") for part in range(400)]))
            for number in range(8)
        ]
        await until(lambda: hub.room() == 0)
        assert hub.counters.waiting <= 2_000
        assert not any(put.done() for put in puts)
        store.writing.set()
    messages = [message for _, message in await stored(store)]
    assert len(messages) == len(set(messages)) == 3_200
    for number in range(8):
        mine = [message for message in messages if message.startswith(f"{number}.")]
        assert mine == [f"{number}.{part}" for part in range(400)]


async def test_own_records_never_wait(hub: LogHub, store: HeldStore) -> None:
    store.writing.clear()
    accepted = [hub.put_nowait(line()) for _ in range(1_200)]
    assert (accepted.count(True), accepted.count(False)) == (1_000, 200)
    assert hub.counters.refused == 200
    store.writing.set()
    await until(lambda: hub.counters.stored == 1_000)


async def test_a_line_may_be_put_into_the_queue_directly(hub: LogHub, store: HeldStore) -> None:
    await hub.queue.put(line("straight in"))
    settled = hub.settled()
    assert settled is not None
    await settled
    assert await stored(store) == [(1, "straight in")]
    assert hub.settled() is None


async def test_who_is_cancelled_while_waiting_takes_nothing_back(
    hub: LogHub, store: HeldStore
) -> None:
    store.writing.clear()
    putting = asyncio.ensure_future(hub.put([line("kept")]))
    await until(lambda: hub.counters.waiting == 1)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    store.writing.set()
    await hub.put([line("next")])
    assert await stored(store) == [(1, "kept"), (2, "next")]


async def test_the_numbers_go_on_after_a_restart(hub: LogHub, store: HeldStore) -> None:
    await hub.put([line("a"), line("b")])
    await hub.aclose()
    again = LogHub(store, clock=SystemClock())
    await again.start()
    assert (again.oldest_seq, again.seq) == (1, 2)
    await again.put([line("c")])
    assert await stored(store) == [(1, "a"), (2, "b"), (3, "c")]
    assert await again.bounds() == (1, 3)
    await again.aclose()


async def test_filters(hub: LogHub) -> None:
    wanted = {
        "all": ALL,
        "errors": LogFilter(level=LogLevel.ERROR),
        "run": LogFilter(cid=CID),
        "warnings of the run": LogFilter(cid=CID, level=LogLevel.WARNING),
        "task": LogFilter(plan_name="hello", task_name="greet"),
        "nothing": LogFilter(cid="none"),
    }
    subscriptions = {name: hub.subscribe(where, buffer_lines=10) for name, where in wanted.items()}
    await hub.put(
        [
            line(),
            line(cid=CID, plan_name="hello", task_name="greet"),
            line(cid=CID, level=LogLevel.ERROR),
            line(cid=OTHER_CID, plan_name="hello", level=LogLevel.CRITICAL),
        ]
    )
    for subscription in subscriptions.values():
        subscription.close()
    got = {
        name: seqs(tuple(await everything(subscription)))
        for name, subscription in subscriptions.items()
    }
    assert got == {
        "all": [1, 2, 3, 4],
        "errors": [3, 4],
        "run": [2, 3],
        "warnings of the run": [3],
        "task": [2],
        "nothing": [],
    }


async def test_who_subscribes_late_gets_what_comes_after(hub: LogHub) -> None:
    await hub.put([line(), line()])
    subscription = hub.subscribe(ALL, buffer_lines=10)
    assert subscription.start_seq == 2
    await hub.put([line()])
    assert seqs(await subscription.next_batch()) == [3]


async def test_who_has_unsubscribed_gets_nothing(hub: LogHub) -> None:
    subscription = hub.subscribe(ALL, buffer_lines=10)
    hub.unsubscribe(subscription)
    hub.unsubscribe(subscription)
    await hub.put([line()])
    assert await subscription.next_batch() == ()
    assert hub.counters.monitors == 0


async def test_an_entry_is_serialised_once_and_only_for_who_wants_it(
    hub: LogHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    serialised: list[int] = []

    def counting(entries: Sequence[LogEntry]) -> list[bytes]:
        serialised.extend(entry.seq for entry in entries)
        return payloads(entries)

    monkeypatch.setattr(hub_module, "payloads", counting)
    await hub.put([line()])
    nobody = hub.subscribe(LogFilter(level=LogLevel.CRITICAL), buffer_lines=10)
    await hub.put([line()])
    assert serialised == []
    for where in (ALL, ALL, LogFilter(cid=CID), LogFilter(level=LogLevel.INFO)):
        hub.subscribe(where, buffer_lines=10)
    await hub.put([line(cid=CID)])
    assert serialised == [3]
    assert nobody.waiting_lines == 0


async def test_subscribers_of_one_filter_share_portions(hub: LogHub) -> None:
    one, other = (hub.subscribe(ALL, buffer_lines=10) for _ in range(2))
    await hub.put([line(), line()])
    (portion,), (same,) = await one.next_batch(), await other.next_batch()
    assert portion is same


async def test_a_slow_subscriber_is_alone_with_its_loss(hub: LogHub) -> None:
    slow, fast = (hub.subscribe(ALL, buffer_lines=lines) for lines in (10, 1_000))
    for _ in range(20):
        await hub.put([line(), line(), line()])
    hub.unsubscribe(slow)
    hub.unsubscribe(fast)
    got = await everything(slow)
    assert seqs(tuple(got)) == list(range(1, 11))
    assert got[-1] == Dropped(11, 60, 50)
    assert seqs(tuple(await everything(fast))) == list(range(1, 61))
    counters = hub.counters
    assert (counters.stored, counters.published, counters.dropped) == (60, 70, 50)


async def test_news_of_what_passes_and_of_nothing_else(hub: LogHub) -> None:
    with hub.news(LogFilter(cid=CID)) as news:
        await hub.put([line(), line(cid=OTHER_CID)])
        assert not news.is_set()
        await hub.put([line(cid=CID)])
        assert news.is_set()
    assert hub.counters.monitors == hub.counters.dropped == 0


async def test_a_store_that_is_down_loses_nothing_and_is_told_of_once(
    hub: LogHub, store: HeldStore, actions: list[str]
) -> None:
    subscription = hub.subscribe(ALL, buffer_lines=100)
    await hub.put([line("before")])
    store.down = True
    async with asyncio.TaskGroup() as group:
        puts = [group.create_task(hub.put([line(str(number))])) for number in range(20)]
        await until(lambda: store.refused >= 4)
        assert not any(put.done() for put in puts)
        assert actions == ["log_store_unavailable"]
        store.down = False
    assert [message for _, message in await stored(store)] == [
        "before",
        *(str(number) for number in range(20)),
    ]
    hub.unsubscribe(subscription)
    assert seqs(tuple(await everything(subscription))) == list(range(1, 22))
    assert actions == ["log_store_unavailable", "log_store_back"]


async def test_a_line_that_the_store_will_not_take_holds_up_no_other(
    hub: LogHub, store: HeldStore, actions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    append = store.append

    async def picky(lines: list[LogLine]) -> tuple[LogEntry, ...]:
        if any(each.message == "bad" for each in lines):
            raise ValueError("not this one")
        return await append(lines)

    monkeypatch.setattr(store, "append", picky)
    subscription = hub.subscribe(ALL, buffer_lines=100)
    await hub.put([line("a"), line("b"), line("bad"), line("c")])
    assert await stored(store) == [(1, "a"), (2, "b"), (3, "c")]
    assert seqs(await subscription.next_batch()) == [1, 2, 3]
    assert actions == ["log_line_refused"]
    assert hub.counters.refused == 1


async def test_what_no_store_could_take_is_made_storable(hub: LogHub, store: HeldStore) -> None:
    await hub.put(
        [
            line("caf\udce9\x00", data={"odd": Odd(), "big": 2**70, "nan": float("nan")}),
            LogLine(float("nan"), LogLevel.INFO, "a", "b"),
        ]
    )
    first, second = await store.read(ALL, after=0, up_to=None, limit=10)
    assert first.line.message == "caf\\udce9\x00"
    assert first.line.data is not None
    assert first.line.data["odd"] == r"<Odd \udce4>"
    assert second.line.timestamp > 1.7e9


async def test_closing_stores_what_waits_and_ends_the_subscriptions(
    hub: LogHub, store: HeldStore
) -> None:
    subscription = hub.subscribe(ALL, buffer_lines=2_000)
    store.writing.clear()
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(hub.put([line(f"{number}.{part}") for part in range(250)]))
        await until(lambda: hub.room() == 0)
        closing = group.create_task(hub.aclose())
        store.writing.set()
    assert closing.done()
    assert len(await stored(store)) == 2_000
    assert seqs(tuple(await everything(subscription))) == list(range(1, 2_001))


async def test_a_closed_hub_takes_nothing(hub: LogHub) -> None:
    await hub.aclose()
    with pytest.raises(StoreUnavailable):
        await hub.put([line()])
    assert hub.put_nowait(line()) is False


async def test_closing_does_not_wait_for_ever_for_a_dead_store(
    hub: LogHub, store: HeldStore, actions: list[str]
) -> None:
    store.down = True
    puts = [
        asyncio.ensure_future(hub.put([line(f"{number}.{part}") for part in range(400)]))
        for number in range(6)
    ]
    await until(lambda: hub.room() == 0)
    await hub.aclose(grace_sec=0.05)
    async with asyncio.timeout(5):
        results = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 6
    assert actions == ["log_store_unavailable", "log_store_given_up", "log_lines_lost"]


async def test_a_real_store_keeps_lines_over_its_own_restart(tmp_path: Path) -> None:
    clock = SystemClock()
    for first in (1, 101):
        sqlite = await open_sqlite(tmp_path / "aura.db", publish=lambda fact: None, clock=clock)
        hub = LogHub(sqlite.logs, clock=clock)
        await hub.start()
        assert hub.seq == first - 1
        await hub.put([line(str(number)) for number in range(100)])
        await hub.aclose()
        await sqlite.aclose()
