"""`QueueStore`: figures and claims are exact after anything, because every write keeps it so.

Imports aura_aio.model and the fixtures.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from aura_aio.model.errors import Conflict
from aura_aio.model.ports import RunFilter
from aura_aio.model.queue_store import QueueCounts
from aura_aio.model.run import CancelRequest, Limit, OnCrash, Run
from aura_aio.model.states import HOLDS_A_SLOT, RunEvent, RunState
from tests.queue_walk import Waiting, walk
from tests.store.opened import Opened


async def test_an_empty_queue_has_no_figures(opened: Opened) -> None:
    assert await opened.store.queue.counts() == QueueCounts(
        ready=0,
        delayed=0,
        running=0,
        by_plan={},
        by_priority={},
        by_state=dict.fromkeys(RunState, 0),
        avg_wait_sec=None,
        p95_wait_sec=None,
        oldest_ready_at=None,
        throughput={"m5": 0, "m15": 0, "m60": 0},
    )


async def test_waits_are_from_being_ready_to_the_claim(opened: Opened) -> None:
    claims = []
    for wait in range(1, 101):
        await opened.enqueue(delay_sec=50)
        opened.clock.seconds += 50 + wait
        await opened.claim()
        claims.append((opened.clock.now(), wait))
    recent = [wait for claimed_at, wait in claims if claimed_at > opened.clock.now() - 3_600]
    assert len(recent) == 27
    counts = await opened.store.queue.counts()
    assert counts.avg_wait_sec == pytest.approx(sum(recent) / 27, abs=1e-6)
    # 95 % of 27 are 25.65, so 26 of them waited no longer.
    assert counts.p95_wait_sec == pytest.approx(sorted(recent)[25], abs=1e-6)


async def test_the_95th_percentile_is_a_wait_that_95_of_100_did_not_exceed(opened: Opened) -> None:
    for wait in range(1, 121):
        await opened.enqueue()
        opened.clock.seconds += wait / 4
        await opened.claim()
        if wait == 20:
            assert (await opened.store.queue.counts()).p95_wait_sec == 19 / 4
    assert (await opened.store.queue.counts()).p95_wait_sec == 114 / 4


async def test_waits_are_those_of_the_latest_thousand(opened: Opened) -> None:
    await opened.enqueue_many(500)
    opened.clock.seconds += 9
    await opened.claim(500)
    await opened.enqueue_many(1_000)
    opened.clock.seconds += 2
    await opened.claim(1_000)
    assert (await opened.store.queue.counts()).avg_wait_sec == pytest.approx(2)


async def test_a_second_attempt_waits_from_the_loss_on(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESTART)
    opened.clock.seconds += 500
    await opened.store.runs.lose([(cid, 1)], reason="Gone.")
    assert (await opened.store.queue.counts()).oldest_ready_at == opened.clock.now()
    opened.clock.seconds += 2
    await opened.claim()
    assert (await opened.store.queue.counts()).avg_wait_sec == 2.0


async def test_the_oldest_ready_run_is_the_one_ready_for_longest(opened: Opened) -> None:
    await opened.enqueue(delay_sec=5)
    opened.clock.seconds += 1
    oldest = opened.clock.now()
    await opened.enqueue(priority=-100)
    opened.clock.seconds += 100
    await opened.enqueue(priority=100)
    assert (await opened.store.queue.counts()).oldest_ready_at == oldest


async def test_throughput_is_of_runs_that_had_started(opened: Opened) -> None:
    for seconds in (3_000, 600, 100, 0):
        cids = await opened.enqueue_many(3)
        await opened.claim(3)
        await opened.end(cids[0])
        await opened.end(cids[1], RunEvent.FAIL)
        await opened.end(cids[2], RunEvent.TIME_OUT)
        await opened.store.runs.request_cancel(await opened.enqueue(), CancelRequest(0.0))
        opened.clock.seconds += seconds
    assert (await opened.store.queue.counts()).throughput == {"m5": 6, "m15": 9, "m60": 9}
    opened.clock.seconds += 3_600
    await opened.end(await opened.start())
    assert (await opened.store.queue.counts()).throughput == {"m5": 1, "m15": 1, "m60": 1}
    opened.clock.seconds += 300
    assert (await opened.store.queue.counts()).throughput == {"m5": 0, "m15": 1, "m60": 1}
    opened.clock.seconds += 3_300
    assert (await opened.store.queue.counts()).throughput == {"m5": 0, "m15": 0, "m60": 0}


SITE, DISK, API = Limit("mutex:site", 1), Limit("resource:disk", 1), Limit("resource:api", 2)
LIMITS = [(), (), (SITE,), (API,), (SITE, API), (DISK, API), (Limit("resource:api", 3),)]


class Storm:
    """Does one thing after the other at random, as its seed says."""

    def __init__(self, opened: Opened, random: Random) -> None:
        self.opened = opened
        self.random = random
        self.known: list[str] = []
        self.attempts: list[tuple[str, int]] = []
        self.deeds: list[Callable[[], Awaitable[object]]] = [
            self.enqueue,
            self.enqueue,
            self.claim,
            self.finish,
            self.lose,
            self.cancel,
            self.set_priority,
            self.wait,
            self.restart,
        ]

    async def enqueue(self) -> None:
        """Several runs of mixed kinds, in one call or at once."""
        cids = await asyncio.gather(
            *(
                self.opened.enqueue(
                    plan_name=self.random.choice(["hello", "reports"]),
                    priority=self.random.choice([-1, 0, 0, 9]),
                    on_crash=self.random.choice(list(OnCrash)),
                    delay_sec=self.random.choice([None, None, 5, 500]),
                    limits=self.random.choice(LIMITS),
                )
                for _ in range(self.random.randint(1, 4))
            )
        )
        self.known += cids

    async def claim(self) -> None:
        """In the order that the list had shown, within the limits."""
        page = await self.opened.store.queue.list_queue(delayed=False, limit=999, cursor=None)
        active = await self.opened.store.runs.list_active()
        expected = walk(
            [Waiting((-run.priority, run.rank, run.cid), run.limits) for _, run in page.items],
            [run.limits for run in active],
            3,
        )
        tasklets = await self.opened.store.queue.claim(["w1", "w2", "w3"])
        assert [tasklet.cid for tasklet in tasklets] == [run.order[2] for run in expected]
        self.attempts += [(tasklet.cid, tasklet.attempt) for tasklet in tasklets]

    async def finish(self) -> None:
        """Attempts of now and of before."""
        events = [RunEvent.SUCCEED, RunEvent.FAIL, RunEvent.TIME_OUT, RunEvent.STOPPED]
        await self.opened.store.runs.finish(
            [
                self.opened.outcome(cid, self.random.choice(events), attempt)
                for cid, attempt in self.some_attempts()
            ]
        )

    async def lose(self) -> None:
        """Attempts of now and of before."""
        retry = self.random.random() < 0.8
        await self.opened.store.runs.lose(self.some_attempts(), reason="Gone.", retry=retry)

    async def cancel(self) -> None:
        """A run that may have ended."""
        await self.try_to(
            lambda cid: self.opened.store.runs.request_cancel(
                cid, CancelRequest(0.0, mode=self.random.choice(["graceful", "kill"]))
            )
        )

    async def set_priority(self) -> None:
        """Of a run that may not be queued any more."""
        await self.try_to(
            lambda cid: self.opened.store.queue.set_priority(cid, self.random.choice([0, 9, 50]))
        )

    async def wait(self) -> None:
        """Let delayed runs become due."""
        self.opened.clock.seconds += self.random.choice([1, 7, 70])

    async def restart(self) -> None:
        """Close, open, recover."""
        await self.opened.reopen()
        await self.opened.store.runs.recover()

    def some_attempts(self) -> list[tuple[str, int]]:
        """Up to three, some of them more than once over time."""
        return self.random.sample(self.attempts, min(3, len(self.attempts)))

    async def try_to(self, act: Callable[[str], Awaitable[Run]]) -> None:
        """Do it to some run; a conflict is an answer."""
        if self.known:
            try:
                await act(self.random.choice(self.known))
            except Conflict:
                assert self.known


async def recount(opened: Opened) -> QueueCounts:
    """The figures, counted anew from the list of all runs."""
    page = await opened.store.runs.list_runs(
        RunFilter(), limit=10_000, cursor=None, include=frozenset()
    )
    now = opened.clock.now()
    queued = [run for run in page.items if run.state is RunState.QUEUED]
    delayed = [run for run in queued if run.attempt == 1 and (run.run_at or 0.0) > now]
    states = Counter(run.state for run in page.items)
    ended = [run for run in page.items if run.finished_at and run.started_at]
    kept = await opened.store.queue.counts()
    return QueueCounts(
        ready=len(queued) - len(delayed),
        delayed=len(delayed),
        running=sum(states[state] for state in HOLDS_A_SLOT),
        by_plan=Counter(run.plan_name for run in queued),
        by_priority=Counter(run.priority for run in queued),
        by_state={state: states[state] for state in RunState},
        avg_wait_sec=kept.avg_wait_sec,
        p95_wait_sec=kept.p95_wait_sec,
        oldest_ready_at=kept.oldest_ready_at,
        throughput={**kept.throughput, "m60": len(ended)},
    )


@pytest.mark.parametrize("seed", range(12))
async def test_the_figures_are_what_counting_gives(opened: Opened, seed: int) -> None:
    storm = Storm(opened, Random(seed))
    for _ in range(60):
        await storm.random.choice(storm.deeds)()
        assert await opened.store.queue.counts() == await recount(opened)
