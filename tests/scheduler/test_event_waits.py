"""Who waits for the end of a run, is told of the first that is meant, and of that alone.

Imports pytest, aura_aio.model and `bench`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from aura_aio.model.errors import BadReference, EventPassed, RunNotFound
from aura_aio.model.event import EventFilter, RunEnded
from aura_aio.model.ports import RunStore
from aura_aio.model.run import CancelRequest, Outcome, Run
from aura_aio.model.states import RunEvent, RunState
from aura_aio.scheduler.event_waits import EventWaits
from tests.scheduler.bench import STEP, Bench
from tests.scheduler.conftest import MakeBench
from tests.scheduler.hesitant import Hesitant
from tests.scheduler.test_event_runs import run
from tests.waiting import turns, until

Wait = Callable[[EventFilter], Awaitable[asyncio.Task[RunEnded]]]


@pytest.fixture
async def bench(make_bench: MakeBench) -> Bench:
    """An open bench with some tasks."""
    bench = make_bench()
    bench.write({"tasks/a.yaml": STEP, "tasks/b.yaml": STEP, "tasks/c.yaml": f"c: {{{STEP}}}"})
    await bench.open()
    return bench


@pytest.fixture
async def wait(bench: Bench) -> AsyncIterator[Wait]:
    """Begins to wait, and gives the coroutine task that does."""
    begun: list[asyncio.Task[RunEnded]] = []

    async def wait(where: EventFilter) -> asyncio.Task[RunEnded]:
        count = bench.event_waits.count
        task = asyncio.create_task(bench.event_waits.wait(where))
        begun.append(task)
        await until(lambda: task.done() or bench.event_waits.count > count)
        return task

    yield wait
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


async def test_the_first_end_that_is_meant_is_told(bench: Bench, wait: Wait) -> None:
    waiting = await wait(EventFilter(plan_name="p", task_name="b"))
    await run(bench, "a")
    await bench.end()
    cid = await run(bench, "b")
    await bench.end(RunEvent.FAIL)
    ended = await waiting
    assert (ended.cid, ended.plan_name, ended.task_name) == (cid, "p", "b")
    assert (ended.status, ended.at) == (RunState.FAILED, bench.clock.now())
    assert ended.error is not None
    assert bench.event_waits.count == 0


async def test_only_what_ends_from_now_on_counts(bench: Bench, wait: Wait) -> None:
    await run(bench, "a")
    await bench.end()
    waiting = await wait(EventFilter(plan_name="p"))
    assert not waiting.done()
    cid = await run(bench, "a")
    await bench.end()
    assert (await waiting).cid == cid


async def test_a_run_that_has_ended_already_is_told_at_once(bench: Bench, wait: Wait) -> None:
    cid = await run(bench, "a")
    await bench.end()
    assert (await (await wait(EventFilter(cid=cid)))).status is RunState.SUCCEEDED
    late = await wait(EventFilter(cid=cid, statuses=(RunState.FAILED,)))
    with pytest.raises(EventPassed, match=f"{cid}.* already ended as succeeded"):
        await late
    meant = await wait(EventFilter(cid=cid, statuses=(RunState.SUCCEEDED,)))
    assert (await meant).cid == cid


async def test_what_a_run_has_answered_is_told_with_its_end(bench: Bench, wait: Wait) -> None:
    cid = await run(bench, "a")
    waiting = await wait(EventFilter(cid=cid))
    await bench.store.queue.claim(["w1"])
    await bench.store.runs.finish([Outcome(cid, 1, RunEvent.SUCCEED, 0.0, result=b"7")])
    assert (await waiting).result == b"7"


async def test_a_run_that_ends_otherwise_than_wanted_is_told_so(bench: Bench, wait: Wait) -> None:
    cid = await run(bench, "a")
    waiting = await wait(EventFilter(cid=cid, statuses=(RunState.SUCCEEDED,)))
    await bench.store.runs.request_cancel(cid, CancelRequest(0.0))
    with pytest.raises(EventPassed, match=f"{cid}.* already ended as cancelled"):
        await waiting


async def test_what_there_is_not_is_not_waited_for(bench: Bench) -> None:
    with pytest.raises(RunNotFound, match="'nobody'"):
        await bench.event_waits.wait(EventFilter(cid="nobody"))
    with pytest.raises(BadReference, match="no task 'd'"):
        await bench.event_waits.wait(EventFilter(plan_name="p", task_name="d"))
    with pytest.raises(BadReference, match="no plan 'q'"):
        await bench.event_waits.wait(EventFilter(plan_name="q"))
    assert bench.event_waits.count == 0


async def test_a_task_by_any_of_its_names(bench: Bench, wait: Wait) -> None:
    short = await wait(EventFilter(plan_name="p", task_name="c"))
    canonical = await wait(EventFilter(task_name="tasks:c.yaml:c"))
    await run(bench, "a")
    await bench.end()
    cid = await run(bench, "c")
    await bench.end()
    assert {(await short).cid, (await canonical).cid} == {cid}


async def test_everybody_is_told_of_the_same_end(bench: Bench, wait: Wait) -> None:
    waiting = [await wait(EventFilter(plan_name="p")) for _ in range(20)]
    await run(bench, "a")
    await run(bench, "b")
    first = await bench.end()
    await bench.end()
    assert {(await each).cid for each in waiting} == {first}


async def test_who_was_told_keeps_nobody_from_being_told_at_once(bench: Bench, wait: Wait) -> None:
    first = await wait(EventFilter(plan_name="p"))
    second = await wait(EventFilter(task_name="b"))
    cids = [await run(bench, task) for task in "ab"]
    await bench.store.queue.claim(["w1", "w2"])
    await bench.store.runs.finish([Outcome(cid, 1, RunEvent.SUCCEED, 0.0) for cid in cids])
    await until(second.done)
    assert [(await each).cid for each in (first, second)] == cids


async def test_what_ends_while_the_store_is_asked_is_asked_for_together(bench: Bench) -> None:
    asked, gate = list[list[str]](), asyncio.Event()

    class Slow:
        """The runs of a store, which answer once the gate is open."""

        get = staticmethod(bench.store.runs.get)

        async def states(self, cids: list[str]) -> Mapping[str, Run]:
            asked.append(cids)
            await gate.wait()
            return await bench.store.runs.states(cids)

    slow: Any = Slow()
    waits = EventWaits(slow, bench.plans.catalog, bench.clock)
    bench.bus.subscribe(waits.run_changed)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(waits.wait(EventFilter(task_name="b")))
        await until(lambda: waits.count)
        cids = [await run(bench, task) for task in "aaab"]
        for _ in cids:
            await bench.end()
        await turns(20)
        gate.set()
    assert waiting.result().cid == cids[3]
    assert asked == [cids[:1], cids[1:]]
    await waits.aclose()


async def test_a_run_that_is_forgotten_as_it_ends_is_not_found(bench: Bench) -> None:
    forgetful: Any = Forgetful(bench.store.runs)
    waits = EventWaits(forgetful, bench.plans.catalog, bench.clock)
    cid = await run(bench, "a")
    await bench.end()
    with pytest.raises(RunNotFound, match=cid):
        await waits.wait(EventFilter(cid=cid))


class Forgetful:
    """The runs of a store, none of which is there when it is asked for as a whole."""

    def __init__(self, runs: RunStore) -> None:
        self.states = runs.states

    async def get(self, _: str) -> None:
        """It is gone."""


async def test_who_waits_no_more_is_forgotten(bench: Bench, wait: Wait) -> None:
    waiting = await wait(EventFilter(plan_name="p"))
    waiting.cancel()
    await until(lambda: bench.event_waits.count == 0)
    await run(bench, "a")
    await bench.end()
    assert bench.event_waits.alive


async def test_a_store_that_is_away_for_a_while_loses_no_event(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.write({"tasks/a.yaml": STEP})
    await bench.open()
    hesitant: Any = Hesitant(bench.store.runs)
    waits = EventWaits(hesitant, bench.plans.catalog, bench.clock)
    bench.bus.subscribe(waits.run_changed)
    sleepers = bench.clock.sleepers
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(waits.wait(EventFilter(plan_name="p")))
        await until(lambda: waits.count == 1)
        cid = await run(bench, "a")
        await bench.end()
        for _ in range(2):
            await until(lambda: bench.clock.sleepers > sleepers)
            bench.clock.turn(1)
    assert waiting.result().cid == cid
    assert hesitant.refused == {"states", "get"}
    await waits.aclose()
