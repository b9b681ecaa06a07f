"""Child runs as the Dispatcher asks for them: what they are given, found again, and cancelled.

Imports pytest, aura_aio.model and `bench`.
"""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.model.children import ChildRequest
from aura_aio.model.errors import BadReference, InputsRejected, ParentEnded, TooDeep
from aura_aio.model.origin import FromParent, decode_origin
from aura_aio.model.run import CancelRequest, Limit, Run, Tasklet
from aura_aio.model.sealing import PassedOn, hidden_from
from aura_aio.model.states import RunState
from aura_aio.model.trace import TraceContext
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.children import Children
from tests.scheduler.bench import START, STEP, Bench
from tests.scheduler.conftest import MakeBench

TASKS = {
    "tasks/t.yaml": f"meta: {{inputs: [{{name: n, type: integer, default: 1}}]}}\n{STEP}",
    "tasks/again.yaml": f"meta: {{on_crash: restart}}\n{STEP}",
    "tasks/site.yaml": f"meta: {{concurrency: {{mutex_group: site}}}}\n{STEP}",
    "tasks/disk.yaml": f"meta: {{concurrency: {{mutex_group: disk}}}}\n{STEP}",
}
ASKED = ChildRequest("", 1, "s", None, 1, "p", "t", wait=True)


class Families:
    """Runs of the plan `p`, and what they ask for."""

    def __init__(self, bench: Bench) -> None:
        store = bench.store
        self.bench = bench
        self.children = Children(
            store.children, store.runs, bench.admission, bench.clock, depth_limit=2
        )

    async def start(self, task_name: str = "t", priority: int = 0) -> Tasklet:
        """A run that is under way."""
        request = RunRequest(plan_name="p", task_name=task_name, priority=priority)
        admitted = self.bench.admission.admit(request)
        await self.bench.store.runs.enqueue([admitted.tasklet], [admitted.definition])
        return await self.claim()

    async def claim(self) -> Tasklet:
        """The next of the queue begins."""
        (tasklet,) = await self.bench.store.queue.claim(["w1"])
        return tasklet

    async def child(self, parent: Tasklet, **changes: Any) -> Run:
        """A child of the parent, as it is asked for."""
        asked = replace(ASKED, parent_cid=parent.cid, attempt=parent.attempt, **changes)
        return await self.run(await self.children.start(asked))

    async def run(self, cid: str) -> Run:
        """As it is stored."""
        run = await self.bench.store.runs.get(cid)
        assert run is not None
        return run


@pytest.fixture
async def families(make_bench: MakeBench) -> Families:
    """Nobody yet."""
    bench = make_bench()
    bench.write(TASKS)
    await bench.open()
    return Families(bench)


async def test_a_child_is_given_what_was_asked_for(families: Families) -> None:
    parent = await families.start(priority=4)
    trace = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    run = await families.child(
        parent,
        step="fetch",
        turn=2,
        tries=3,
        inputs=b'{"n": 7}',
        timeout_sec=9.0,
        labels={"a": "b"},
        trace=trace,
    )
    assert (run.plan_name, run.task_name, run.state) == ("p", "t", RunState.QUEUED)
    assert (run.parent_cid, run.depth, run.priority) == (parent.cid, 1, 4)
    assert (run.inputs, run.timeout_sec, run.labels) == (b'{"n":7}', 9.0, {"a": "b"})
    assert (run.trace, run.created_at) == (trace, START)
    assert decode_origin(run.origin) == FromParent(parent.cid, "fetch", 2, 3)
    other = await families.child(parent, step="send", priority=-5, wait=False)
    assert (other.priority, other.inputs) == (-5, b'{"n":1}')
    assert decode_origin(other.origin) == FromParent(parent.cid, "send", wait=False)


async def test_the_same_call_gets_the_same_child(families: Families) -> None:
    parent = await families.start()
    first = await families.child(parent)
    assert await families.child(parent) == first
    others = [
        await families.child(parent, **it) for it in ({"step": "u"}, {"turn": 0}, {"tries": 2})
    ]
    assert len({first.cid, *(run.cid for run in others)}) == 4


async def test_a_secret_that_is_passed_on_is_sealed_again(families: Families) -> None:
    """Whatever the task of the child says of the input that it comes in."""
    parent = await families.start()
    passed_on = PassedOn(("n",), ("4711",))
    run = await families.child(parent, inputs=b'{"n": 4711}', passed_on=passed_on)
    assert run.inputs == b'{"n":"***"}'
    assert run.sealed is not None
    hidden = hidden_from(families.bench.vault.unseal(run.sealed))
    assert (hidden.inputs, hidden.passed_on) == ({"n": 4711}, passed_on)


async def test_a_secret_that_was_passed_on_is_one_when_the_child_is_done_over(
    families: Families,
) -> None:
    passed_on, bench = PassedOn(("n",), ("4711",)), families.bench
    child = await families.child(await families.start(), inputs=b'{"n": 4711}', passed_on=passed_on)
    again = bench.admission.admit_again(child, {}, None, trace=None).tasklet
    assert again.inputs == b'{"n":"***"}'
    assert again.sealed is not None
    hidden = hidden_from(bench.vault.unseal(again.sealed))
    assert (hidden.inputs, hidden.passed_on) == ({"n": 4711}, passed_on)


async def test_who_restarts_asks_anew(families: Families) -> None:
    parent = await families.start("again")
    first = await families.child(parent)
    assert await families.child(parent) == first
    await families.bench.store.runs.lose([(parent.cid, 1)], reason="Gone.", retry=True)
    anew = await families.child(await families.claim())
    assert anew.cid != first.cid
    assert (await families.run(first.cid)).state is RunState.CANCELLED


async def test_families_are_as_deep_as_the_settings_say(families: Families) -> None:
    parent = await families.start()
    for depth in (1, 2):
        run = await families.child(parent)
        assert run.depth == depth
        parent = await families.claim()
    with pytest.raises(TooDeep, match="would be 3 deep, and 2 is the most"):
        await families.child(parent)


async def test_what_is_wrong_is_said_and_queues_nothing(families: Families) -> None:
    parent = await families.start()
    with pytest.raises(BadReference):
        await families.child(parent, task_name="v")
    with pytest.raises(InputsRejected):
        await families.child(parent, inputs=b'{"n": "x"}')
    with pytest.raises(ParentEnded, match="is not running"):
        await families.child(replace(parent, attempt=2))
    nobody = "019cadd4-0000-7000-8000-000000000000"
    with pytest.raises(ParentEnded, match=f"^There is no run '{nobody}': it gets no children"):
        await families.child(replace(parent, cid=nobody))
    assert len(await families.bench.runs()) == 1


async def test_only_who_waits_for_it_is_passed_by(families: Families) -> None:
    """What the parent holds, the child of a call that waits has in its place; else it waits."""
    parent = await families.start("site")
    waited = await families.child(parent, task_name="disk")
    assert [limit.key for limit in waited.limits] == [f"awaited:{parent.cid}", "mutex:disk"]
    left = await families.child(parent, task_name="disk", step="u", wait=False)
    assert left.limits == (Limit("mutex:disk", 1),)
    child = await families.claim()
    below = await families.child(child, task_name="disk")
    assert f"awaited:{parent.cid}" in {limit.key for limit in below.limits}


async def test_a_child_that_nobody_waits_for_is_cancelled(families: Families) -> None:
    parent = await families.start()
    child = await families.child(parent)
    await families.children.cancel(child.cid, reason="Not needed.")
    run = await families.run(child.cid)
    assert run.state is RunState.CANCELLED
    assert run.cancel == CancelRequest(requested_at=START, reason="Not needed.")
    await asyncio.gather(
        families.children.cancel(child.cid, reason="Again."),
        families.children.cancel("019cadd4-0000-7000-8000-000000000000", reason="Again."),
    )
    assert (await families.run(child.cid)).cancel == run.cancel
    assert (await families.run(parent.cid)).state is RunState.RUNNING
