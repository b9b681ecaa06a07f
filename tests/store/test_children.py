"""Children in the store: queued once for each call, found, listed, and ended with their parent.

Imports aura_aio.model and the fixtures.
"""

from typing import Any

import pytest

from aura_aio.model.errors import ParentEnded, QueueFull
from aura_aio.model.origin import FromParent, encode_origin
from aura_aio.model.ports import RunFilter
from aura_aio.model.run import CancelRequest, OnCrash
from aura_aio.model.states import RunEvent, RunState
from tests.store.conftest import Opening
from tests.store.opened import DEFINITION, Opened


async def child(
    opened: Opened, parent: str, *, step: str = "s", attempt: int = 1, depth: int = 1, **more: Any
) -> str:
    """Queue a child of a step of the parent, or find it; its cid."""
    origin = encode_origin(FromParent(parent, step))
    tasklet = opened.tasklet(parent_cid=parent, origin=origin, depth=depth, **more)
    return await opened.store.children.enqueue_child(tasklet, DEFINITION, attempt=attempt)


async def state(opened: Opened, cid: str) -> RunState:
    return (await opened.run(cid)).state


async def test_a_child_is_queued_once_for_each_call(opened: Opened) -> None:
    parent = await opened.start()
    first = await child(opened, parent)
    assert await child(opened, parent) == first
    other = await child(opened, parent, step="t")
    assert other != first
    run = await opened.run(first)
    assert (run.parent_cid, run.depth, run.state) == (parent, 1, RunState.QUEUED)
    assert (await opened.store.queue.counts()).ready == 2
    await opened.claim(2)
    await opened.end(first)
    assert await child(opened, parent) == first
    await opened.reopen()
    await opened.store.runs.recover()
    assert await opened.claim() == []


async def test_a_call_of_another_parent_is_another_call(opened: Opened) -> None:
    parents = await opened.enqueue_many(2)
    await opened.claim(2)
    first, second = [await child(opened, parent, step="s") for parent in parents]
    assert first != second


@pytest.mark.parametrize("how", ["queued", "cancelling", "over", "lost", "unknown"])
async def test_only_an_attempt_that_is_running_gets_children(opened: Opened, how: str) -> None:
    parent = await opened.enqueue(on_crash=OnCrash.RESUME)
    if how != "queued":
        await opened.claim()
    if how == "cancelling":
        await opened.store.runs.request_cancel(parent, CancelRequest(0.0))
    elif how == "over":
        await opened.end(parent)
    elif how == "lost":
        await opened.store.runs.lose([(parent, 1)], reason="Gone.")
        await opened.claim()
    elif how == "unknown":
        parent = "019cadd4-0000-7000-8000-000000000000"
    with pytest.raises(
        ParentEnded, match=r"^Run \S+ is not running any more: it gets no children\.$"
    ):
        await child(opened, parent)
    if how == "lost":
        assert await child(opened, parent, attempt=2)


async def test_a_full_queue_takes_no_child(opening: Opening) -> None:
    opened = await opening(queue_limit=1)
    parent = await opened.start()
    first = await child(opened, parent)
    with pytest.raises(QueueFull):
        await child(opened, parent, step="t")
    assert await child(opened, parent) == first  # it is there already


async def test_children_go_before_what_has_not_begun_the_deepest_first(opened: Opened) -> None:
    parent = await opened.start()
    other = await opened.enqueue()
    first = await child(opened, parent)
    urgent = await opened.enqueue(priority=1)
    assert await opened.claim(1) == [urgent]
    assert await opened.claim(1) == [first]
    deeper = await child(opened, first, depth=2)
    second = await child(opened, parent, step="t")
    assert await opened.claim(9) == [deeper, second, other]


async def test_so_they_do_with_another_priority(opened: Opened) -> None:
    parent = await opened.start()
    first = await child(opened, parent)
    assert await opened.claim(1) == [first]
    deeper = await child(opened, first, depth=2)
    others = await opened.enqueue_many(2, priority=3)
    second = await child(opened, parent, step="t")
    for cid in (second, deeper):
        await opened.store.queue.set_priority(cid, 3)
    assert await opened.claim(9) == [deeper, second, *others]


async def test_only_some_are_claimed_if_asked_for(opened: Opened) -> None:
    first, second, third = await opened.enqueue_many(3)
    delayed = await opened.enqueue(delay_sec=9)
    claimed = await opened.store.queue.claim(["w1", "w2"], [third, second, first, delayed])
    assert [tasklet.cid for tasklet in claimed] == [first, second]
    run = await opened.run(second)
    assert (run.worker, run.started_at) == ("w2", opened.clock.now())
    assert await opened.store.queue.claim(["w1"], [first, second, delayed]) == ()
    assert await opened.store.queue.claim(["w1"], []) == ()
    assert await opened.claim() == [third]


async def test_a_family_is_the_run_and_those_above(opened: Opened) -> None:
    parent = await opened.start()
    first = await child(opened, parent)
    await opened.claim()
    second = await child(opened, first, depth=2)
    assert [run.cid for run in await opened.store.children.family(second)] == [
        second,
        first,
        parent,
    ]
    assert await opened.store.children.family("019cadd4-0000-7000-8000-000000000000") == ()


async def test_children_are_listed_the_newest_first(opened: Opened) -> None:
    parent = await opened.start()
    cids = [await child(opened, parent, step=f"s{number}") for number in range(5)]
    await child(opened, cids[0], attempt=1) if await opened.claim() == [cids[0]] else None
    await opened.end(cids[0])
    where = RunFilter(parent_cid=parent)
    listed: list[str] = []
    cursor = None
    while True:
        page = await opened.store.runs.list_runs(where, limit=2, cursor=cursor, include=frozenset())
        listed += [run.cid for run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert listed == cids[::-1]
    ended = RunFilter(parent_cid=parent, plan_name="hello", statuses=(RunState.SUCCEEDED,))
    page = await opened.store.runs.list_runs(ended, limit=9, cursor=None, include=frozenset())
    assert [run.cid for run in page.items] == [cids[0]]
    none = RunFilter(parent_cid=parent, plan_name="other")
    page = await opened.store.runs.list_runs(none, limit=9, cursor=None, include=frozenset())
    assert page.items == ()


async def why(opened: Opened, cid: str) -> str | None:
    """The reason for which a run was cancelled."""
    cancel = (await opened.run(cid)).cancel
    assert cancel is not None
    return cancel.reason


class Tree:
    """A parent that is running, with one child running, one queued and one ended, and a grandchild
    under the running one.
    """

    async def grow(self, opened: Opened, on_crash: OnCrash = OnCrash.FAIL) -> "Tree":
        self.opened = opened
        self.parent = await opened.start(on_crash=on_crash)
        self.ended = await child(opened, self.parent, step="ended")
        self.running = await child(opened, self.parent, step="running")
        await opened.claim(2)
        await opened.end(self.ended)
        self.grandchild = await child(opened, self.running, depth=2)
        await opened.claim()
        self.queued = await child(opened, self.parent, step="queued")
        self.stranger = await opened.enqueue()
        opened.facts.clear()
        return self

    async def states(self) -> list[RunState]:
        """Of the child that ended, that is queued, that runs; the grandchild, and a stranger."""
        cids = (self.ended, self.queued, self.running, self.grandchild, self.stranger)
        return [await state(self.opened, cid) for cid in cids]


UNTOUCHED = [
    RunState.SUCCEEDED,
    RunState.QUEUED,
    RunState.RUNNING,
    RunState.RUNNING,
    RunState.QUEUED,
]
TAKEN_ALONG = [
    RunState.SUCCEEDED,
    RunState.CANCELLED,
    RunState.CANCELLING,
    RunState.CANCELLING,
    RunState.QUEUED,
]


async def test_a_cancel_takes_all_below_along_in_the_same_transaction(opened: Opened) -> None:
    tree = await Tree().grow(opened)
    before = opened.store.commits
    request = CancelRequest(5.0, grace_sec=3.0, reason="enough", requested_by="ann")
    await opened.store.runs.request_cancel(tree.parent, request)
    assert opened.store.commits == before + 1
    assert await tree.states() == TAKEN_ALONG
    assert {(fact.cid, fact.target, fact.grace_sec) for fact in opened.facts} == {
        (tree.parent, RunState.CANCELLING, 3.0),
        (tree.queued, RunState.CANCELLED, None),
        (tree.running, RunState.CANCELLING, 3.0),
        (tree.grandchild, RunState.CANCELLING, 3.0),
    }
    cancel = (await opened.run(tree.running)).cancel
    assert cancel == CancelRequest(
        5.0,
        grace_sec=3.0,
        reason=f"Its parent {tree.parent} is being cancelled.",
        requested_by="ann",
    )
    counts = await opened.store.queue.counts()
    assert (counts.ready, counts.by_state[RunState.CANCELLED]) == (1, 1)
    assert (await opened.run(tree.queued)).finished_at == opened.clock.now()
    assert {fact.at for fact in opened.facts} == {opened.clock.now()}


async def test_children_are_given_up_whatever_else_a_transaction_does(opened: Opened) -> None:
    other, parent = await opened.start(), await opened.start()
    cid = await child(opened, parent)
    outcomes = opened.outcome(other), opened.outcome(parent, RunEvent.FAIL)
    await opened.store.runs.finish(outcomes)
    assert (await opened.run(cid)).state is RunState.CANCELLED


async def test_a_kill_becomes_one_below(opened: Opened) -> None:
    tree = await Tree().grow(opened)
    await opened.store.runs.request_cancel(tree.parent, CancelRequest(1.0))
    opened.facts.clear()
    await opened.store.runs.request_cancel(tree.parent, CancelRequest(2.0, mode="kill"))
    assert {(fact.cid, fact.grace_sec) for fact in opened.facts} == {
        (tree.parent, 0.0),
        (tree.running, 0.0),
        (tree.grandchild, 0.0),
    }


@pytest.mark.parametrize("event", [RunEvent.FAIL, RunEvent.TIME_OUT, RunEvent.STOPPED])
async def test_a_bad_end_takes_children_along(opened: Opened, event: RunEvent) -> None:
    tree = await Tree().grow(opened)
    await opened.end(tree.parent, event)
    assert await tree.states() == TAKEN_ALONG
    ended = await state(opened, tree.parent)
    assert await why(opened, tree.queued) == f"Its parent {tree.parent} has ended as {ended}."


async def test_a_good_end_leaves_children_alone(opened: Opened) -> None:
    tree = await Tree().grow(opened)
    await opened.end(tree.parent)
    assert await tree.states() == UNTOUCHED


async def test_ends_in_one_call_do_not_get_in_each_others_way(opened: Opened) -> None:
    tree = await Tree().grow(opened)
    states = await opened.store.runs.finish(
        [opened.outcome(tree.parent, RunEvent.FAIL), opened.outcome(tree.running)]
    )
    assert states == (RunState.FAILED, RunState.SUCCEEDED)
    assert await tree.states() == [
        RunState.SUCCEEDED,
        RunState.CANCELLED,
        RunState.SUCCEEDED,
        RunState.RUNNING,
        RunState.QUEUED,
    ]


@pytest.mark.parametrize(
    ("on_crash", "expected"),
    [
        (OnCrash.FAIL, TAKEN_ALONG),
        (OnCrash.RESTART, TAKEN_ALONG),
        (OnCrash.RESUME, UNTOUCHED),
    ],
)
async def test_what_becomes_of_children_when_their_parent_is_lost(
    opened: Opened, on_crash: OnCrash, expected: list[RunState]
) -> None:
    tree = await Tree().grow(opened, on_crash)
    await opened.store.runs.lose([(tree.parent, 1)], reason="Gone.")
    assert await tree.states() == expected
    if on_crash is OnCrash.RESTART:
        told = f"Its parent {tree.parent} starts again from nothing."
        assert await why(opened, tree.queued) == told


async def test_recovery_leaves_no_child_of_a_failed_parent(opened: Opened) -> None:
    tree = await Tree().grow(opened)
    await opened.reopen()
    await opened.store.runs.recover()
    states = await tree.states()
    assert states == [
        RunState.SUCCEEDED,
        RunState.CANCELLED,
        RunState.FAILED,
        RunState.FAILED,
        RunState.QUEUED,
    ]
