"""`RunStore.list_runs`: filters, order, pages.

Imports aura_aio.model and the fixtures.
"""

from typing import Any

import pytest

from aura_aio.model.cursors import encode_cursor
from aura_aio.model.errors import BadCursor
from aura_aio.model.ports import Page, RunFilter
from aura_aio.model.run import CancelRequest, Run
from aura_aio.model.states import RunEvent, RunState
from tests.store.opened import DEFINITION, Opened


async def page(
    opened: Opened,
    where: RunFilter = RunFilter(),  # noqa: B008 - frozen
    *,
    limit: int = 100,
    cursor: str | None = None,
    include: frozenset[str] = frozenset(),
) -> Page[Run]:
    """One page."""
    return await opened.store.runs.list_runs(where, limit=limit, cursor=cursor, include=include)


async def cids(opened: Opened, **where: Any) -> list[str]:
    """The cids of all runs that the filter lets pass, read in pages of two."""
    found: list[str] = []
    cursor = None
    while True:
        part = await page(opened, RunFilter(**where), limit=2, cursor=cursor)
        assert len(part.items) <= 2
        found += [run.cid for run in part.items]
        cursor = part.next_cursor
        if cursor is None:
            return found


async def test_runs_are_listed_newest_first_in_pages(opened: Opened) -> None:
    there = await opened.enqueue_many(7)
    await opened.claim(3)
    assert await cids(opened) == there[::-1]
    whole = await page(opened, limit=7)
    assert whole.next_cursor is None
    assert len(whole.items) == 7


async def test_of_plans_that_are_not_seen_nothing_is_listed(opened: Opened) -> None:
    mine, _ = await opened.enqueue(plan_name="mine"), await opened.enqueue(plan_name="other")
    seen = frozenset({"mine"})
    assert await cids(opened, plans=seen) == [mine]
    assert await cids(opened, plans=seen, plan_name="mine") == [mine]
    assert await cids(opened, plans=seen, plan_name="other") == []
    assert await cids(opened, plans=frozenset()) == []


async def test_an_empty_list_has_one_empty_page(opened: Opened) -> None:
    assert await page(opened) == Page(())


async def test_inputs_and_result_come_only_when_asked_for(opened: Opened) -> None:
    await opened.end(await opened.start())
    both = (b'{"name":"world"}', b'{"greeting":"hello"}')
    for include, expected in [
        (set(), (None, None)),
        ({"inputs"}, (both[0], None)),
        ({"result"}, (None, both[1])),
        ({"inputs", "result"}, both),
    ]:
        (run,) = (await page(opened, include=frozenset(include))).items
        assert (run.inputs, run.result) == expected


async def test_every_filter_is_kept(opened: Opened) -> None:
    start = opened.clock.now()
    old = await opened.start(labels={"team": "blue", "env": "test"})
    opened.clock.seconds += 10
    await opened.end(old, RunEvent.FAIL)
    other = await opened.start(plan_name="Reports", task_name="daily", labels={"team": "rouge"})
    opened.clock.seconds += 10
    await opened.end(other)
    new = await opened.start(task_name="wave", labels={"team": "blue"})
    await opened.store.runs.request_cancel(new, CancelRequest(0.0))
    last = await opened.enqueue(labels={"t%_m": "50%"})
    every = [last, new, other, old]
    expectations: list[tuple[dict[str, Any], list[str]]] = [
        ({}, every),
        ({"plan_name": "hello"}, [last, new, old]),
        ({"plan_name": "none"}, []),
        ({"task_name": "wave"}, [new]),
        ({"plan_name": "Reports", "task_name": "wave"}, []),
        ({"statuses": (RunState.FAILED,)}, [old]),
        ({"statuses": (RunState.QUEUED, RunState.SUCCEEDED, RunState.CANCELLING)}, every[:3]),
        ({"statuses": tuple(RunState)}, every),
        ({"statuses": (RunState.FAILED, RunState.FAILED)}, [old]),
        ({"statuses": (RunState.FAILED, RunState.QUEUED), "plan_name": "hello"}, [last, old]),
        ({"statuses": (RunState.TIMED_OUT,)}, []),
        ({"labels": (("team", "blue"),)}, [new, old]),
        ({"labels": (("team", "blue"), ("env", "test"))}, [old]),
        ({"labels": (("blue", "team"),)}, []),
        ({"created_after": start + 10}, [last, new, other]),
        ({"created_before": start + 10}, [old]),
        ({"created_after": start + 1, "created_before": start + 20}, [other]),
        ({"finished_after": start + 10}, [other, old]),
        ({"finished_before": start + 20}, [old]),
        ({"q": "report"}, [other]),
        ({"q": "WAVE"}, [new]),
        ({"q": "ouge"}, [other]),
        ({"q": "team"}, []),
        ({"q": "%"}, [last]),
        ({"q": old}, [old]),
        ({"q": "'; DROP TABLE runs; --"}, []),
    ]
    for where, expected in expectations:
        assert await cids(opened, **where) == expected, where


@pytest.mark.parametrize("key", ['a"b', "a\\b", "a.b", "$", "é", "[0]", "a\nb", ""])
async def test_any_label_can_be_looked_for(opened: Opened, key: str) -> None:
    await opened.enqueue()
    cid = await opened.enqueue(labels={key: f"value of {key}"})
    assert await cids(opened, labels=((key, f"value of {key}"),)) == [cid]


@pytest.mark.parametrize("where", [RunFilter(), RunFilter(plan_name="hello")])
async def test_a_cursor_is_stable_while_runs_come_and_go(opened: Opened, where: RunFilter) -> None:
    there = await opened.enqueue_many(6)
    first = await page(opened, where, limit=2)
    await opened.enqueue_many(3)
    await opened.claim(2)
    await opened.store.runs.request_cancel(there[4], CancelRequest(0.0))
    second = await page(opened, where, limit=10, cursor=first.next_cursor)
    assert [run.cid for run in (*first.items, *second.items)] == there[::-1]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "AAAA",
        "!!!!",
        "é",
        encode_cursor("queue.ready", (1, 0, 0, "a")),
        encode_cursor("runs", 5),
    ],
)
async def test_a_cursor_of_another_list_is_refused(opened: Opened, cursor: str) -> None:
    await opened.enqueue_many(3)
    with pytest.raises(BadCursor):
        await page(opened, cursor=cursor)


async def test_runs_that_do_one_over_are_found_by_it(opened: Opened) -> None:
    (cid, other) = await opened.enqueue_many(2)
    there = [opened.tasklet(retry_of=cid), opened.tasklet(retry_of=cid, plan_name="other")]
    there.append(opened.tasklet(retry_of=other))
    await opened.store.runs.enqueue(there, (DEFINITION,))
    first, second, third = (each.cid for each in there)
    assert await cids(opened, retry_of=cid) == [second, first]
    assert await cids(opened, retry_of=other) == [third]
    assert await cids(opened, retry_of=cid, plan_name="other") == [second]
    assert await cids(opened, retry_of=cid, plans=frozenset({"other"})) == [second]
    both = frozenset({"hello", "other"})
    assert await cids(opened, retry_of=cid, plans=both) == [second, first]
    assert await cids(opened, retry_of=cid, statuses=(RunState.FAILED,)) == []
    assert await cids(opened, retry_of=cid, parent_cid=other) == []
    assert await cids(opened, retry_of=first) == []
