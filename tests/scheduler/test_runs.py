"""Runs and the queue as handlers ask for them: many at once, page by page, and done over.

Imports pytest, aura_aio's model and scheduler, and `subject`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.model.audit import Note, noting
from aura_aio.model.errors import BatchRejected, RequestInvalid, RunNotFinished, RunNotFound
from aura_aio.model.origin import FromSchedule, decode_origin
from aura_aio.model.plan import StepStatus
from aura_aio.model.ports import RunFilter
from aura_aio.model.run import HANDED_DOWN, OnCrash, Outcome, Run, StepRecord
from aura_aio.model.sealing import Hidden, hidden_from
from aura_aio.model.sizes import InputsTooLarge
from aura_aio.model.states import RunEvent, RunState
from aura_aio.model.trace import TraceContext
from aura_aio.run_settings import RunSettings
from aura_aio.scheduler import queue, runs
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.redo import FAILED, Redoing
from aura_aio.scheduler.retries import RetryRequest
from aura_aio.scheduler.runs import BatchItem, Cancelled, Rejection, Runs
from tests.scheduler.bench import STEP, TurnedClock
from tests.scheduler.subject import Subject, load

NUMBERED = f"meta: {{inputs: [{{name: n, type: integer}}, {{name: key}}]}}\n{STEP}"
SECRET = f"meta: {{inputs: [{{name: n, type: integer}}, {{name: key, secret: true}}]}}\n{STEP}"
ASKED = RunRequest(plan_name="p", task_name="t")


@pytest.fixture
async def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Subject]:
    """An open subject whose pages are short."""
    monkeypatch.setattr(runs, "CANCELLED_AT_ONCE", 2)
    monkeypatch.setattr(queue, "CLEARED_AT_ONCE", 2)
    plans, vault = await load(tmp_path, {"p/t": NUMBERED, "p/s": SECRET, "q/t": STEP})
    subject = Subject(tmp_path, plans, vault, TurnedClock())
    await subject.open()
    yield subject
    await subject.close()


async def submitted(subject: Subject, count: int = 1, plan_name: str = "p") -> list[str]:
    """The cids of so many runs, in the order in which they came."""
    request = replace(ASKED, plan_name=plan_name)
    return [(await subject.runs.submit(request)).cids[0] for _ in range(count)]


async def states(subject: Subject, cids: Sequence[str]) -> list[RunState]:
    """As they are stored."""
    found = await subject.runs.states(cids)
    return [found[cid].state for cid in cids]


async def whole(subject: Subject, cid: str) -> Run:
    """With inputs."""
    return await subject.runs.get(cid)


async def test_all_that_are_meant_are_cancelled_page_by_page(subject: Subject) -> None:
    cids, others = await submitted(subject, 5), await submitted(subject, 2, "q")
    await subject.store.queue.claim(["w1", "w2"])
    note = Note("cancelTasks")
    note.by_name = "ada"
    where = RunFilter(plan_name="p")
    with noting(note):
        assert await subject.runs.cancel_tasks(where, reason="Enough.") == Cancelled(3, 2)
    assert subject.hands.cancelled == [(cids[1], 10.0), (cids[0], 10.0)]
    assert await states(subject, cids) == [RunState.CANCELLING] * 2 + [RunState.CANCELLED] * 3
    assert await states(subject, others) == [RunState.QUEUED] * 2
    cancel = (await whole(subject, cids[4])).cancel
    assert cancel is not None
    assert (cancel.requested_by, cancel.reason) == ("ada", "Enough.")
    assert await subject.runs.cancel_tasks(where, mode="kill") == Cancelled(0, 2)
    assert subject.hands.cancelled[2:] == [(cids[1], 0.0), (cids[0], 0.0)]
    killed = (await whole(subject, cids[1])).cancel
    assert killed is not None
    assert killed.mode == "kill"
    ended = RunFilter(statuses=(RunState.SUCCEEDED, RunState.CANCELLED))
    assert await subject.runs.cancel_tasks(ended) == Cancelled(0, 0)


async def test_runs_are_listed_page_by_page(subject: Subject) -> None:
    cids, listed, cursor = await submitted(subject, 3), list[str](), None
    for _ in range(3):
        page = await subject.runs.list(RunFilter(), limit=1, cursor=cursor, include=frozenset())
        listed += [run.cid for run in page.items]
        cursor = page.next_cursor
    assert (listed, cursor) == (cids[::-1], None)


async def test_the_queue_is_cleared_page_by_page(subject: Subject) -> None:
    (running,) = await submitted(subject)
    await subject.store.queue.claim(["w1"])
    cids, others = await submitted(subject, 5), await submitted(subject, 1, "q")
    assert await subject.queue.clear_queue(RunFilter(plan_name="p")) == 5
    assert await states(subject, [running, *cids]) == [RunState.RUNNING] + [RunState.CANCELLED] * 5
    assert await states(subject, others) == [RunState.QUEUED]
    cancel = (await whole(subject, cids[0])).cancel
    assert cancel is not None
    assert cancel.reason == "The queue was cleared."


class Busy:
    """The runs of a store with which something `happens` each time after they were asked so."""

    def __init__(self, subject: Subject, asked: str, happens: Callable[[], Awaitable[Any]]) -> None:
        self._asked, self._happens = asked, happens
        self._runs = subject.store.runs

    def __getattr__(self, name: str) -> Any:
        async def ask(*args: Any, **options: Any) -> Any:
            done = await getattr(self._runs, name)(*args, **options)
            if name == self._asked:
                await self._happens()
            return done

        return ask


@pytest.mark.parametrize("way", ["cancel", "clear"])
async def test_what_comes_meanwhile_is_left_alone(subject: Subject, way: str) -> None:
    cids = await submitted(subject, 5)
    busy: Any = Busy(subject, "request_cancel_each", lambda: submitted(subject))
    if way == "cancel":
        cancelling = Runs(
            store=busy,
            dispatcher=subject.hands,
            admission=subject.admission,
            callbacks=subject.store.callbacks,
            ends=RunEnds(EventBus()),
            clock=TurnedClock(),
        )
        cancelled = (await cancelling.cancel_tasks(RunFilter())).cancelled
    else:
        parts = (subject.store.queue, busy, subject.hands, subject.admission)
        clearing = Queue(*parts, lambda: None, TurnedClock(), no_foresight)
        cancelled = await clearing.clear_queue(RunFilter())
    assert cancelled == 5
    assert await states(subject, cids) == [RunState.CANCELLED] * 5
    assert (await subject.store.queue.counts()).by_state[RunState.QUEUED] == 3


async def test_who_starts_while_the_queue_is_cleared_goes_on(subject: Subject) -> None:
    first, *_, last = await submitted(subject, 4)
    busy: Any = Busy(subject, "list_runs", lambda: subject.store.queue.claim(["w1"]))
    parts = (subject.store.queue, busy, subject.hands, subject.admission)
    queue = Queue(*parts, lambda: None, TurnedClock(), no_foresight)
    assert await queue.clear_queue(RunFilter()) == 2
    assert await states(subject, [first, last]) == [RunState.RUNNING, RunState.CANCELLED]
    assert (await subject.store.queue.counts()).by_state[RunState.RUNNING] == 2


async def no_foresight(*_: object) -> dict[str, bool]:
    """Nothing is known before."""
    return {}


async def test_each_of_a_batch_is_told_what_is_wrong_with_it(subject: Subject) -> None:
    bad = replace(ASKED, inputs={"n": "x"})
    invalid = RequestInvalid([("/priority", "Not a valid integer.")])
    unknown = replace(ASKED, task_name="v")
    batch = await subject.runs.submit_batch([ASKED, bad, invalid, unknown], atomic=False)
    good, refused, told, lost = batch.items
    assert lost.rejection is not None
    assert (lost.rejection.code, lost.rejection.faults) == ("bad-reference", ())
    assert good.cid is not None
    assert await states(subject, [good.cid]) == [RunState.QUEUED]
    assert refused.rejection is not None
    assert refused.rejection.code == "inputs-rejected"
    assert [place for place, _ in refused.rejection.faults] == ["/inputs/n"]
    assert told == BatchItem(rejection=Rejection(invalid.code, str(invalid), invalid.faults))
    with pytest.raises(BatchRejected) as rejected:
        await subject.runs.submit_batch([ASKED, bad], atomic=True)
    assert [place for place, _ in rejected.value.faults] == ["/tasks/1"]
    assert (await subject.store.queue.counts()).by_state[RunState.QUEUED] == 1
    assert (await subject.runs.submit_batch([bad], atomic=False)).items[0].cid is None


async def test_a_run_that_is_done_over_is_as_the_first_was(subject: Subject) -> None:
    url = "https://hooks.example.org/a"
    asked = RunRequest(
        plan_name="p",
        task_name="s",
        inputs={"n": 1, "key": "hunter2"},
        priority=7,
        timeout_sec=9.0,
        labels={"a": "b"},
        callback_url=url,
    )
    (cid,) = (await subject.runs.submit(asked)).cids
    await subject.store.queue.claim(["w1"])
    await subject.store.runs.finish([Outcome(cid, 1, RunEvent.FAIL, 0.0)])
    trace = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    again = await subject.runs.retry(cid, RetryRequest(inputs={"n": 2}, trace=trace))
    assert again.cid is not None
    run = await whole(subject, again.cid)
    assert (run.plan_name, run.task_name, run.retry_of) == ("p", "s", cid)
    assert (run.priority, run.timeout_sec, run.labels) == (7, 9.0, {"a": "b"})
    assert (run.callback_url, run.trace) == (url, trace)
    assert (run.inputs, hidden(subject, run).inputs) == (
        b'{"n":2,"key":"***"}',
        {"key": "hunter2"},
    )
    assert [(step.step, step.action) for step in again.steps] == [("a", Redoing.RUN)]


async def test_only_a_run_that_has_ended_is_done_over(subject: Subject) -> None:
    (cid,) = await submitted(subject)
    with pytest.raises(RunNotFinished, match=f"{cid}.*queued"):
        await subject.runs.retry(cid, RetryRequest())
    with pytest.raises(RunNotFound, match="'nobody'"):
        await subject.runs.retry("nobody", RetryRequest())


async def test_a_run_that_is_done_over_was_started_by_what_the_first_was(subject: Subject) -> None:
    first = subject.admission.admit(ASKED, origin=FromSchedule("nightly", 5.0))
    await subject.store.runs.enqueue([first.tasklet], [first.definition])
    await subject.store.queue.claim(["w1"])
    cid = first.tasklet.cid
    await subject.store.runs.finish([Outcome(cid, 1, RunEvent.FAIL, 0.0)])
    again = await subject.runs.retry(cid, RetryRequest())
    assert again.cid is not None
    assert decode_origin((await whole(subject, again.cid)).origin) == FromSchedule("nightly", 5.0)


async def test_a_run_is_done_over_by_the_task_as_it_was_or_as_it_is_now(subject: Subject) -> None:
    admitted = subject.admission.admit(replace(ASKED, task_name="s", inputs={"key": "hunter2"}))
    tasklet = replace(admitted.tasklet, task_name="t")
    await subject.store.runs.enqueue([tasklet], [admitted.definition])
    await subject.store.queue.claim(["w1"])
    await subject.store.runs.finish([Outcome(tasklet.cid, 1, RunEvent.FAIL, 0.0)])
    now = subject.admission.admit(ASKED).definition
    for latest, definition in ((False, admitted.definition), (True, now)):
        again = await subject.runs.retry(tasklet.cid, RetryRequest(latest=latest))
        assert again.cid is not None
        assert await subject.runs.get_run_definition(again.cid) == definition


async def test_inputs_are_as_large_as_they_may_be_secret_ones_included(subject: Subject) -> None:
    most = RunSettings().max_inputs_bytes
    large = RunRequest(plan_name="p", task_name="s", inputs={"key": "x" * most})
    with pytest.raises(InputsTooLarge, match=f"{most:,} are allowed"):
        await subject.runs.submit(large)
    (cid,) = await submitted(subject)
    assert (await whole(subject, cid)).sealed is None


async def test_what_was_secret_stays_so_whatever_the_task_says_of_it_now(subject: Subject) -> None:
    asked = RunRequest(plan_name="p", task_name="s", inputs={"n": 1, "key": "hunter2"})
    run = await whole(subject, (await subject.runs.submit(asked)).cids[0])
    open_ = subject.admission.admit(ASKED).definition
    again = subject.admission.admit_again(run, {}, open_, trace=None).tasklet
    assert again.inputs == b'{"n":1,"key":"***"}'
    anew = subject.admission.admit_again(run, {"key": "4711"}, open_, trace=None).tasklet
    assert anew.inputs == b'{"n":1,"key":"4711"}'


def hidden(subject: Subject, run: Run) -> Hidden:
    """What of a run is sealed."""
    assert run.sealed is not None
    return hidden_from(subject.vault.unseal(run.sealed))


@pytest.mark.parametrize(
    ("on_crash", "action"), [(OnCrash.RESUME, Redoing.REUSE), (OnCrash.RESTART, Redoing.RUN)]
)
async def test_what_a_lost_attempt_did_counts_only_where_the_run_went_on_from_there(
    subject: Subject, on_crash: OnCrash, action: Redoing
) -> None:
    admitted = subject.admission.admit(ASKED)
    tasklet, store = replace(admitted.tasklet, on_crash=on_crash), subject.store.runs
    await store.enqueue([tasklet], [admitted.definition])
    await subject.store.queue.claim(["w1"])
    cid = tasklet.cid
    done = StepRecord(cid, 1, "a", StepStatus.SUCCESS, 1.0, 2.0, 1, b"7")
    await store.record_steps([done, replace(done, step="z")])
    await store.lose([(cid, 1)], reason="Gone.")
    await subject.store.queue.claim(["w1"])
    await store.finish([Outcome(cid, 2, RunEvent.FAIL, 0.0)])
    asked = RetryRequest(start=FAILED)
    planned = await subject.runs.retry(cid, replace(asked, dry_run=True))
    assert planned.cid is None
    again = await subject.runs.retry(cid, asked)
    assert [step.action for step in planned.steps] == [action]
    assert again.steps == planned.steps
    assert again.cid is not None
    kept = await store.finished_steps(again.cid)
    handed_down = replace(done, cid=again.cid, attempt=HANDED_DOWN)
    assert kept == ((handed_down,) if action is Redoing.REUSE else ())
