"""`RunStore.enqueue`: all or none, once per Idempotency-Key, within the limit.

Imports aura_aio.store, model and the fixtures.
"""

import asyncio

import pytest

from aura_aio.model.errors import IdempotencyMismatch, QueueFull
from aura_aio.model.plan import Definition, Task
from aura_aio.model.ports import Accepted, IdempotencyKey
from aura_aio.model.run import CancelRequest, OnCrash, Run
from aura_aio.model.states import RunState
from aura_aio.store.relational.store import SqlStore
from aura_aio.store.relational.transaction import Transaction
from tests.store.conftest import Opening
from tests.store.opened import DEFINITION, Opened

DAY_SEC = 86_400.0


async def test_a_run_has_everything_that_its_tasklet_had(opened: Opened) -> None:
    tasklet = opened.tasklet(
        inputs='{"name":"Zoë","n":[1,2.5,null]}'.encode(),
        priority=-7,
        delay_sec=60,
        timeout_sec=12.5,
        on_crash=OnCrash.RESUME,
        labels={"team": "blue", 'odd "key"': "värde"},
    )
    accepted = await opened.store.runs.enqueue((tasklet,), (DEFINITION,))
    assert accepted == Accepted((tasklet.cid,))
    assert await opened.store.runs.get(tasklet.cid) == Run(
        cid=tasklet.cid,
        plan_name="hello",
        task_name="greet",
        state=RunState.QUEUED,
        attempt=1,
        priority=-7,
        rank=0,
        arrival=tasklet.cid,
        definition_digest=DEFINITION.digest,
        created_at=tasklet.accepted_at,
        on_crash=OnCrash.RESUME,
        run_at=tasklet.run_at,
        timeout_sec=12.5,
        labels={"team": "blue", 'odd "key"': "värde"},
        inputs='{"name":"Zoë","n":[1,2.5,null]}'.encode(),
    )


async def test_the_cids_are_answered_in_order(opened: Opened) -> None:
    tasklets = [opened.tasklet() for _ in range(1_000)]
    accepted = await opened.store.runs.enqueue(tasklets, (DEFINITION,))
    assert accepted.cids == tuple(tasklet.cid for tasklet in tasklets)
    assert (await opened.store.queue.counts()).ready == 1_000


async def test_all_of_the_tasklets_are_stored_or_none(opened: Opened) -> None:
    there = opened.tasklet()
    await opened.store.runs.enqueue((there,), (DEFINITION,))
    other = opened.tasklet()
    with pytest.raises(Exception, match=r"(?i)unique"):
        await opened.store.runs.enqueue((other, there), (DEFINITION,))
    assert await opened.store.runs.get(other.cid) is None
    assert (await opened.store.queue.counts()).ready == 1


async def test_a_run_that_cannot_be_stored_fails_alone_of_those_that_come_with_it(
    opened: Opened,
) -> None:
    there = opened.tasklet()
    await opened.store.runs.enqueue((there,), (DEFINITION,))
    first, *others = (opened.tasklet() for _ in range(4))
    answers = await asyncio.gather(
        *(opened.store.runs.enqueue((each,), (DEFINITION,)) for each in (first, there, *others)),
        return_exceptions=True,
    )
    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, True, True, True]
    assert "unique" in str(answers[1]).lower()
    assert (await opened.store.queue.counts()).ready == 5


async def test_who_looks_into_the_database_is_not_blamed_for_who_came_before(
    opened: Opened,
) -> None:
    """What cannot be stored comes to light with the next operation."""
    there = opened.tasklet()
    await opened.store.runs.enqueue((there,), (DEFINITION,))
    queued, paused = await asyncio.gather(
        opened.store.runs.enqueue((there,), (DEFINITION,)),
        opened.store.queue.pause("hello"),
        return_exceptions=True,
    )
    assert "unique" in str(queued).lower()
    assert not isinstance(paused, BaseException)
    assert set(await opened.store.queue.pauses()) == {"hello"}


async def test_what_comes_together_is_seen_by_what_stands_behind_it(opened: Opened) -> None:
    first, second = opened.tasklet(), opened.tasklet()
    runs = opened.store.runs
    _, _, cancelled, claimed = await asyncio.gather(
        runs.enqueue((first,), (DEFINITION,)),
        runs.enqueue((second,), (DEFINITION,)),
        runs.request_cancel(first.cid, CancelRequest(requested_at=opened.clock.now())),
        opened.claim(),
    )
    assert cancelled.state is RunState.CANCELLED
    assert claimed == [second.cid]
    assert (await opened.store.queue.counts()).ready == 0


async def test_a_definition_is_kept_with_the_runs(opened: Opened) -> None:
    another = Definition.of(Task("hello", "wave"))
    tasklets = [opened.tasklet(), opened.tasklet(definition_digest=another.digest)]
    await opened.store.runs.enqueue(tasklets, (another, DEFINITION))
    await opened.reopen()
    await opened.enqueue()
    assert await opened.store.runs.definition(another.digest) == another
    assert await opened.store.runs.definition(DEFINITION.digest) == DEFINITION
    assert await opened.store.runs.definition("0" * 64) is None


async def test_a_definition_is_kept_once(opened: Opened) -> None:
    assert isinstance(opened.store, SqlStore)

    def define(tx: Transaction) -> list[str]:
        tx.define((DEFINITION, DEFINITION))
        return tx.definitions

    writer = opened.store._writer
    assert await writer.submit(define) == [DEFINITION.digest]
    assert await writer.submit(define) == []


async def test_a_definition_that_is_not_given_is_a_mistake_of_the_caller(opened: Opened) -> None:
    with pytest.raises(ValueError, match=DEFINITION.digest):
        await opened.store.runs.enqueue((opened.tasklet(),), ())


async def test_there_are_never_more_queued_runs_than_the_limit(opening: Opening) -> None:
    opened = await opening(queue_limit=3)
    await opened.enqueue_many(2)
    with pytest.raises(QueueFull) as caught:
        await opened.enqueue_many(2)
    assert caught.value.limit == 3
    await opened.enqueue(delay_sec=60)
    with pytest.raises(QueueFull):
        await opened.enqueue()
    await opened.claim()
    await opened.enqueue()
    await opened.reopen()
    with pytest.raises(QueueFull):
        await opened.enqueue()


async def test_a_repeated_key_answers_the_first_cids_and_stores_nothing(opened: Opened) -> None:
    key = IdempotencyKey("k", "digest", memo=b"first")
    first = await opened.store.runs.enqueue(
        [opened.tasklet(), opened.tasklet()], (DEFINITION,), key
    )
    assert not first.replayed
    await opened.reopen()
    opened.clock.seconds += DAY_SEC - 1
    again = await opened.store.runs.enqueue(
        (opened.tasklet(),), (DEFINITION,), IdempotencyKey("k", "digest", memo=b"second")
    )
    assert again == Accepted(first.cids, replayed=True, memo=b"first")
    assert (await opened.store.queue.counts()).ready == 2


async def test_a_key_with_another_body_is_refused(opened: Opened) -> None:
    await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), IdempotencyKey("k", "a"))
    with pytest.raises(IdempotencyMismatch, match="'k'"):
        await opened.store.runs.enqueue(
            (opened.tasklet(),), (DEFINITION,), IdempotencyKey("k", "b")
        )
    assert (await opened.store.queue.counts()).ready == 1


async def test_a_key_is_known_until_its_time_is_over_whichever_come_after(opened: Opened) -> None:
    keys = [IdempotencyKey(f"k{number}", "a") for number in range(3)]
    for key in keys * 2:
        opened.clock.seconds += DAY_SEC / 6
        await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
    assert (await opened.store.queue.counts()).ready == 3


async def test_a_key_is_forgotten_after_its_time(opened: Opened) -> None:
    for number in range(40):
        key = IdempotencyKey(f"k{number}", "a")
        await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
    opened.clock.seconds += DAY_SEC
    for number in range(40):
        key = IdempotencyKey(f"k{number}", "b")
        accepted = await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
        assert not accepted.replayed
    assert (await opened.store.queue.counts()).ready == 80


async def test_concurrent_requests_with_one_key_store_one_run(opened: Opened) -> None:
    key = IdempotencyKey("k", "a")
    answers = await asyncio.gather(
        *(opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key) for _ in range(50))
    )
    assert len({answer.cids for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 49
    assert (await opened.store.queue.counts()).ready == 1


async def test_a_key_is_kept_for_a_batch_of_which_nothing_was_good(opened: Opened) -> None:
    key = IdempotencyKey("k", "a", memo=b"all were bad")
    assert await opened.store.runs.enqueue((), (), key) == Accepted(())
    assert await opened.store.runs.enqueue((), (), key) == Accepted(
        (), replayed=True, memo=b"all were bad"
    )


async def test_a_replay_is_answered_although_the_queue_is_full(opening: Opening) -> None:
    opened = await opening(queue_limit=1)
    key = IdempotencyKey("k", "a")
    first = await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
    again = await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
    assert again.cids == first.cids


async def test_a_key_of_a_request_that_was_refused_is_free(opening: Opening) -> None:
    opened = await opening(queue_limit=1)
    cid = await opened.enqueue()
    key = IdempotencyKey("k", "a")
    with pytest.raises(QueueFull):
        await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
    assert await opened.claim() == [cid]
    accepted = await opened.store.runs.enqueue((opened.tasklet(),), (DEFINITION,), key)
    assert not accepted.replayed
