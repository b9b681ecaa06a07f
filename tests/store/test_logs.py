"""`LogStore`: numbers, filters, bounds.

Imports aura_aio.model and the fixtures.
"""

import asyncio
from typing import Any

import pytest

from aura_aio.model.log import LogEntry, LogFilter, LogLevel, LogLine
from tests.store.opened import Opened

EVERYTHING = LogFilter()


def line(number: int, **changes: Any) -> LogLine:
    """A line; the level cycles."""
    level = list(LogLevel)[number % 5]
    return LogLine(1_000.0 + number, level, "aura.test", f"line {number}", **changes)


async def read(
    opened: Opened,
    where: LogFilter = EVERYTHING,
    *,
    after: int = 0,
    up_to: int | None = None,
    limit: int = 10_000,
) -> list[int]:
    """The numbers of the entries."""
    entries = await opened.store.logs.read(where, after=after, up_to=up_to, limit=limit)
    return [entry.seq for entry in entries]


async def test_entries_are_numbered_from_one_without_a_gap(opened: Opened) -> None:
    assert await opened.store.logs.bounds() == (1, 0)
    first = await opened.store.logs.append([line(0), line(1)])
    assert [entry.seq for entry in first] == [1, 2]
    assert await opened.store.logs.append([]) == ()
    appended = await asyncio.gather(
        *(opened.store.logs.append([line(n) for n in range(10)]) for _ in range(20))
    )
    numbers = [[entry.seq for entry in entries] for entries in appended]
    assert all(seqs == list(range(seqs[0], seqs[0] + 10)) for seqs in numbers)
    assert sorted(seq for seqs in numbers for seq in seqs) == list(range(3, 203))
    assert await opened.store.logs.bounds() == (1, 202)


async def test_numbers_go_on_after_a_restart(opened: Opened) -> None:
    await opened.store.logs.append([line(0), line(1)])
    await opened.reopen()
    assert await opened.store.logs.bounds() == (1, 2)
    (entry,) = await opened.store.logs.append([line(2)])
    assert entry.seq == 3
    assert await read(opened) == [1, 2, 3]


async def test_an_entry_is_read_as_it_was_written(opened: Opened) -> None:
    lines = [
        LogLine(1.5, LogLevel.ERROR, "task", "völlig\n\x01 kaputt", "c", "p", "t", "s", 2, "w", {}),
        LogLine(2.25, LogLevel.DEBUG, "", "", data={"a": [1, {"b": None}], "é": 0.5}),
    ]
    written = await opened.store.logs.append(lines)
    assert written == (LogEntry(1, lines[0]), LogEntry(2, lines[1]))
    assert await opened.store.logs.read(EVERYTHING, after=0, up_to=None, limit=9) == written


async def test_many_lines_that_are_alike_are_kept_as_few_are(opened: Opened) -> None:
    lines = [
        line(n, cid="c", step="s", attempt=1, data={"n": n} if n % 3 else None) for n in range(300)
    ]
    lines[50:50] = [line(n) for n in range(20)]
    lines[200] = line(200, cid="another")
    lines += [line(n, cid="c", worker=f"w{n // 17}") for n in range(100)]
    lines += [line(n, cid="many") for n in range(1_300)]
    lines += [line(n, cid=f"c{n % 2}") for n in range(9)]
    await opened.store.logs.append([line(0)])
    written = await opened.store.logs.append(lines)
    assert written == tuple(LogEntry(seq, each) for seq, each in enumerate(lines, 2))
    assert await opened.store.logs.read(EVERYTHING, after=1, up_to=None, limit=9_999) == written


async def test_a_reader_gets_what_comes_after_and_no_more_than_it_wants(opened: Opened) -> None:
    await opened.store.logs.append([line(n) for n in range(20)])
    assert await read(opened, after=17) == [18, 19, 20]
    assert await read(opened, after=5, up_to=8) == [6, 7, 8]
    assert await read(opened, after=5, limit=2) == [6, 7]
    assert await read(opened, after=20) == []
    assert await read(opened, after=0, up_to=0) == []


@pytest.mark.parametrize(
    "where",
    [
        LogFilter(level=LogLevel.WARNING),
        LogFilter(cid="c1"),
        LogFilter(cid="c1", level=LogLevel.ERROR, step="s0"),
        LogFilter(plan_name="p1"),
        LogFilter(plan_name="p0", task_name="t1"),
        LogFilter(step="s2"),
        LogFilter(cid="none"),
        LogFilter(level=LogLevel.DEBUG, plan_name="p0"),
        LogFilter(level=LogLevel.INFO),
        LogFilter(plans=frozenset({"p1"})),
        LogFilter(plans=frozenset({"p0", "p1"}), cid="c2"),
        LogFilter(plans=frozenset()),
    ],
)
async def test_a_filter_lets_pass_what_the_model_says(opened: Opened, where: LogFilter) -> None:
    lines = [
        line(
            n,
            cid=None if n % 7 == 0 else f"c{n % 3}",
            plan_name=None if n % 9 == 0 else f"p{n % 2}",
            task_name=f"t{n % 4}",
            step=f"s{n % 5}",
        )
        for n in range(100)
    ]
    entries = await opened.store.logs.append(lines)
    expected = [entry.seq for entry in entries if where.matches(entry.line)]
    assert await read(opened, where) == expected
    assert (
        await read(opened, where, after=30, up_to=80, limit=3)
        == [seq for seq in expected if 30 < seq <= 80][:3]
    )


async def test_a_batch_is_kept_whole_or_not_at_all(opened: Opened) -> None:
    await opened.store.logs.append([line(0)])
    with pytest.raises(TypeError):
        await opened.store.logs.append([line(1), line(2, data={"a": object()})])
    assert await opened.store.logs.bounds() == (1, 1)
    assert [entry.seq for entry in await opened.store.logs.append([line(3)])] == [2]
