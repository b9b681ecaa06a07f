"""`RunStore` but for enqueue and the lists: reading, cancelling, ending, losing, recovering, steps.

Imports aura_aio.model and the fixtures.
"""

import pytest

from aura_aio.model.errors import RunFinished, RunNotFound
from aura_aio.model.run import CancelRequest, OnCrash, Outcome, RunChanged, RunError
from aura_aio.model.states import RunEvent, RunState
from aura_aio.model.trace import TraceContext
from tests.store.conftest import Opening
from tests.store.opened import Opened

NO_CID = "00000000-0000-7000-8000-000000000000"


async def test_a_cid_that_is_not_there_is_none(opened: Opened) -> None:
    assert await opened.store.runs.get(NO_CID) is None
    assert await opened.store.runs.finish((opened.outcome(NO_CID),)) == (None,)
    assert await opened.store.runs.lose([(NO_CID, 1)], reason="Gone.") == (None,)
    with pytest.raises(RunNotFound, match=NO_CID):
        await opened.store.runs.request_cancel(NO_CID, CancelRequest(0.0))


async def test_a_write_is_seen_by_the_next_read(opened: Opened) -> None:
    for _ in range(50):
        cid = await opened.start()
        assert (await opened.run(cid)).state is RunState.RUNNING
        await opened.end(cid)
        assert (await opened.run(cid)).state is RunState.SUCCEEDED


async def test_states_answers_those_that_exist_without_inputs_and_result(opened: Opened) -> None:
    cids = await opened.enqueue_many(3)
    await opened.claim()
    await opened.end(cids[0])
    found = await opened.store.runs.states([*reversed(cids), NO_CID, cids[0]])
    assert {cid: run.state for cid, run in found.items()} == {
        cids[0]: RunState.SUCCEEDED,
        cids[1]: RunState.QUEUED,
        cids[2]: RunState.QUEUED,
    }
    assert {(run.inputs, run.result) for run in found.values()} == {(None, None)}
    assert await opened.store.runs.states([]) == {}


async def test_active_runs_are_listed_the_oldest_first(opened: Opened) -> None:
    cids = await opened.enqueue_many(5)
    await opened.claim(4)
    await opened.end(cids[0])
    await opened.store.runs.request_cancel(cids[1], CancelRequest(0.0))
    active = await opened.store.runs.list_active()
    assert [(run.cid, run.state) for run in active] == [
        (cids[1], RunState.CANCELLING),
        (cids[2], RunState.RUNNING),
        (cids[3], RunState.RUNNING),
    ]
    assert {(run.inputs, run.result) for run in active} == {(None, None)}


async def test_the_end_of_a_run_is_kept(opened: Opened) -> None:
    cid = await opened.start()
    opened.clock.seconds += 5
    assert await opened.end(cid) is RunState.SUCCEEDED
    run = await opened.run(cid)
    assert (run.result, run.error) == (b'{"greeting":"hello"}', None)
    assert run.started_at is not None
    assert (run.finished_at, run.worker) == (run.started_at + 5, "w1")


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (RunEvent.FAIL, RunState.FAILED),
        (RunEvent.TIME_OUT, RunState.TIMED_OUT),
        (RunEvent.STOPPED, RunState.FAILED),
    ],
)
async def test_a_run_that_failed_keeps_its_error_and_no_result(
    opened: Opened, event: RunEvent, state: RunState
) -> None:
    cid = await opened.start()
    assert await opened.end(cid, event) is state
    run = await opened.run(cid)
    assert (run.error, run.result) == (RunError("ValueError", "no such name", step="greet"), None)


@pytest.mark.parametrize("event", [RunEvent.FAIL, RunEvent.TIME_OUT, RunEvent.STOPPED])
async def test_a_run_that_failed_always_has_an_error(opened: Opened, event: RunEvent) -> None:
    cid = await opened.start()
    await opened.store.runs.finish((Outcome(cid, 1, event, opened.clock.now()),))
    error = (await opened.run(cid)).error
    assert error is not None
    assert error.type
    assert error.message.endswith(".")


async def test_a_cancelled_run_keeps_neither_error_nor_result(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert await opened.end(cid, RunEvent.FAIL) is RunState.CANCELLED
    run = await opened.run(cid)
    assert (run.error, run.result) == (None, None)


async def test_a_run_that_was_done_before_its_cancel_has_its_result(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert await opened.end(cid) is RunState.SUCCEEDED
    run = await opened.run(cid)
    assert run.result == b'{"greeting":"hello"}'
    assert run.cancel == CancelRequest(0.0)


async def test_outcomes_are_ended_one_by_one(opened: Opened) -> None:
    first, second, queued = await opened.enqueue_many(3)
    await opened.claim(2)
    states = await opened.store.runs.finish(
        (
            opened.outcome(second, RunEvent.FAIL),
            opened.outcome(NO_CID),
            opened.outcome(first),
            opened.outcome(first, RunEvent.FAIL),
            opened.outcome(queued),
        )
    )
    assert states == (RunState.FAILED, None, RunState.SUCCEEDED, None, None)
    assert (await opened.run(first)).error is None
    assert await opened.store.runs.finish(()) == ()


async def test_what_does_not_end_an_attempt_is_a_mistake_of_the_caller(opened: Opened) -> None:
    cid = await opened.start()
    with pytest.raises(ValueError, match="does not end"):
        await opened.store.runs.finish((opened.outcome(cid, RunEvent.LOST),))


async def test_a_result_passes_unread(opened: Opened) -> None:
    cid = await opened.start()
    result = b'"\\ud800 is no text, \x00 and \xff are no JSON"'
    outcome = Outcome(cid, 1, RunEvent.SUCCEED, opened.clock.now(), result=result)
    await opened.store.runs.finish((outcome,))
    assert (await opened.run(cid)).result == result


async def test_a_queued_run_is_cancelled_at_once(opened: Opened) -> None:
    cid = await opened.enqueue()
    opened.clock.seconds += 3
    request = CancelRequest(opened.clock.now(), reason="not needed", requested_by="ann")
    run = await opened.store.runs.request_cancel(cid, request)
    assert (run.state, run.finished_at) == (RunState.CANCELLED, opened.clock.now())
    assert (run.cancel, run.started_at, run.error) == (request, None, None)
    assert await opened.claim() == []
    with pytest.raises(RunFinished) as caught:
        await opened.store.runs.request_cancel(cid, request)
    assert (caught.value.cid, caught.value.state) == (cid, "cancelled")


async def test_a_delayed_run_is_cancelled_at_once(opened: Opened) -> None:
    cid = await opened.enqueue(delay_sec=60)
    run = await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    assert run.state is RunState.CANCELLED
    opened.clock.seconds += 61
    assert await opened.claim() == []
    assert await opened.store.queue.next_due() is None


async def test_the_first_cancel_of_a_running_run_stays(opened: Opened) -> None:
    cid = await opened.start()
    first = CancelRequest(1.0, reason="first", requested_by="ann")
    run = await opened.store.runs.request_cancel(cid, first)
    assert (run.state, run.cancel, run.finished_at) == (RunState.CANCELLING, first, None)
    again = await opened.store.runs.request_cancel(cid, CancelRequest(2.0, reason="second"))
    assert (again.state, again.cancel) == (RunState.CANCELLING, first)
    assert opened.changes(cid)[-1] == (RunState.RUNNING, RunState.CANCELLING)


async def test_a_cancel_can_become_a_kill_once(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.request_cancel(cid, CancelRequest(1.0))
    kill = CancelRequest(2.0, mode="kill", reason="now")
    assert (await opened.store.runs.request_cancel(cid, kill)).cancel == kill
    later = CancelRequest(3.0, mode="kill")
    assert (await opened.store.runs.request_cancel(cid, later)).cancel == kill
    assert opened.changes(cid)[2:] == [
        (RunState.RUNNING, RunState.CANCELLING),
        (RunState.CANCELLING, RunState.CANCELLING),
    ]


@pytest.mark.parametrize("end", [".", ""])
async def test_a_lost_run_fails_when_on_crash_says_so(opened: Opened, end: str) -> None:
    cid = await opened.start(on_crash=OnCrash.FAIL)
    reason = f"Worker w1 was killed (signal 9){end}"
    lost = await opened.store.runs.lose([(cid, 1)], reason=reason)
    assert lost == (RunState.FAILED,)
    run = await opened.run(cid)
    assert run.error == RunError(
        "WorkerLost",
        "Worker w1 was killed (signal 9). With on_crash: resume (or restart) in its task's meta it "
        f"would have gone on; to run it again: aura retry {cid}",
    )
    assert run.finished_at == opened.clock.now()


async def test_a_run_that_is_lost_for_good_is_not_told_that_it_would_have_gone_on(
    opened: Opened,
) -> None:
    cid = await opened.start(on_crash=OnCrash.FAIL)
    await opened.store.runs.lose([(cid, 1)], reason="It cannot be.", retry=False)
    assert (await opened.run(cid)).error == RunError("WorkerLost", "It cannot be.")


@pytest.mark.parametrize("on_crash", [OnCrash.RESUME, OnCrash.RESTART])
async def test_a_lost_run_goes_back_to_its_place(opened: Opened, on_crash: OnCrash) -> None:
    lost, *others = await opened.enqueue_many(3, on_crash=on_crash)
    assert await opened.claim() == [lost]
    first = await opened.enqueue(priority=5)
    assert await opened.store.runs.lose([(lost, 1)], reason="Gone.") == (RunState.QUEUED,)
    run = await opened.run(lost)
    assert (run.attempt, run.worker, run.started_at, run.error) == (2, None, None, None)
    assert opened.facts[-1] == RunChanged(
        lost, RunState.RUNNING, RunState.QUEUED, 2, opened.clock.now()
    )
    assert await opened.claim(9) == [first, lost, *others]


async def test_a_run_that_loses_too_many_attempts_is_poison(opening: Opening) -> None:
    opened = await opening(max_attempts=3)
    cid = await opened.enqueue(on_crash=OnCrash.RESTART)
    states: list[RunState | None] = []
    for attempt in (1, 2, 3):
        (tasklet,) = await opened.store.queue.claim(["w1"])
        assert (tasklet.cid, tasklet.attempt) == (cid, attempt)
        states += await opened.store.runs.lose([(cid, attempt)], reason="Out of memory.")
    assert states == [RunState.QUEUED, RunState.QUEUED, RunState.FAILED]
    error = (await opened.run(cid)).error
    assert error is not None
    assert error.type == "PoisonRun"
    assert "3 time" in error.message
    assert "Out of memory." in error.message


async def test_nothing_is_queued_again_without_retry(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESTART)
    lost = await opened.store.runs.lose([(cid, 1)], reason="The server stops.", retry=False)
    assert lost == (RunState.FAILED,)
    assert (await opened.run(cid)).error == RunError("WorkerLost", "The server stops.")


async def test_attempts_are_lost_one_by_one(opened: Opened) -> None:
    restarts, fails, cancelling, done = [
        await opened.enqueue(on_crash=on_crash)
        for on_crash in (OnCrash.RESTART, OnCrash.FAIL, OnCrash.RESTART, OnCrash.RESTART)
    ]
    await opened.claim(4)
    await opened.store.runs.request_cancel(cancelling, CancelRequest(0.0))
    await opened.end(done)
    lost = await opened.store.runs.lose(
        [(cid, 1) for cid in (done, restarts, fails, cancelling, restarts)], reason="Gone."
    )
    assert lost == (None, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED, None)
    assert (await opened.run(restarts)).attempt == 2
    assert (await opened.run(cancelling)).error is None


async def test_recovery_finds_every_run_that_was_under_way(opened: Opened) -> None:
    cids = [
        await opened.enqueue(on_crash=on_crash)
        for on_crash in (OnCrash.RESUME, OnCrash.FAIL, OnCrash.RESTART, OnCrash.FAIL)
    ]
    queued = await opened.enqueue()
    await opened.claim(4)
    await opened.store.runs.request_cancel(cids[3], CancelRequest(0.0))
    await opened.reopen()
    assert await opened.store.runs.recover() == {
        "requeued": (cids[0], cids[2]),
        "failed": (cids[1],),
        "cancelled": (cids[3],),
    }
    error = (await opened.run(cids[1])).error
    assert error is not None
    assert error.type == "WorkerLost"
    assert await opened.store.runs.list_active() == ()
    tasklets = await opened.store.queue.claim(["w1", "w2", "w3"])
    assert [(each.cid, each.attempt) for each in tasklets] == [
        (cids[0], 2),
        (cids[2], 2),
        (queued, 1),
    ]


async def test_recovery_of_nothing_is_nothing(opened: Opened) -> None:
    await opened.enqueue()
    await opened.end(await opened.enqueue())
    assert await opened.store.runs.recover() == {"requeued": (), "failed": (), "cancelled": ()}


async def test_a_run_tells_in_which_trace_it_is(opened: Opened) -> None:
    trace = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b")
    assert (await opened.run(await opened.enqueue(trace=trace))).trace == trace
    assert (await opened.run(await opened.enqueue())).trace is None
