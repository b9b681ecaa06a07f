"""Runs that are offered as jobs of Procrastinate: what is offered, taken, given back and found.

Imports aura_aio.store, model, psycopg and pytest. `test_procrastinate_versions.py` has all of this
run with each version of Procrastinate that is supported.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.job_queue import Job, queue_of
from aura_aio.model.run import CancelRequest, Limit
from tests.postgres_server import clean_database
from tests.store.postgres.jobs_host import DIGEST, PLANS, JobsHost, away, change, jobs_in, refusing
from tests.waiting import until

pytest.importorskip("procrastinate")

SITE = Limit("mutex:site", 1)
API = Limit("resource:api", 2)
OTHER = "f" * 64
SCHEMA = "aura_procrastinate"
CUT_OFF = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE application_name = 'aura' AND datname = current_database()"
)


@pytest.fixture
def url() -> DatabaseUrl:
    """A database with no row."""
    return clean_database()


@pytest.fixture
async def one(url: DatabaseUrl) -> AsyncIterator[JobsHost]:
    """A host."""
    host = JobsHost(url)
    await host.open()
    yield host
    await host.close()


@pytest.fixture
async def two(url: DatabaseUrl) -> AsyncIterator[JobsHost]:
    """Another host, with the same plans."""
    host = JobsHost(url, "two")
    await host.open()
    yield host
    await host.close()


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


class Heard:
    """What a host hears of jobs."""

    def __init__(self, host: JobsHost) -> None:
        self.times = 0
        self.asked: list[int] = []
        host.jobs.listen(self._come, self.asked.append)

    def _come(self) -> None:
        self.times += 1

    def often(self, times: int) -> bool:
        """Whether it has heard so often that jobs may have come."""
        return self.times >= times

    async def beginning(self) -> None:
        """Return once it listens."""
        await until(lambda: self.times == 1)


async def test_who_has_a_run_hears_that_it_is_to_end(one: JobsHost, two: JobsHost) -> None:
    cid = await one.queue()
    await one.offer()
    heard = Heard(two)
    await heard.beginning()
    await one.jobs.abort(cid, 1)  # nobody has it
    await two.take()
    (job_id,) = await two.jobs.mine()
    await one.jobs.abort(cid, 2)  # nor this attempt
    await one.jobs.abort(cid, 1)
    await until(lambda: heard.asked)
    assert heard.asked == [job_id]
    assert two.jobs.alive


async def test_hosts_hear_that_there_is_a_job_also_one_that_was_held_while_it_was_reordered(
    one: JobsHost, two: JobsHost
) -> None:
    """While its order is changed nobody gets it: who has asked in vain then has to ask again."""
    heard = Heard(two)
    await heard.beginning()
    await one.queue()
    later = await one.queue()
    await one.offer()
    await until(lambda: heard.times >= 3)  # each is told of
    before = heard.times
    await one.store.queue.move_to_front(later)
    await one.offer()
    await until(lambda: heard.times > before)


async def test_who_does_not_hear_for_a_while_looks_as_soon_as_it_does(
    url: DatabaseUrl, one: JobsHost, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard(one)
    await heard.beginning()
    change(url, CUT_OFF + " AND query LIKE 'LISTEN%'")
    await until(lambda: heard.times == 2)
    assert one.jobs.alive
    assert "jobs_not_heard" in {getattr(each, "action", "") for each in caplog.records}


async def test_what_another_program_says_there_does_no_harm(
    url: DatabaseUrl, one: JobsHost, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard(one)
    await heard.beginning()
    for number, said in enumerate(("nonsense", "[]", '{"type": "new"}', "{}"), start=2):
        change(url, f"NOTIFY procrastinate_any_queue_v1, '{said}'")
        await until(partial(heard.often, number))
    assert heard.asked == []
    assert one.jobs.alive
    assert {getattr(each, "action", "") for each in caplog.records} == {"job_notice_failed"}


async def test_who_was_not_let_in_leaves_nothing_behind(url: DatabaseUrl, one: JobsHost) -> None:
    before, late = asyncio.all_tasks(), JobsHost(url, "late")
    with away(url, "procrastinate_workers"), pytest.raises(StoreUnavailable):
        await late.jobs.open()
    assert asyncio.all_tasks() == before


async def test_who_beats_is_told_whether_it_was_given_up(url: DatabaseUrl, one: JobsHost) -> None:
    cid = await one.queue()
    await one.offer()
    assert await one.jobs.beat()
    assert await one.take() == [cid]
    change(url, "DELETE FROM procrastinate_workers")
    assert not await one.jobs.beat()
    assert await one.jobs.beat()
    assert await one.jobs.mine() == []
    later = await one.queue()
    await one.offer()
    assert await one.take() == [later]
    assert len(await one.jobs.mine()) == 1


async def test_who_was_given_up_gets_nothing_until_it_has_beaten(
    url: DatabaseUrl, one: JobsHost
) -> None:
    cid = await one.queue()
    await one.offer()
    change(url, "DELETE FROM procrastinate_workers")
    with pytest.raises(StoreUnavailable):
        await one.take()
    await one.jobs.beat()
    assert await one.take() == [cid]


OLD = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '60 seconds'"


async def test_jobs_of_a_silent_host_are_stalled(
    url: DatabaseUrl, one: JobsHost, two: JobsHost
) -> None:
    cids = [await one.queue(), await one.queue()]
    await one.offer()
    assert await one.take(1) == cids[:1]
    assert await two.take(1) == cids[1:]
    change(url, OLD)
    await two.jobs.beat()
    assert [job.cid for job in await two.jobs.stalled(59)] == cids[:1]
    assert len(await two.jobs.silent(59)) == 1
    assert [*await two.jobs.stalled(70), *await two.jobs.silent(70)] == []
    await two.jobs.forget_silent(70)
    assert await one.jobs.beat()
    assert await two.jobs.stalled(59) == []
    change(url, OLD)
    await two.jobs.beat()
    await two.jobs.forget_silent(59)
    assert [job.cid for job in await two.jobs.stalled(3_600)] == cids[:1], "they are nobody's"
    assert not await one.jobs.beat()


async def test_jobs_of_who_has_gone_are_stalled_at_once(url: DatabaseUrl, two: JobsHost) -> None:
    one = JobsHost(url)
    await one.open()
    cid = await one.queue()
    await one.offer()
    await one.take()
    await one.close()
    assert [job.cid for job in await two.jobs.stalled(3_600)] == [cid]


async def test_a_database_that_was_away_is_used_again(url: DatabaseUrl, one: JobsHost) -> None:
    assert await one.jobs.beat()
    change(url, CUT_OFF)

    async def beats() -> bool:
        try:
            return await one.jobs.beat()
        except StoreUnavailable:
            return False

    await until(beats)


async def test_one_that_is_not_there_is_not_available(url: DatabaseUrl) -> None:
    from aura_aio.store.postgres.job_queue import (  # noqa: PLC0415 - it may be missing
        ProcrastinateJobs,
    )

    nowhere = DatabaseUrl(url.secret.replace("/test_", "/no_test_"))
    with pytest.raises(StoreUnavailable, match=r"tables cannot be had.*does not exist"):
        await ProcrastinateJobs(nowhere, JobsHost(url).opened.clock).open()


def making(url: DatabaseUrl) -> Callable[[], None]:
    """What makes the tables."""
    from aura_aio.store.postgres.job_tables import prepare  # noqa: PLC0415 - it may be missing

    return lambda: prepare(url)


async def test_tables_are_made_once_whoever_makes_them(url: DatabaseUrl) -> None:
    change(url, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(making(url)) for _ in range(4)]:
            each.result()
    change(url, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    making(url)()
    host = JobsHost(url)
    await host.open()
    cid = await host.queue()
    await host.offer()
    assert await host.take() == [cid]
    await host.close()


async def test_who_finds_tables_of_another_version_says_what_to_do(url: DatabaseUrl) -> None:
    prepare = making(url)
    await asyncio.to_thread(prepare)
    change(url, "ALTER FUNCTION procrastinate_cancel_job_v1 RENAME TO procrastinate_cancel_job_v9")
    with pytest.raises(StoreUnavailable) as refused:
        await asyncio.to_thread(prepare)
    told = str(refused.value)
    assert "it lacks procrastinate_cancel_job_v1)" in told
    assert url.secret not in told
    remedy = told.partition("then ")[2].rstrip(".")
    assert remedy == f"DROP SCHEMA {SCHEMA} CASCADE"
    change(url, remedy)
    await asyncio.to_thread(prepare)
    assert jobs_in(url) == []
