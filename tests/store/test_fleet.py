"""Every store: who shares the database, and what becomes of the runs of who is given up.

Imports aura_aio.model and the fixtures.
"""

import asyncio

from aura_aio.model.fleet import Host, HostStatus, PlanDigests, worker_name
from aura_aio.model.ports import WorkerStatus
from aura_aio.model.run import Limit, OnCrash
from aura_aio.model.states import RunState
from tests.store.conftest import Opening
from tests.store.opened import Opened

REASON = "Nothing was heard of it."


async def test_who_joins_beats_and_leaves_is_known_to_all(opened: Opened) -> None:
    fleet = opened.store.fleet
    await fleet.join("b", HostStatus("k"), may_lead=True)
    await fleet.join("a", HostStatus(), may_lead=False)
    assert await fleet.members() == (
        Host("b", True, 1, HostStatus("k")),
        Host("a", False, 1, HostStatus()),
    )
    told = HostStatus("l", plans={"hello": "1"})
    assert await fleet.beat("b", told) is True
    assert await fleet.beat("c", HostStatus()) is False
    assert (await fleet.members())[0] == Host("b", True, 2, told)
    await fleet.leave("b")
    assert [host.id for host in await fleet.members()] == ["a"]
    await opened.reopen()
    assert [host.id for host in await opened.store.fleet.members()] == ["a"]


async def test_runs_of_who_is_given_up_go_on_elsewhere_as_often_as_they_may(
    opening: Opening,
) -> None:
    opened = await opening(max_attempts=2)
    fleet, cid = opened.store.fleet, await opened.enqueue(on_crash=OnCrash.RESTART)
    found = []
    for _ in range(2):
        await fleet.join("a", HostStatus(), may_lead=True)
        await opened.store.queue.claim([worker_name("a", 1)])
        assert not await fleet.orphans()
        opened.clock.seconds += 5
        found.append(await fleet.give_up({"a": 1}, reason=REASON))
        assert await fleet.members() == ()
    nothing = {"requeued": (), "failed": (), "cancelled": ()}
    assert found == [nothing | {"requeued": (cid,)}, nothing | {"failed": (cid,)}]
    run = await opened.run(cid)
    assert (run.state, run.attempt) == (RunState.FAILED, 2)
    assert run.finished_at == opened.clock.now()
    assert run.error is not None
    assert REASON in run.error.message


async def test_who_beats_is_not_given_up(opened: Opened) -> None:
    fleet, cid = opened.store.fleet, await opened.enqueue()
    await fleet.join("a", HostStatus(), may_lead=True)
    await opened.store.queue.claim([worker_name("a", 1)])
    await fleet.beat("a", HostStatus())
    assert not any((await fleet.give_up({"a": 1}, reason=REASON)).values())
    assert (await opened.run(cid)).state is RunState.RUNNING
    await fleet.leave("a")
    assert await fleet.orphans()
    assert (await fleet.give_up({}, reason=REASON))["failed"] == (cid,)


async def test_a_host_gets_what_it_serves_and_what_is_not_paused(opened: Opened) -> None:
    store, worker = opened.store, worker_name("a", 1)
    here, there = await opened.enqueue(), await opened.enqueue(plan_name="other")

    async def claim(*served: str) -> list[str]:
        claimed = await store.queue.claim([worker, worker], served=dict.fromkeys(served, ""))
        return [tasklet.cid for tasklet in claimed]

    assert await claim("hello", "other") == []  # it is none of the hosts
    await store.fleet.join("a", HostStatus(), may_lead=True)
    await store.queue.pause("hello")
    assert await claim("hello") == []
    assert await claim("hello", "other") == [there]
    await store.queue.resume("hello")
    assert await claim("other") == []
    assert await claim("hello") == [here]
    for cid in (here, there):
        assert (await opened.run(cid)).started_at == opened.clock.now()


class Hosts:
    """Hosts `a`, `b`, … with plans of their own, each with workers."""

    def __init__(self, opened: Opened, **plans: PlanDigests) -> None:
        self._opened = opened
        self._plans = plans

    async def join(self) -> None:
        """Let all be there."""
        for host_id, plans in self._plans.items():
            await self._opened.store.fleet.join(host_id, HostStatus(plans=plans), may_lead=True)

    async def reload(self, host_id: str, **plans: str) -> None:
        """Let a host have these plans from now on, and the others know it."""
        self._plans[host_id] = plans
        assert await self._opened.store.fleet.beat(host_id, HostStatus(plans=plans))

    async def claim(self, host_id: str, among: list[str] | None = None) -> list[str]:
        """What a host with room for nine takes."""
        workers = [worker_name(host_id, 1)] * 9
        queue = self._opened.store.queue
        return [each.cid for each in await queue.claim(workers, among, self._plans[host_id])]


ONE, TWO = {"plan_digest": "1"}, {"plan_digest": "2"}


async def test_a_run_goes_to_a_host_that_has_its_plan_as_it_was_when_it_was_accepted(
    opened: Opened,
) -> None:
    hosts = Hosts(opened, a={"hello": "1"}, b={"hello": "2"}, c={"hello": "2"})
    await hosts.join()
    limit = (Limit("resource:x", 3),)
    first = [await opened.enqueue(**ONE, limits=limits) for limits in ((), limit)]
    second = [await opened.enqueue(**TWO, limits=limits) for limits in ((), limit)]
    third = [await opened.enqueue(plan_digest="3"), await opened.enqueue(plan_digest="3")]
    assert (await opened.run(first[0])).plan_digest == "1"
    assert await hosts.claim("b") == second + third  # those that nobody has so are anybody's
    assert await hosts.claim("c") == []
    again = await opened.enqueue(**TWO, priority=9)
    assert await hosts.claim("a") == first
    assert await hosts.claim("c") == [again]


def has_room(plans: PlanDigests, *, free: bool = True) -> HostStatus:
    """What a host tells that has one slot."""
    worker = WorkerStatus("a/worker-1", 1, "ready", slots=1, busy=0 if free else 1)
    return HostStatus(plans=plans, workers=(worker,))


async def test_what_a_run_needs_is_kept_for_it_where_it_is_left_to_a_host_with_room(
    opened: Opened,
) -> None:
    plans = {"hello": "1"}
    hosts = Hosts(opened, a=plans, b={"hello": "2"})
    await hosts.join()
    mutex, api = (Limit("mutex:x", 1),), (Limit("resource:api", 3),)
    held = await opened.enqueue(**TWO, limits=mutex)
    assert await hosts.claim("b") == [held]
    await opened.store.fleet.beat("a", has_room(plans))
    first = await opened.enqueue(**ONE, limits=mutex, priority=9)
    behind = await opened.enqueue(**TWO, limits=mutex)
    free = await opened.enqueue(**TWO, limits=(Limit("mutex:y", 1),))
    await opened.enqueue_many(2, **ONE, limits=api, priority=9)
    some = await opened.enqueue_many(3, **TWO, limits=api)
    await opened.enqueue_many(2, **ONE, priority=9)
    assert await hosts.claim("b") == [free, *some[:2]]  # one place of three is kept
    _, claimed = await asyncio.gather(opened.end(held), hosts.claim("b"))
    assert claimed == []
    taken = await hosts.claim("a")
    assert taken[0] == first
    await opened.end(first)
    assert await hosts.claim("b") == [behind]


async def test_nothing_is_kept_for_a_run_whose_hosts_have_no_room_or_that_comes_later(
    opened: Opened,
) -> None:
    """Their other runs may keep them busy for hours."""
    plans = {"hello": "1"}
    hosts = Hosts(opened, a=plans, b={"hello": "2"})
    await hosts.join()
    mutex = (Limit("mutex:x", 1),)
    left = await opened.enqueue(**ONE, limits=mutex, priority=5)
    for free, priority in ((False, 0), (True, 9)):
        await opened.store.fleet.beat("a", has_room(plans, free=free))
        cid = await opened.enqueue(**TWO, limits=mutex, priority=priority)
        assert await hosts.claim("b") == [cid]
        await opened.end(cid)
    later = await opened.enqueue(**TWO, limits=mutex)
    assert await hosts.claim("b") == []
    await opened.store.fleet.beat("a", has_room(plans, free=False))
    assert await hosts.claim("b") == [later]
    await opened.end(later)
    assert await hosts.claim("a") == [left]


async def test_runs_are_anybodys_once_no_host_has_their_plan_as_it_was(opened: Opened) -> None:
    """Who had it so has loaded it anew, has left, or is given up."""
    hosts = Hosts(opened, a={"hello": "1"}, b={"hello": "2"}, c={"hello": "2"})
    await hosts.join()
    cid = await opened.enqueue(**ONE)
    assert await hosts.claim("b") == []
    await hosts.reload("a", hello="2")
    assert await hosts.claim("b") == [cid]
    await hosts.reload("a", hello="3")
    await hosts.reload("b", hello="4")
    left, given_up = await opened.enqueue(plan_digest="3"), await opened.enqueue(plan_digest="4")
    assert await hosts.claim("c") == []
    await opened.store.fleet.leave("a")
    assert await hosts.claim("c") == [left]
    await opened.store.fleet.give_up({"b": 2}, reason=REASON)
    assert await hosts.claim("c") == [given_up]


async def test_where_all_hosts_are_alike_or_one_is_alone_any_digest_is_taken(
    opened: Opened,
) -> None:
    hosts = Hosts(opened, a={"hello": "1", "other": "1"}, b={"hello": "1"})
    await hosts.join()
    cids = [await opened.enqueue(**each) for each in (ONE, TWO)]
    assert await hosts.claim("b") == cids
    cid = await opened.enqueue(**TWO)
    assert await opened.claim(9) == [cid]


async def test_a_run_that_comes_as_another_host_has_its_plan_is_not_claimed_with_it(
    opened: Opened,
) -> None:
    hosts = Hosts(opened, a={"hello": "1"}, b={"hello": "2"})
    await hosts.join()
    cid, claimed = await asyncio.gather(opened.enqueue(**ONE), hosts.claim("b"))
    assert claimed == []
    assert await hosts.claim("a") == [cid]


async def test_what_an_attempt_waits_for_is_taken_however_its_plan_was(opened: Opened) -> None:
    """While all stops nobody else takes it."""
    hosts = Hosts(opened, a={"hello": "1"}, b={"hello": "2"})
    await hosts.join()
    cid = await opened.enqueue(**ONE)
    assert await hosts.claim("b", [cid]) == [cid]


async def test_a_run_keeps_what_its_plan_was_when_its_host_is_lost(opened: Opened) -> None:
    hosts = Hosts(opened, a={"hello": "1"}, b={"hello": "2"}, c={"hello": "1"})
    await hosts.join()
    cid = await opened.enqueue(**ONE, on_crash=OnCrash.RESTART)
    assert await hosts.claim("a") == [cid]
    await opened.store.fleet.give_up({"a": 1}, reason=REASON)
    assert (await opened.run(cid)).plan_digest == "1"
    assert await hosts.claim("b") == []
    assert await hosts.claim("c") == [cid]


async def test_of_some_only_those_are_claimed(opened: Opened) -> None:
    cids = [await opened.enqueue(priority=n) for n in range(3)]
    claimed = await opened.store.queue.claim(["w1", "w2", "w3"], cids[:2])
    assert [tasklet.cid for tasklet in claimed] == [cids[1], cids[0]]
    assert (await opened.run(cids[0])).started_at == opened.clock.now()
    assert await opened.claim(9) == [cids[2]]
