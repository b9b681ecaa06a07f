"""The queue as handlers ask for it: who sees which of it, where a run stands, who is taken out;
and runs as they are looked at.

Imports pytest, aura_aio's model and scheduler, and `subject`.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from aura_aio.model.access import EVERYTHING, Grant, Scope
from aura_aio.model.audit import Note, noting
from aura_aio.model.errors import NotQueued, RunNotFound
from aura_aio.model.plan import StepStatus
from aura_aio.model.ports import ActiveAttempt
from aura_aio.model.run import CancelRequest, Outcome, StepRecord
from aura_aio.model.states import RunEvent, RunState
from aura_aio.scheduler import queue
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.waiting import Pauses, WaitingCode, WaitingReason
from tests.scheduler.bench import START, STEP, TurnedClock
from tests.scheduler.subject import Subject, load
from tests.store.opened import begun
from tests.waiting import turns

SITE = f"meta: {{concurrency: {{mutex_group: site}}}}\n{STEP}"
ASKED = RunRequest(plan_name="p", task_name="t")
NOBODY = "019cadd4-0000-7000-8000-000000000000"
URL = "https://hooks.example.org/a"


def of(plan_name: str) -> Grant:
    """Of who sees one plan."""
    return Grant(Scope.READ, frozenset({plan_name}))


@pytest.fixture
async def subject(tmp_path: Path) -> AsyncIterator[Subject]:
    plans, vault = await load(tmp_path, {"p/t": STEP, "p/s": SITE, "q/t": STEP, "q/s": SITE})
    subject = Subject(tmp_path, plans, vault, TurnedClock())
    await subject.open()
    yield subject
    await subject.close()


async def submitted(subject: Subject, *tasks: str) -> list[str]:
    """The cids of runs of these, `plan/task` each."""
    names = [task.split("/") for task in tasks]
    requests = [replace(ASKED, plan_name=plan, task_name=task) for plan, task in names]
    return [(await subject.runs.submit(request)).cids[0] for request in requests]


async def test_who_sees_few_plans_gets_pages_of_those_alone(subject: Subject) -> None:
    cids = await submitted(subject, "p/t", "q/t", "p/t", "p/t", "p/t", "q/t")

    async def listed(grant: Grant) -> list[list[tuple[str, int]]]:
        pages, cursor = [], None
        while True:
            page = await subject.queue.list(delayed=False, limit=2, cursor=cursor, grant=grant)
            pages.append([(entry.run.cid, entry.position) for entry in page.items])
            if (cursor := page.next_cursor) is None:
                return pages

    assert await listed(of("q")) == [[(cids[1], 2)], [(cids[5], 6)]]
    assert await listed(of("r")) == [[]]
    numbered = [(cid, number) for number, cid in enumerate(cids, 1)]
    assert await listed(EVERYTHING) == [numbered[:2], numbered[2:4], numbered[4:]]


async def test_a_page_may_be_empty_though_others_follow(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_PAGES", 3)
    (*_, early) = await submitted(subject, *["p/t"] * 2, "q/t")
    found = await subject.queue.list(delayed=False, limit=1, cursor=None, grant=of("q"))
    assert [entry.run.cid for entry in found.items] == [early]
    await subject.queue.remove_from_queue(early)
    (*_, last) = await submitted(subject, "p/t", "q/t")
    first = await subject.queue.list(delayed=False, limit=1, cursor=None, grant=of("q"))
    assert first.items == ()
    rest = await subject.queue.list(delayed=False, limit=1, cursor=first.next_cursor, grant=of("q"))
    assert [(entry.run.cid, entry.position) for entry in rest.items] == [(last, 4)]


async def test_delayed_runs_are_listed_by_themselves(subject: Subject) -> None:
    await submitted(subject, "q/t")
    accepted = await subject.runs.submit(replace(ASKED, delay_sec=60.0))
    for grant in (EVERYTHING, of("p")):
        page = await subject.queue.list(delayed=True, limit=9, cursor=None, grant=grant)
        (entry,) = page.items
        assert (entry.run.cid, entry.waiting.position) == (accepted.cids[0], None)
        assert [reason.code for reason in entry.waiting.reasons] == [WaitingCode.DELAYED]
        assert entry.waiting.reasons[0].until == entry.run.run_at
    seen = await subject.queue.list(delayed=True, limit=9, cursor=None, grant=of("q"))
    assert seen.items == ()
    last = await subject.runs.submit(replace(ASKED, plan_name="q", delay_sec=90.0))
    seen = await subject.queue.list(delayed=True, limit=1, cursor=None, grant=of("q"))
    assert [(entry.run.cid, entry.position) for entry in seen.items] == [(last.cids[0], 2)]


async def test_where_a_run_stands_is_told_with_what_who_asks_may_see(subject: Subject) -> None:
    holder, _, cid = await submitted(subject, "p/s", "q/t", "q/s")
    await subject.store.queue.claim(["w1"])
    run = await subject.runs.get(cid)
    for grant, seen in ((EVERYTHING, (holder,)), (of("p"), (holder,)), (of("q"), ())):
        waiting = await subject.queue.waiting(run, grant)
        assert (waiting.position, waiting.ahead) == (2, 1)
        mutex, behind = waiting.reasons
        assert (mutex.code, behind.code) == (WaitingCode.MUTEX, WaitingCode.BEHIND)
        assert mutex.blocking_cids == seen
    assert await subject.queue.waiting(run) == await subject.queue.waiting(run, EVERYTHING)


async def test_the_queue_and_plans_are_paused_each_by_itself(subject: Subject) -> None:
    assert await subject.queue.pause_queue("p") == Pauses(None, {"p": START})
    assert await subject.queue.pause_queue(None) == Pauses(START, {"p": START})
    assert (await subject.queue.overview()).pauses == Pauses(START, {"p": START})
    assert await subject.queue.resume_queue("p") == Pauses(START, {})
    assert await subject.queue.resume_queue(None) == Pauses(None, {})


async def test_a_run_is_put_off_or_made_ready(subject: Subject) -> None:
    (cid,) = await submitted(subject, "p/t")
    for run_at, delay_sec, expected in (
        (START + 9, None, START + 9),
        (None, 5.0, START + 5),
        (None, None, START),
    ):
        run = await subject.queue.set_run_at(cid, run_at, delay_sec)
        assert run.run_at == expected


async def test_the_figures_tell_for_how_long_the_oldest_has_been_ready(tmp_path: Path) -> None:
    plans, vault = await load(tmp_path, {"p/t": STEP})
    clock = TurnedClock()
    subject = Subject(tmp_path, plans, vault, clock)
    await subject.open()
    assert (await subject.queue.overview()).oldest_age_sec is None
    await submitted(subject, "p/t")
    for seconds, age in ((0, 0.0), (5, 5.0), (-9, 0.0)):  # a clock may be put back
        clock.put(seconds)
        assert (await subject.queue.overview()).oldest_age_sec == age
    await subject.close()


async def test_a_queue_of_a_system_that_is_stopped_says_so(subject: Subject) -> None:
    await submitted(subject, "p/t")
    parts = (subject.store.queue, subject.store.runs, subject.hands, subject.admission)
    stopped = Queue(*parts, lambda: START - 5, TurnedClock(), no_foresight)
    (entry,) = (await stopped.list(delayed=False, limit=9, cursor=None)).items
    assert entry.waiting.reasons == (WaitingReason(WaitingCode.STOPPED, since=START - 5),)


async def no_foresight(*_: object) -> dict[str, bool]:
    """Nothing is known before."""
    return {}


async def test_only_who_is_queued_is_taken_out_of_the_queue(subject: Subject) -> None:
    running, queued = await submitted(subject, "p/t", "p/t")
    await subject.store.queue.claim(["w1"])
    with noting(Note("removeFromQueue", by_name="ada")):
        await subject.queue.remove_from_queue(queued)
    cancel = (await subject.runs.get(queued)).cancel
    assert cancel is not None
    assert (cancel.reason, cancel.requested_by) == ("It was removed from the queue.", "ada")
    for cid, state in ((running, RunState.RUNNING), (queued, RunState.CANCELLED)):
        with pytest.raises(NotQueued, match=f"{cid}.*{state}"):
            await subject.queue.remove_from_queue(cid)
    with pytest.raises(RunNotFound, match=NOBODY):
        await subject.queue.remove_from_queue(NOBODY)
    assert subject.hands.cancelled == []


async def test_who_cancels_a_run_stands_in_it(subject: Subject) -> None:
    (cid,) = await submitted(subject, "p/t")
    with noting(Note("cancelTask", by_name="ada")):
        run = await subject.runs.cancel(cid, reason="Enough.")
    assert run.state is RunState.CANCELLED
    assert run.cancel == CancelRequest(START, reason="Enough.", requested_by="ada")


async def test_a_run_that_is_active_is_told_of_with_its_attempt(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    cid, other = await submitted(subject, "p/t", "p/t")
    await subject.store.queue.claim(["w1", "w2"])
    known = {cid: ActiveAttempt("w1", ("a",))}
    monkeypatch.setattr(subject.hands, "active", lambda: known)
    active = {run.cid: attempt for run, attempt in await subject.runs.list_active()}
    assert active == {cid: known[cid], other: None}


async def test_a_run_is_looked_at(subject: Subject) -> None:
    running, queued = await submitted(subject, "p/t", "q/s")
    await subject.store.queue.claim(["w1"])
    ((run, attempt),) = await subject.runs.list_active()
    assert (run.cid, run.state, attempt) == (running, RunState.RUNNING, None)
    step = StepRecord(running, 1, "a", StepStatus.SUCCESS, 1.0, 2.0, 1, b"7")
    await subject.store.runs.record_steps([step])
    timed, steps = await subject.runs.timeline(running)
    assert (timed.cid, timed.inputs) == (running, b"{}")
    assert [(each.step, each.status) for each in steps] == [("a", StepStatus.SUCCESS)]
    assert (await subject.runs.get_run_definition(queued)).task().full_task_id == "q/s"
    assert await subject.runs.list_run_callbacks(running) is None
    (told,) = (await subject.runs.submit(replace(ASKED, callback_url=URL))).cids
    callback = await subject.runs.list_run_callbacks(told)
    assert callback is not None
    assert callback.url == URL
    for look in (
        subject.runs.get_run_definition,
        subject.runs.timeline,
        subject.runs.list_run_callbacks,
    ):
        with pytest.raises(RunNotFound, match=NOBODY):
            await look(NOBODY)


async def test_who_asks_for_a_run_may_wait_for_its_end(subject: Subject) -> None:
    cid, other = await submitted(subject, "p/t", "q/t")
    await subject.store.queue.claim(["w1", "w2"])
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(subject.runs.get(cid, wait_sec=60.0))
        await begun(group)
        await ended(subject, other)
        await turns(20)
        assert not waits.done()
        await ended(subject, cid)
    assert waits.result().state is RunState.SUCCEEDED
    assert (await subject.runs.get(cid, wait_sec=60.0)).state is RunState.SUCCEEDED
    late, _ = await submitted(subject, "p/t", "p/t")
    for how in ({"wait_sec": 0.01}, {"wait_sec": 0.0}, {}):
        assert (await subject.runs.get(late, **how)).state is RunState.QUEUED
    with pytest.raises(RunNotFound, match=NOBODY):
        await subject.runs.get(NOBODY, wait_sec=60.0)


async def ended(subject: Subject, cid: str) -> None:
    """Let a run that is under way succeed."""
    await subject.store.runs.finish([Outcome(cid, 1, RunEvent.SUCCEED, 0.0)])
