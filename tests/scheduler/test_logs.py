"""The stored log as it is asked for: of a run and of everything, in pages, waited for, and whole.

Imports pytest, aura_aio's scheduler, logs and model, and the store of tests/store.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aura_aio.logs.hub import LogHub
from aura_aio.model.audit import AuditFilter, AuditOutcome, Note
from aura_aio.model.clock import SystemClock
from aura_aio.model.errors import BadCursor, RunNotFound
from aura_aio.model.log import LogEntry, LogFilter, LogLevel, LogLine
from aura_aio.model.run import RunChanged
from aura_aio.model.states import RunState
from aura_aio.scheduler import logs
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.logs import LogPage, Logs
from aura_aio.store.sqlite import open_sqlite
from tests.store.opened import Opened, begun

EVERYTHING = LogFilter()
NOBODY = "019cadd4-0000-7000-8000-000000000000"
LONG_SEC = 60.0
"""Nobody waits so long: what is waited for happens, or the test is cut off."""


class Written:
    """A store, its log, and two runs that are under way."""

    def __init__(self, opened: Opened) -> None:
        bus, self.opened = EventBus(), opened
        opened.listeners.append(bus.publish)
        store = opened.store
        self.hub = LogHub(store.logs, clock=SystemClock())
        self.ends = RunEnds(bus)
        self.logs = Logs(store.logs, store.runs, store.audit, self.hub, self.ends)

    async def begin(self) -> None:
        """Listen, and let the runs start."""
        await self.hub.start()
        self.run, self.other = [await self.opened.start() for _ in range(2)]

    async def write(self, count: int, cid: str | None, level: LogLevel = LogLevel.INFO) -> None:
        """So many lines more, which can be read when it returns."""
        await self.hub.put([LogLine(1.0, level, "x", f"line {n}", cid) for n in range(count)])

    async def of_run(self, where: LogFilter = EVERYTHING, **how: Any) -> LogPage:
        """A page of the log of the first run."""
        how = {"cid": self.run, "limit": 3, "cursor": None, **how}
        return await self.logs.list_run_logs(where, **how)

    async def of_all(self, where: LogFilter = EVERYTHING, **how: Any) -> LogPage:
        """A page of the log of everything."""
        return await self.logs.list_logs(where, **{"limit": 3, "cursor": None, **how})

    async def whole(self, where: LogFilter = EVERYTHING, **how: Any) -> list[list[int]]:
        """All of the first run, portion by portion."""
        portions = self.logs.whole_run_log(where, **{"cid": self.run, "cursor": None, **how})
        return [seqs(portion) async for portion in portions]


def seqs(entries: Sequence[LogEntry]) -> list[int]:
    """Their numbers."""
    return [entry.seq for entry in entries]


@pytest.fixture
async def written(tmp_path: Path) -> AsyncIterator[Written]:
    opened = Opened(partial(open_sqlite, tmp_path / "aura.db"))
    await opened.open()
    written = Written(opened)
    await written.begin()
    yield written
    await written.hub.aclose()
    await opened.close()


async def test_the_log_of_a_run_goes_on_until_the_run_has_ended(written: Written) -> None:
    await written.write(2, written.other)
    await written.write(5, written.run)
    first = await written.of_run()
    assert seqs(first.entries) == [3, 4, 5]
    last = await written.of_run(cursor=first.next_cursor)
    assert seqs(last.entries) == [6, 7]
    none = await written.of_run(cursor=last.next_cursor)
    assert none == LogPage((), last.next_cursor)
    await written.opened.end(written.run)
    assert await written.of_run(cursor=first.next_cursor, limit=2) == LogPage(last.entries, None)
    assert (await written.of_run(cursor=first.next_cursor, limit=1)).next_cursor is not None
    assert await written.of_run(cursor=none.next_cursor) == LogPage((), None)
    assert seqs((await written.of_run(LogFilter(cid=written.other), limit=9)).entries) == [
        *range(3, 8)
    ]


async def test_the_log_of_everything_always_goes_on(written: Written) -> None:
    await written.write(2, None)
    await written.write(2, written.run)
    first = await written.of_all()
    assert seqs(first.entries) == [1, 2, 3]
    last = await written.of_all(cursor=first.next_cursor)
    assert seqs(last.entries) == [4]
    assert await written.of_all(cursor=last.next_cursor) == LogPage((), last.next_cursor)
    assert seqs((await written.of_all(since=2)).entries) == [3, 4]
    assert seqs((await written.of_all(since=2, cursor=first.next_cursor)).entries) == [4]
    # What does not pass is not looked at again; what is yet to come is not passed over.
    errors = LogFilter(level=LogLevel.ERROR)
    assert await written.of_all(errors) == LogPage((), last.next_cursor)
    ahead = await written.of_all(since=9)
    await written.write(7, None)
    assert seqs((await written.of_all(cursor=ahead.next_cursor)).entries) == [10, 11]


async def test_what_comes_while_a_page_is_read_is_given_once(written: Written) -> None:
    store = written.opened.store.logs

    class Busy:
        """The log of a store, which grows just before it is read."""

        async def read(self, *asked: Any, **how: Any) -> Sequence[LogEntry]:
            await written.write(1, None)
            return await store.read(*asked, **how)

    busy: Any = Busy()
    parts = (written.opened.store.runs, written.opened.store.audit, written.hub, written.ends)
    written.logs = Logs(busy, *parts)
    await written.write(1, None)
    given, cursor = list[int](), None
    for _ in range(3):
        page = await written.of_all(cursor=cursor)
        given, cursor = given + seqs(page.entries), page.next_cursor
    assert given == [1, 2, 3]


async def asked(question: Coroutine[Any, Any, LogPage], happens: Coroutine[Any, Any, Any]) -> Any:
    """What is answered to a question that was asked before something happens."""
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(question)
        await begun(group)
        await happens
    return answer.result()


@pytest.mark.parametrize("what", ["line", "end", "shutdown"])
async def test_who_asks_for_the_log_of_a_run_waits_for_news_or_its_end(
    written: Written, what: str
) -> None:
    async def happens() -> None:
        await written.write(1, written.other)
        match what:
            case "line":
                await written.write(1, written.run)
            case "end":
                await written.opened.end(written.run)
            case _:
                written.ends.close()

    await written.write(1, written.run)
    cursor = (await written.of_run()).next_cursor
    page = await asked(written.of_run(wait_sec=LONG_SEC, cursor=cursor), happens())
    assert seqs(page.entries) == ([3] if what == "line" else [])
    assert (page.next_cursor is None) is (what == "end")


@pytest.mark.parametrize("what", ["line", "shutdown"])
async def test_who_asks_for_the_log_of_everything_waits_for_what_passes(
    written: Written, what: str
) -> None:
    async def happens() -> None:
        await written.write(1, written.run)
        if what == "line":
            await written.write(1, None, LogLevel.ERROR)
        else:
            written.ends.close()

    errors = LogFilter(level=LogLevel.ERROR)
    await written.write(1, None, LogLevel.ERROR)
    page = await asked(written.of_all(errors, wait_sec=LONG_SEC, since=1), happens())
    assert seqs(page.entries) == ([3] if what == "line" else [])


def test_an_end_that_nobody_waits_for_is_told_to_all_others() -> None:
    bus, told = EventBus(), list[RunChanged]()
    RunEnds(bus)
    bus.subscribe(told.append)
    bus.publish(RunChanged(NOBODY, RunState.RUNNING, RunState.FAILED, 1, 0.0))
    assert [fact.cid for fact in told] == [NOBODY]


async def test_after_a_shutdown_has_begun_nobody_is_held(written: Written) -> None:
    written.ends.close()
    with written.ends.watch(written.run) as ended, written.ends.let_go() as released:
        assert (ended.is_set(), released.is_set()) == (True, True)


async def test_nobody_waits_where_there_is_something_or_no_more_to_come(written: Written) -> None:
    for ask in (written.of_run, written.of_all):
        assert (await ask(wait_sec=0.01)).entries == ()
    await written.write(1, written.run)
    for ask in (written.of_run, written.of_all):
        assert seqs((await ask(wait_sec=LONG_SEC)).entries) == [1]
    await written.opened.end(written.other)
    assert await written.of_run(cid=written.other, wait_sec=LONG_SEC) == LogPage((), None)


async def test_the_whole_log_of_a_run_comes_in_portions(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "READ_AT_ONCE", 3)
    assert await written.whole() == []
    await written.write(1, written.other)
    await written.write(4, written.run)
    await written.write(1, written.run, LogLevel.ERROR)
    await written.write(1, written.other)
    assert await written.whole() == [[2, 3, 4], [5, 6]]
    assert await written.whole(LogFilter(level=LogLevel.ERROR)) == [[6]]
    assert await written.whole(LogFilter(level=LogLevel.CRITICAL)) == [[]]
    first = await written.of_run(limit=2)
    assert await written.whole(cursor=first.next_cursor) == [[4, 5, 6], []]


async def test_what_comes_while_the_whole_log_is_read_is_not_waited_for(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "READ_AT_ONCE", 2)
    await written.write(3, written.run)
    read = []
    async for portion in written.logs.whole_run_log(EVERYTHING, cid=written.run, cursor=None):
        read += seqs(portion)
        await written.write(2, written.run)
    assert read == [1, 2, 3]


async def test_what_there_is_not_is_said(written: Written) -> None:
    with pytest.raises(RunNotFound, match=NOBODY):
        await written.of_run(cid=NOBODY)
    with pytest.raises(RunNotFound, match=NOBODY):
        await written.whole(cid=NOBODY)
    await written.write(4, written.run)
    of_all, of_run = (await written.of_all()).next_cursor, (await written.of_run()).next_cursor
    with pytest.raises(BadCursor):
        await written.of_run(cursor=of_all)
    with pytest.raises(BadCursor):
        await written.whole(cursor=of_all)
    with pytest.raises(BadCursor):
        await written.of_all(cursor=of_run)


async def test_the_audit_trail_is_kept_and_read_in_pages(written: Written) -> None:
    for operation in ("startSystem", "stopSystem", "clearQueue"):
        await written.logs.keep_audit_event(Note(operation), AuditOutcome.REFUSED, "No.")
    page = await written.logs.list_audit_events(AuditFilter(), limit=2, cursor=None)
    assert [(each.operation, each.outcome, each.reason) for each in page.items] == [
        ("clearQueue", AuditOutcome.REFUSED, "No."),
        ("stopSystem", AuditOutcome.REFUSED, "No."),
    ]
    cursor = page.next_cursor
    rest = await written.logs.list_audit_events(AuditFilter(), limit=2, cursor=cursor)
    assert [each.operation for each in rest.items] == ["startSystem"]
    refused = AuditFilter(outcome=AuditOutcome.DONE)
    assert (await written.logs.list_audit_events(refused, limit=2, cursor=None)).items == ()
