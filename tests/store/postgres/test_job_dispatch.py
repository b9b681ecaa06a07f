"""What a host does with the jobs that it is given: claims, gives back, offers, and looks after.

Imports aura_aio.dispatch, model, pytest and `jobs_host`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from aura_aio.dispatch.leases import BEATS, Leases
from aura_aio.dispatch.offering import AHEAD, Offering
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.run import CancelRequest, Limit, OnCrash, Tasklet
from aura_aio.model.states import RunState
from tests.scheduler.bench import TurnedClock
from tests.store.postgres.jobs_host import Claiming, away, change, jobs_in, refusing
from tests.waiting import turns, until

pytest.importorskip("procrastinate")

SITE = Limit("mutex:site", 1)
SILENT_SEC = 5.0
LONG_AGO = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"


@pytest.fixture
async def one(url: DatabaseUrl) -> AsyncIterator[Claiming]:
    """A host."""
    host = Claiming(url)
    await host.begin()
    yield host
    await host.end()


@pytest.fixture
async def two(url: DatabaseUrl) -> AsyncIterator[Claiming]:
    """Another one."""
    host = Claiming(url, "two")
    await host.begin()
    yield host
    await host.end()


def cids_of(tasklets: Sequence[Tasklet]) -> list[str]:
    """The runs that begin."""
    return [tasklet.cid for tasklet in tasklets]


async def test_a_job_is_kept_until_its_attempt_is_over(url: DatabaseUrl, one: Claiming) -> None:
    cids = [await one.queue() for _ in range(3)]
    await one.offer()
    tasklets = await one.claimed(2)
    assert cids_of(tasklets) == cids[:2]
    assert jobs_in(url, "id", "status = 'doing'") == sorted(one.claims.known())
    first, second = tasklets
    assert one.claims.has((first.cid, 1))
    one.claims.is_over(first)
    await until(lambda: jobs_in(url) == cids[1:])
    assert not one.claims.has((first.cid, 1))
    (job_id,) = one.claims.known()
    assert one.claims.attempt_of(job_id) == (second.cid, 1)
    assert (one.looks, one.offers_again) == (0, 0)


async def test_what_cannot_start_is_given_back_and_offered_again(
    url: DatabaseUrl, one: Claiming, two: Claiming
) -> None:
    cids = [await one.queue(), await one.queue()]
    await one.offer()
    await one.store.queue.pause("hello")
    assert await two.claimed(9) == ()
    assert two.looks == 1
    await until(lambda: two.offers_again == 1)
    assert jobs_in(url) == []
    await one.store.queue.resume("hello")
    await two.offer()
    assert cids_of(await two.claimed(9)) == cids


async def test_of_two_jobs_for_a_run_one_is_given_back_at_once(
    url: DatabaseUrl, one: Claiming
) -> None:
    """It was taken by nobody yet, but on its way out, when it was offered elsewhere."""
    cid = await one.queue()
    await one.offer()
    change(
        url,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) "
        "SELECT 'hello', task_name, priority, args FROM procrastinate_jobs",
    )
    assert jobs_in(url) == [cid, cid]
    assert cids_of(await one.claimed(2)) == [cid]
    await until(lambda: jobs_in(url) == [cid])
    (job_id,) = jobs_in(url, "id")
    assert one.claims.attempt_of(job_id) == (cid, 1)


async def test_a_host_that_could_not_claim_keeps_nothing_from_the_others(
    url: DatabaseUrl, one: Claiming, two: Claiming
) -> None:
    """It may be told to stop before it asks again."""
    cid = await one.queue()
    await one.offer()
    with refusing(url, "aura.runs"), pytest.raises(StoreUnavailable):
        await one.claimed()
    await until(lambda: one.offers_again == 1)
    await one.offer()
    assert cids_of(await two.claimed()) == [cid]


async def test_what_is_left_at_the_end_is_finished_if_the_database_is_there(
    url: DatabaseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    one = Claiming(url)
    await one.begin()
    cids = [await one.queue(), await one.queue()]
    await one.offer()
    assert cids_of(await one.claimed()) == cids[:1]
    await one.claims.aclose()
    assert jobs_in(url) == cids[1:]
    assert cids_of(await one.claimed()) == cids[1:]
    with away(url, "procrastinate_jobs"):
        await one.claims.aclose()
    told = [vars(each) for each in caplog.records if each.name.startswith("aura.")]
    assert [each["action"] for each in told] == ["jobs_not_finished"]
    await one.close()


@pytest.fixture
async def offering(one: Claiming) -> AsyncIterator[Offering]:
    """Offers what changes in the store of a host let start."""
    offering = Offering(one.offers, one.store.queue, one.opened.clock)
    one.opened.listeners.append(offering.run_changed)
    yield offering
    assert offering.alive
    await offering.aclose()


async def test_it_offers_what_comes_and_what_an_end_lets_start(
    url: DatabaseUrl, one: Claiming, offering: Offering
) -> None:
    offering.start(lambda: 9)
    first, second = await one.queue(limits=(SITE,)), await one.queue(limits=(SITE,))
    await until(lambda: jobs_in(url) == [first])
    (tasklet,) = await one.claimed()
    await one.opened.end(first)
    one.claims.is_over(tasklet)
    await until(lambda: jobs_in(url) == [second])
    await one.store.queue.pause("hello")
    offering.look_again()
    await until(lambda: jobs_in(url) == [])


async def test_what_is_delayed_is_offered_without_a_reason_when_it_is_due(
    url: DatabaseUrl, one: Claiming, offering: Offering
) -> None:
    offering.start(lambda: 9)
    cid = await one.queue(delay_sec=0.05)
    await one.offer()
    assert jobs_in(url) == []
    one.opened.clock.seconds += 0.05
    await until(lambda: jobs_in(url) == [cid])


async def test_more_is_offered_once_there_is_room_for_more(
    url: DatabaseUrl, one: Claiming, offering: Offering
) -> None:
    """As a host starts it has no workers; what runs then may take long."""
    cids = [await one.queue() for _ in range(20)]
    slots = [0]
    offering.start(lambda: slots[0])
    one.claims.room_left = offering.room_left
    await until(lambda: jobs_in(url) == cids[:AHEAD])
    slots[0] = 4
    assert cids_of(await one.claimed(4)) == cids[:AHEAD]
    wait = "status = 'todo'"
    await until(lambda: jobs_in(url, where=wait) == cids[AHEAD : 5 * AHEAD])
    # What can be seen in the database may not be counted yet; with the next commit it is.
    await one.store.queue.pause("another")
    commits = one.store.commits
    assert len(await one.claimed(20)) == 4 * AHEAD
    await turns(9)
    await one.store.queue.set_priority(cids[-1], 0)
    assert one.store.commits == commits + 2, "there is not more room than was offered for"


async def test_a_host_offers_more_for_itself_also_of_what_others_have_queued(
    url: DatabaseUrl, one: Claiming, two: Claiming
) -> None:
    """They hear of its workers with its next beat only."""
    offering = Offering(two.offers, two.store.queue, two.opened.clock)
    slots, commits = [1], two.store.commits
    offering.start(lambda: slots[0])
    two.claims.room_left = offering.room_left
    await until(lambda: two.store.commits > commits)
    cids = [await one.queue() for _ in range(9)]
    await one.offer(1)
    slots[0] = 2
    assert cids_of(await two.claimed(2)) == cids[:1]
    await until(lambda: jobs_in(url) == cids[: 1 + 2 * AHEAD])
    await offering.aclose()


async def test_what_takes_no_offers_for_a_while_is_tried_again(
    url: DatabaseUrl, one: Claiming, offering: Offering
) -> None:
    began = one.opened.clock.seconds
    cid = await one.queue()
    with refusing(url):
        offering.start(lambda: 1)
        await until(lambda: one.opened.clock.seconds > began)
    await until(lambda: jobs_in(url) == [cid])


class Kept:
    """The leases of a host, beat by beat."""

    def __init__(self, host: Claiming) -> None:
        self.clock = TurnedClock()
        self.cancelled: list[tuple[str, float]] = []
        self.given_up = 0
        self.leases = Leases(
            host.jobs, host.claims, host.store.runs, self.clock, silent_sec=SILENT_SEC
        )
        self.leases.cancel = lambda cid, grace_sec: self.cancelled.append((cid, grace_sec))
        self.leases.on_given_up = self._given_up
        self.leases.start()

    async def beat(self, times: int = 1) -> None:
        """Let it beat so often, and look."""
        for _ in range(times):
            await until(lambda: self.clock.sleepers == 1)
            self.clock.turn(SILENT_SEC / BEATS)
        await until(lambda: self.clock.sleepers == 1)
        assert self.leases.alive

    def _given_up(self) -> None:
        self.given_up += 1


@pytest.fixture
async def kept(one: Claiming) -> AsyncIterator[Kept]:
    """Those of a host."""
    kept = Kept(one)
    yield kept
    await kept.leases.aclose()


async def test_a_job_that_the_host_knows_nothing_of_is_given_back(
    url: DatabaseUrl, one: Claiming, kept: Kept
) -> None:
    """Its answer was lost when it was taken."""
    known, unknown = await one.queue(), await one.queue()
    await one.offer()
    assert cids_of(await one.claimed()) == [known]
    assert await one.take() == [unknown]
    await kept.beat()
    await until(lambda: jobs_in(url) == [known])
    await until(lambda: one.offers_again == 1)
    await one.offer()
    assert cids_of(await one.claimed()) == [unknown]
    await kept.beat()
    assert jobs_in(url) == [known, unknown]


async def test_a_job_that_the_database_has_forgotten_or_has_again_is_no_matter(
    url: DatabaseUrl, one: Claiming, two: Claiming, kept: Kept
) -> None:
    """As after a kill: one is there no more, one is offered though its run runs."""
    cids = [await one.queue(), await one.queue()]
    await one.offer()
    first, second = await one.claimed(2)
    change(
        url, "DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs)"
    )
    change(url, "UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL")
    assert jobs_in(url) == cids[1:]
    await kept.beat()
    assert await two.claimed(9) == ()
    await until(lambda: jobs_in(url) == [])
    for tasklet in (first, second):
        await one.opened.end(tasklet.cid)
        one.claims.is_over(tasklet)
    await until(lambda: not one.claims.known())


@pytest.mark.parametrize(
    ("on_crash", "state"), [(OnCrash.FAIL, RunState.FAILED), (OnCrash.RESTART, RunState.QUEUED)]
)
async def test_what_a_silent_host_has_is_lost_and_its_job_finished(
    url: DatabaseUrl, one: Claiming, two: Claiming, kept: Kept, on_crash: OnCrash, state: RunState
) -> None:
    cid = await one.queue(on_crash=on_crash)
    waits = await one.queue()
    await one.offer()
    assert cids_of(await two.claimed()) == [cid]
    assert await two.take() == [waits]  # it dies before it has claimed it
    change(url, LONG_AGO)
    await kept.beat(2)
    assert (await one.opened.run(cid)).state is RunState.RUNNING, "it may come back"
    await kept.beat(4)
    await until(lambda: one.offers_again >= 1)
    assert jobs_in(url) == []
    assert (await one.opened.run(cid)).state is state
    assert (await one.opened.run(waits)).state is RunState.QUEUED
    await one.offer()
    assert waits in cids_of(await one.claimed(9))


async def test_who_was_silent_for_a_while_only_loses_nothing(
    url: DatabaseUrl, one: Claiming, two: Claiming, kept: Kept
) -> None:
    cid = await one.queue()
    await one.offer()
    await two.claimed()
    for _ in range(3):
        change(url, LONG_AGO)
        await kept.beat(2)
        assert await two.jobs.beat()
        await kept.beat()
    assert (await one.opened.run(cid)).state is RunState.RUNNING
    assert jobs_in(url) == [cid]
    assert kept.given_up == 0


async def test_a_database_whose_clock_is_put_forward_makes_nobody_look_dead(
    url: DatabaseUrl, two: Claiming, kept: Kept
) -> None:
    """Nor one that slept, with all that it serves."""
    for _ in range(2 * BEATS):
        await kept.beat()
        assert await two.jobs.beat()
    change(url, LONG_AGO)
    await kept.beat()
    assert await two.jobs.beat()
    change(url, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    await kept.beat(3 * BEATS)
    assert not await two.jobs.beat(), "who stays silent is forgotten"


async def test_who_was_given_up_is_told(url: DatabaseUrl, kept: Kept) -> None:
    change(url, "DELETE FROM procrastinate_workers")
    await kept.beat()
    assert kept.given_up == 1
    await kept.beat()
    assert kept.given_up == 1


async def test_a_run_that_is_cancelled_here_ends_where_it_runs(
    url: DatabaseUrl, one: Claiming, two: Claiming, kept: Kept
) -> None:
    there = Kept(two)
    told = asyncio.Event()
    two.jobs.listen(told.set, there.leases.asked)
    await told.wait()
    cid = await one.queue()
    await one.offer()
    await two.claimed()
    one.opened.listeners.append(kept.leases.run_changed)
    request = CancelRequest(one.opened.clock.now(), grace_sec=7.0)
    await one.store.runs.request_cancel(cid, request)
    await until(lambda: there.cancelled)
    assert there.cancelled == [(cid, 7.0)]
    await there.leases.aclose()


async def test_it_beats_on_when_the_database_was_away(
    url: DatabaseUrl, one: Claiming, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    with away(url, "procrastinate_workers"):
        await kept.beat(2)
    actions = [getattr(each, "action", "") for each in caplog.records]
    assert actions.count("beat_of_jobs_failed") == 2
    await kept.beat()
    assert await one.jobs.beat()
    assert kept.given_up == 0
