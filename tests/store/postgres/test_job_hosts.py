"""Hosts that take jobs of Procrastinate: what they hear, who is given up, what their tables are.

Imports aura_aio.store, model, psycopg and pytest. `test_procrastinate_versions.py` has all of this
run with each version of Procrastinate that is supported.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from tests.store.postgres.jobs_host import JobsHost, away, change, jobs_in
from tests.waiting import until

pytest.importorskip("procrastinate")

SCHEMA = "aura_procrastinate"
CUT_OFF = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE application_name = 'aura' AND datname = current_database()"
)


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
    told = [vars(each) for each in caplog.records if each.name.startswith("aura.")]
    assert {each["action"] for each in told} == {"job_notice_failed"}


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
