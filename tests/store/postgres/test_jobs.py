"""Runs that are offered as jobs of Procrastinate: what is offered, taken, given back and found.

Imports aura_aio.store, model, psycopg and pytest. `test_procrastinate_versions.py` has all of this
run with each version of Procrastinate that is supported.
"""

import asyncio

import pytest

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.job_queue import Job, queue_of
from aura_aio.model.run import CancelRequest, Limit
from tests.store.postgres.jobs_host import DIGEST, PLANS, JobsHost, jobs_in, refusing

pytest.importorskip("procrastinate")

SITE = Limit("mutex:site", 1)
API = Limit("resource:api", 2)
OTHER = "f" * 64


def cancelling(host: JobsHost) -> CancelRequest:
    """Somebody asks for the end of a run."""
    return CancelRequest(host.opened.clock.now())


async def test_they_are_taken_in_the_order_of_the_queue(one: JobsHost, two: JobsHost) -> None:
    low, usual, front, high, later = [
        await one.queue(priority=priority) for priority in (-100, 0, 0, 100, 0)
    ]
    await one.store.queue.move_to_front(front)
    await one.offer()
    assert await two.take(2) == [high, front]
    assert await one.take() == [usual, later, low]
    assert await two.take() == []


async def test_as_many_as_were_asked_for_and_the_first_ones(one: JobsHost) -> None:
    cids = [await one.queue() for _ in range(7)]
    await one.offer(6)
    assert sorted(await one.take(5)) == cids[:5]  # several are taken at the same time
    assert await one.take(5) == [cids[5]]


async def test_what_waits_follows_the_queue(url: DatabaseUrl, one: JobsHost) -> None:
    first, second, third = [await one.queue() for _ in range(3)]
    await one.offer()
    ids = set(jobs_in(url, "id"))
    await one.store.queue.set_priority(third, 5)
    await one.offer()
    assert jobs_in(url) == [third, first, second]
    await one.store.queue.move_to_front(second)
    await one.offer()
    assert jobs_in(url) == [third, second, first]
    await one.store.queue.set_priority(third, -5)
    new = await one.queue(priority=1)
    await one.offer()
    assert jobs_in(url) == [new, second, first, third]
    assert ids < set(jobs_in(url, "id")), "none was made anew"


async def test_what_may_not_start_any_more_is_withdrawn(url: DatabaseUrl, one: JobsHost) -> None:
    cancelled, left = await one.queue(), await one.queue()
    await one.offer()
    await one.store.runs.request_cancel(cancelled, cancelling(one))
    await one.offer()
    assert jobs_in(url) == [left]
    for plan_name in ("hello", ""):
        await one.store.queue.pause(plan_name)
        await one.offer()
        assert jobs_in(url) == []
        await one.store.queue.resume(plan_name)
        await one.offer()
        assert jobs_in(url) == [left]


async def test_a_host_withdraws_also_what_another_has_offered(
    url: DatabaseUrl, one: JobsHost, two: JobsHost
) -> None:
    await one.offer()  # there is nothing
    await two.queue()
    await two.offer()
    await one.store.queue.pause("hello")
    await one.offer()
    assert jobs_in(url) == []


async def test_only_what_limits_let_start_is_offered(url: DatabaseUrl, one: JobsHost) -> None:
    alone = [await one.queue(limits=(SITE,)) for _ in range(2)]
    both = [await one.queue(limits=(API,)) for _ in range(3)]
    free = await one.queue()
    await one.offer()
    assert jobs_in(url) == [alone[0], *both[:2], free]
    taken = await one.take(1)
    await one.offer()
    assert jobs_in(url, where="status = 'todo'") == [*both[:2], free], "it was taken, not started"
    assert await one.claim(*taken) == taken
    await one.offer()
    assert jobs_in(url, where="status = 'todo'") == [*both[:2], free]
    await one.opened.end(taken[0])
    await one.offer()
    assert jobs_in(url, where="status = 'todo'") == [alone[1], *both[:2], free]


async def test_so_many_of_each_plan_where_hosts_have_others(
    url: DatabaseUrl, one: JobsHost, two: JobsHost
) -> None:
    await two.have({"other": OTHER})
    mine = [await one.queue() for _ in range(3)]
    theirs = [await one.queue(plan_name="other", plan_digest=OTHER) for _ in range(3)]
    assert await one.queue(plan_name="nobody's")
    await one.offer(2)
    assert jobs_in(url) == [*mine[:2], *theirs[:2]]
    assert await two.take() == theirs[:2]
    assert await one.take() == mine[:2]


async def test_each_version_of_a_plan_goes_to_the_hosts_that_have_it_so(
    one: JobsHost, two: JobsHost
) -> None:
    await two.have({"hello": OTHER})
    exact, others, anywhere = [
        await one.queue(plan_digest=digest) for digest in (DIGEST, OTHER, "0" * 64)
    ]
    await one.offer()
    assert await two.take(1) == [others]
    assert await one.take() == [exact, anywhere]
    late = await one.queue()
    await one.offer()
    await one.have({})  # it takes no more runs
    await two.offer()
    assert await two.take() == [late]


async def test_a_plan_may_have_the_longest_name(one: JobsHost) -> None:
    await one.have({"雪" * 100: DIGEST})
    cid = await one.queue(plan_name="雪" * 100)
    await one.offer()
    assert await one.take() == [cid]


async def test_what_is_delayed_is_offered_when_it_is_due(url: DatabaseUrl, one: JobsHost) -> None:
    cid = await one.queue(delay_sec=60)
    await one.offer()
    assert jobs_in(url) == []
    one.opened.clock.seconds += 60
    await one.offer()
    assert await one.take() == [cid]


async def test_nothing_is_offered_where_there_is_no_host(url: DatabaseUrl, one: JobsHost) -> None:
    await one.queue()
    await one.store.fleet.leave("one")
    await one.offer()
    assert jobs_in(url) == []


async def cut_off(host: JobsHost) -> None:
    """The writer of the host loses its connection, with the transaction of this turn."""
    kill = "SELECT pg_terminate_backend(pg_backend_pid())"
    await host.store._writer.submit(lambda tx: tx.connection.execute(kill))


async def test_an_offer_is_there_with_its_run_or_not_at_all(
    url: DatabaseUrl, one: JobsHost
) -> None:
    await one.offer()
    parts = asyncio.gather(one.queue(), one.offer(), cut_off(one), return_exceptions=True)
    assert [type(each) for each in await parts] == [StoreUnavailable] * 3
    assert jobs_in(url) == []
    commits = one.store.commits
    cid, _ = await asyncio.gather(one.queue(), one.offer())
    assert one.store.commits == commits + 1
    assert jobs_in(url) == [cid]


async def test_what_was_not_withdrawn_after_all_is_withdrawn_later(
    url: DatabaseUrl, one: JobsHost
) -> None:
    cid = await one.queue()
    await one.offer()
    cancel = one.store.runs.request_cancel(cid, cancelling(one))
    parts = asyncio.gather(cancel, one.offer(), cut_off(one), return_exceptions=True)
    assert [type(each) for each in await parts] == [StoreUnavailable] * 3
    assert jobs_in(url) == [cid]
    await one.store.runs.request_cancel(cid, cancelling(one))
    await one.offer()
    assert jobs_in(url) == []


@pytest.mark.parametrize("code", ["disk_full", "lock_not_available"])
async def test_a_database_that_takes_no_jobs_is_not_available(
    url: DatabaseUrl, one: JobsHost, code: str
) -> None:
    """Whoever asks tries again then, and others are told what is wrong."""
    with refusing(url, code=code):
        cid = await one.queue()
        with pytest.raises(StoreUnavailable, match="no more"):
            await one.offer()
    await one.offer()
    assert jobs_in(url) == [cid]


async def test_to_finish_is_idempotent(url: DatabaseUrl, one: JobsHost) -> None:
    first, second = await one.queue(), await one.queue()
    await one.offer()
    (job,) = await one.jobs.fetch([queue_of("hello", DIGEST, [PLANS])], 1)
    assert job == Job(job.id, first, 1)
    assert await one.jobs.mine() == [job.id]
    await one.jobs.finish([job.id, 4711])
    await one.jobs.finish([job.id])
    assert await one.jobs.mine() == []
    assert jobs_in(url) == [second]
