"""What steps did: kept while their attempt is under way, and never touched afterwards.

Imports aura_aio.model and the fixtures.
"""

import pytest
from msgspec.structs import replace

from aura_aio.model.plan import StepStatus
from aura_aio.model.run import HANDED_DOWN, CallRecord, CancelRequest, OnCrash, RunError, StepRecord
from aura_aio.model.states import RunEvent, RunState
from tests.store.opened import DEFINITION, Opened

NO_CID = "019cadd4-0000-7000-8000-000000000000"


def done(cid: str, step: str, attempt: int = 1, at: float = 5.0) -> StepRecord:
    """The record of a step that succeeded."""
    return StepRecord(cid, attempt, step, StepStatus.SUCCESS, at - 1, at, 1, b'{"n":1}')


async def kept(opened: Opened, cid: str) -> list[tuple[str, int, str]]:
    """Step, attempt and status of all records."""
    records = await opened.store.runs.steps(cid)
    return [(record.step, record.attempt, record.status) for record in records]


async def lose(opened: Opened, cid: str, attempt: int = 1) -> RunState | None:
    """Let an attempt lose its worker; answers the state."""
    (state,) = await opened.store.runs.lose([(cid, attempt)], reason="The worker is gone.")
    return state


async def test_steps_are_kept_in_the_order_of_their_start(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESUME)
    fetch = StepRecord(cid, 1, "fetch", StepStatus.RUNNING, started_at=5.0, tries=1)
    other = await opened.start()
    await opened.store.runs.record_steps([fetch, done(other, "fetch")])
    failed = StepRecord(
        cid, 1, "fetch", StepStatus.FAILED, 5.0, 6.0, 2, b"[1]", RunError("KeyError", "'a'")
    )
    calls = (CallRecord(None, 1, "failed", 4.0, 4.1), CallRecord(7, 2, "success", 4.2, 4.5))
    prepare = StepRecord(
        cid, 1, "prepare", StepStatus.SUCCESS, 4.0, 4.5, 2, worker="worker-3", calls=calls
    )
    skipped = StepRecord(cid, 1, "report", StepStatus.SKIPPED, finished_at=7.0)
    pending = StepRecord(cid, 1, "a last one", StepStatus.PENDING)
    await opened.store.runs.record_steps([pending, skipped, failed, prepare])
    await opened.store.runs.record_steps([])
    await lose(opened, cid)
    assert await opened.claim() == [cid]
    again = StepRecord(cid, 2, "last", StepStatus.RUNNING, started_at=0.5)
    await opened.store.runs.record_steps([again])
    await opened.reopen()
    assert await opened.store.runs.steps(cid) == (prepare, failed, skipped, pending, again)
    assert await opened.store.runs.steps(NO_CID) == ()


@pytest.mark.parametrize("on_crash", [OnCrash.RESUME, OnCrash.RESTART])
async def test_what_an_attempt_says_after_its_loss_is_not_kept(
    opened: Opened, on_crash: OnCrash
) -> None:
    cid = await opened.start(on_crash=on_crash)
    await opened.store.runs.record_steps([done(cid, "first")])
    assert await lose(opened, cid) is RunState.QUEUED
    late = [done(cid, "first", at=9.0), done(cid, "second")]
    await opened.store.runs.record_steps(late)
    assert await kept(opened, cid) == [("first", 1, "success")]
    assert await opened.claim() == [cid]
    await opened.store.runs.record_steps(late)
    await opened.store.runs.record_steps([done(cid, "second", attempt=2)])
    assert await kept(opened, cid) == [("first", 1, "success"), ("second", 2, "success")]
    assert (await opened.store.runs.steps(cid))[0].finished_at == 5.0


async def test_what_an_attempt_says_after_its_end_is_not_kept(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.record_steps([done(cid, "first")])
    await opened.end(cid)
    await opened.store.runs.record_steps([done(cid, "second")])
    assert await kept(opened, cid) == [("first", 1, "success")]


async def test_what_no_attempt_said_is_not_kept(opened: Opened) -> None:
    queued = await opened.enqueue()
    await opened.store.runs.record_steps([done(queued, "first"), done(NO_CID, "first")])
    assert await kept(opened, queued) == []
    assert await kept(opened, NO_CID) == []


async def test_a_run_that_is_being_cancelled_still_tells_of_its_steps(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    await opened.store.runs.record_steps([done(cid, "first")])
    assert await kept(opened, cid) == [("first", 1, "success")]


async def test_the_last_steps_are_kept_with_the_end_of_their_attempt(opened: Opened) -> None:
    cid, other = await opened.enqueue_many(2)
    await opened.claim(2)
    before = opened.store.commits
    states = await opened.store.runs.finish(
        [opened.outcome(cid)], [done(cid, "last"), done(other, "first")]
    )
    assert states == (RunState.SUCCEEDED,)
    assert opened.store.commits == before + 1
    assert await kept(opened, cid) == [("last", 1, "success")]
    assert await kept(opened, other) == [("first", 1, "success")]
    assert await opened.store.runs.finish([], [done(other, "second")]) == ()
    assert len(await kept(opened, other)) == 2


async def test_a_stale_end_brings_no_steps_either(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESUME)
    await lose(opened, cid)
    stale = opened.outcome(cid, RunEvent.SUCCEED, attempt=1)
    assert await opened.store.runs.finish([stale], [done(cid, "last")]) == (None,)
    assert await kept(opened, cid) == []


async def test_finished_steps_are_those_of_all_attempts_each_once(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESUME)
    failed = StepRecord(
        cid, 1, "b", StepStatus.FAILED, 1.0, 2.0, 1, error=RunError("KeyError", "'a'", "b")
    )
    skipped = StepRecord(cid, 1, "c", StepStatus.SKIPPED, finished_at=1.0)
    first = done(cid, "a", at=3.0)
    await opened.store.runs.record_steps(
        [
            first,
            failed,
            skipped,
            StepRecord(cid, 1, "d", StepStatus.RUNNING, started_at=1.0),
            StepRecord(cid, 1, "e", StepStatus.CANCELLED, 1.0, 4.0),
        ]
    )
    assert await opened.store.runs.finished_steps(cid) == (skipped, failed, first)
    await lose(opened, cid)
    await opened.claim()
    second = done(cid, "d", attempt=2, at=9.0)
    await opened.store.runs.record_steps(
        [second, StepRecord(cid, 2, "e", StepStatus.RUNNING, started_at=9.0)]
    )
    await opened.reopen()
    assert await opened.store.runs.finished_steps(cid) == (skipped, failed, first, second)
    assert await opened.store.runs.finished_steps(NO_CID) == ()


async def test_of_a_step_that_ran_again_the_latest_end_counts(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESTART)
    await opened.store.runs.record_steps([done(cid, "a", at=9.0)])
    await lose(opened, cid)
    await opened.claim()
    again = done(cid, "a", attempt=2, at=1.0)
    await opened.store.runs.record_steps([again])
    assert await opened.store.runs.finished_steps(cid) == (again,)


async def test_what_comes_after_the_end_changes_nothing_that_the_plan_keeps(
    opened: Opened,
) -> None:
    cid = await opened.start()
    kept_then = StepRecord(cid, 1, "a", StepStatus.SUCCESS, 1.0, 2.0, state={"n": b"1"})
    await opened.store.runs.finish([opened.outcome(cid)], [kept_then])
    late = StepRecord(cid, 1, "b", StepStatus.SUCCESS, 1.0, 2.0, state={"n": b"2", "m": b"2"})
    gone = StepRecord(cid, 1, "c", StepStatus.SUCCESS, 1.0, 2.0, state={"n": None})
    await opened.store.runs.record_steps([late, gone])
    await opened.enqueue()
    (tasklet,) = await opened.store.queue.claim(["w1"])
    assert tasklet.state == b'{"n":1}'


async def test_steps_that_a_run_is_handed_are_finished_before_its_first_attempt(
    opened: Opened,
) -> None:
    other = opened.tasklet()
    tasklet = replace(opened.tasklet(), retry_of=other.cid)
    handed = done(tasklet.cid, "first", attempt=HANDED_DOWN)
    await opened.store.runs.enqueue((other,), (DEFINITION,))
    await opened.store.runs.enqueue((tasklet,), (DEFINITION,), finished=[handed])
    await opened.reopen()
    run = await opened.store.runs.get(tasklet.cid)
    assert run is not None
    assert run.retry_of == other.cid
    claimed = await opened.store.queue.claim(["w", "w"])
    assert [each.retry_of for each in claimed] == [None, other.cid]
    late = done(tasklet.cid, "first", attempt=HANDED_DOWN, at=9.0)
    await opened.store.runs.record_steps([late, done(tasklet.cid, "second")])
    assert await kept(opened, tasklet.cid) == [("first", 0, "success"), ("second", 1, "success")]
    finished = await opened.store.runs.finished_steps(tasklet.cid)
    assert (finished[0], finished[0].finished_at) == (handed, 5.0)
