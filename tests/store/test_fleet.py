"""Every store: who shares the database, and what becomes of the runs of who is given up.

Imports aura_aio.model and the fixtures.
"""

from aura_aio.model.fleet import Host, HostStatus, worker_name
from aura_aio.model.run import OnCrash
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
    assert await fleet.beat("b", HostStatus("l")) is True
    assert await fleet.beat("c", HostStatus()) is False
    assert (await fleet.members())[0] == Host("b", True, 2, HostStatus("l"))
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
        claimed = await store.queue.claim([worker, worker], served=served)
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


async def test_of_some_only_those_are_claimed(opened: Opened) -> None:
    cids = [await opened.enqueue(priority=n) for n in range(3)]
    claimed = await opened.store.queue.claim(["w1", "w2", "w3"], cids[:2])
    assert [tasklet.cid for tasklet in claimed] == [cids[1], cids[0]]
    assert (await opened.run(cids[0])).started_at == opened.clock.now()
    assert await opened.claim(9) == [cids[2]]
