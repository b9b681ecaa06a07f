"""The system as a whole, and what handlers call by Aura's names: begun, ended, looked at.

Imports pytest, aura_aio's scheduler, logs and model, and `subject`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.logs.hub import LogHub
from aura_aio.model.access import Grant, Scope
from aura_aio.model.errors import (
    BatchRejected,
    IdempotencyMismatch,
    NotAlive,
    NotReady,
    RequestInvalid,
    RunsActive,
    StoreUnavailable,
)
from aura_aio.model.fleet import Leadership
from aura_aio.model.ids import CidFactory
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.persistence import RETRY_SEC
from aura_aio.model.ports import WorkerStatus
from aura_aio.model.run import Outcome
from aura_aio.model.states import RunEvent, RunState
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.hot_reload import HotReload
from aura_aio.scheduler.logs import Logs
from aura_aio.scheduler.plans import PlanReload, Plans
from aura_aio.scheduler.retries import RetryRequest
from aura_aio.scheduler.runs import Batch
from aura_aio.scheduler.schedule_book import ScheduleBook
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.scheduler.schedules import Schedules
from aura_aio.scheduler.system import Stopped, System, SystemState
from tests.scheduler.bench import START, STEP, TurnedClock
from tests.scheduler.subject import Hands, Subject, load
from tests.waiting import turns, until

ASKED = RunRequest(plan_name="p", task_name="t")
SITE = f"meta: {{concurrency: {{mutex_group: site}}}}\n{STEP}"


class Workers(Hands):
    """One worker that goes, and one that is up or on its way; what else is asked is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.is_up = True

    async def start(self) -> None:
        """Note it."""
        self.told.append("start")

    async def pause(self) -> None:
        """Note it."""
        self.told.append("pause")

    def workers(self) -> tuple[WorkerStatus, ...]:
        """Both."""
        state = "ready" if self.is_up else "starting"
        return tuple(WorkerStatus(f"w-{each}", None, each, 9, 0) for each in ("retiring", state))


@dataclass
class Part:
    """What has to be alive, too."""

    alive: bool = True


class Whole:
    """A Scheduler over a real database; nothing dispatches what it queues."""

    def __init__(
        self, subject: Subject, workers: Workers, plans: Plans, clock: TurnedClock
    ) -> None:
        self.subject, self.workers, self.clock = subject, workers, clock
        self.part, store = Part(), subject.store
        self.hub = LogHub(store.logs, clock=clock)
        self.system = self.another(subject.hands)
        triggers: Any = SimpleNamespace(plans_changed=self.hub.start)
        book = ScheduleBook(store.schedules, plans.catalog, clock)
        self.scheduler = Scheduler(
            runs=subject.runs,
            queue=subject.queue,
            plans=plans,
            logs=Logs(store.logs, store.runs, store.audit, self.hub, RunEnds(EventBus())),
            schedules=Schedules(book, subject.admission, clock, CidFactory(clock)),
            system=self.system,
            hot_reload=HotReload(plans, PlanReload(plans, store.runs, subject.hands, triggers)),
        )

    def another(self, dispatcher: Any) -> System:
        """A system of its own over the same database."""
        return System(
            runs=self.subject.store.runs,
            queue=self.subject.store.queue,
            hub=self.hub,
            dispatcher=dispatcher,
            others=(Part(), self.part),
            cancel_run=self.subject.runs.cancel,
            clock=self.clock,
        )

    async def run(self, task_name: str = "t") -> str:
        """The cid of a run that is under way."""
        asked = replace(ASKED, task_name=task_name)
        (cid,) = (await self.scheduler.run_ad_hoc_task(asked)).cids
        (tasklet,) = await self.subject.store.queue.claim(["w1"])
        assert tasklet.cid == cid
        return cid

    async def end(self, cid: str, event: RunEvent = RunEvent.SUCCEED) -> None:
        """Let it end."""
        await self.subject.store.runs.finish([Outcome(cid, 1, event, self.clock.now())])

    async def how_cancelled(self, cid: str) -> str:
        """The mode in which it was."""
        cancel = (await self.subject.runs.get(cid)).cancel
        assert cancel is not None
        return cancel.mode

    async def state(self) -> SystemState:
        """As the status shows it."""
        return (await self.system.status()).state


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    plans, vault = await load(tmp_path, {"p/t": STEP, "p/s": SITE})
    clock, workers = TurnedClock(START - 3), Workers()
    clock.turn(3)
    subject = Subject(tmp_path, plans, vault, clock)
    subject.hands = workers
    await subject.open()
    whole = Whole(subject, workers, plans, clock)
    yield whole
    await whole.system.aclose()
    await whole.hub.aclose()
    await subject.close()


async def test_what_is_dispatched_begins_with_a_start_and_ends_with_a_stop(whole: Whole) -> None:
    assert (whole.system.stopped_since(), await whole.state()) == (START, SystemState.STOPPED)
    whole.workers.is_up = False
    assert await whole.scheduler.start() is True
    assert (whole.system.stopped_since(), await whole.state()) == (None, SystemState.STARTING)
    whole.workers.is_up = True
    assert await whole.state() is SystemState.RUNNING
    assert await whole.scheduler.start() is False
    whole.clock.turn(5)
    assert await whole.scheduler.stop() == Stopped(already=False, active=0)
    assert (whole.system.stopped_since(), await whole.state()) == (START + 5, SystemState.STOPPED)
    whole.clock.turn(5)
    assert await whole.scheduler.stop() == Stopped(already=True, active=0)
    assert whole.system.stopped_since() == START + 5
    assert whole.workers.told == ["start", "pause", "pause"]


async def test_servers_on_one_database_stop_and_start_together(whole: Whole) -> None:
    one, workers, members = whole.system, Workers(), (Part(), Part())
    two = whole.another(workers)
    await two.follow()  # alone
    for system, member in zip((one, two), members, strict=True):
        system.share(whole.subject.store.fleet, member, Leadership(leads=False))
    assert await one.start()
    await two.follow()
    await two.follow()
    assert (two.stopped_since(), workers.told) == (None, ["start"])
    whole.clock.turn(5)
    assert await one.stop(cancel=False, timeout_sec=None) == Stopped(already=False, active=0)
    await two.follow()
    whole.clock.turn(5)
    await two.follow()
    assert (two.stopped_since(), workers.told) == (START + 5, ["start", "pause"])
    assert await two.start()
    await one.follow()
    assert one.stopped_since() is None
    for system, member in zip((one, two), members, strict=True):
        system.check_alive()
        member.alive = False
        with pytest.raises(NotAlive):
            system.check_alive()
    whole.part.alive = False
    members[0].alive = True
    with pytest.raises(NotAlive):
        one.check_alive()


@pytest.mark.parametrize("leads", [True, False])
async def test_a_stop_is_seen_through_by_who_leads_if_the_one_that_was_asked_dies(
    whole: Whole, *, leads: bool
) -> None:
    """Whether it leads when it hears of it, or only after the other one has died."""
    leadership, fleet = Leadership(leads=leads), whole.subject.store.fleet
    two = whole.another(whole.workers)
    whole.system.share(fleet, Part(), Leadership(leads=False))
    two.share(fleet, Part(), leadership)
    await whole.system.start()
    await two.follow()
    cid = await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await two.follow()
    await two.follow()
    await until(lambda: whole.clock.sleepers == (2 if leads else 1))
    await whole.system.aclose()
    whole.clock.turn(20)
    assert (whole.clock.sleepers, whole.workers.cancelled) == (1 if leads else 0, [])
    leadership.set(leads=True)
    await until(lambda: whole.clock.longest() == 10)
    whole.clock.turn(10)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled[0] == (cid, 10.0)
    await two.aclose()


@pytest.mark.parametrize("how", ["start", "stop"])
async def test_who_leads_does_not_see_through_what_another_server_has_replaced(
    whole: Whole, how: str
) -> None:
    leadership, fleet = Leadership(leads=True), whole.subject.store.fleet
    two = whole.another(whole.workers)
    whole.system.share(fleet, Part(), Leadership(leads=False))
    two.share(fleet, Part(), leadership)
    await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await two.follow()
    await until(lambda: whole.clock.sleepers == 2)
    if how == "start":
        await whole.system.start()
    else:
        await whole.system.stop(cancel=False, timeout_sec=None)
    await two.follow()
    leadership.set(leads=False)
    leadership.set(leads=True)
    await turns(20)
    assert (whole.clock.sleepers, whole.workers.cancelled) == (0, [])


@pytest.mark.parametrize("what", ["list_active", "request_cancel"])
async def test_what_a_stop_ends_is_ended_once_the_store_is_there(
    whole: Whole, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    cid = await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await until(lambda: whole.clock.sleepers)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("It is away.")

    with monkeypatch.context() as patch:
        patch.setattr(whole.subject.store.runs, what, away)
        whole.clock.turn(30)
        await until(lambda: whole.clock.longest() == RETRY_SEC)
    assert [vars(each)["action"] for each in caplog.records] == ["stop_waits"]
    whole.clock.turn(RETRY_SEC)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled == [(cid, 10.0)]


async def test_runs_under_way_end_by_themselves_after_a_stop(whole: Whole) -> None:
    await whole.system.start()
    cid = await whole.run()
    assert await whole.system.stop(cancel=False, timeout_sec=None) == Stopped(False, 1)
    assert await whole.state() is SystemState.DRAINING
    assert await whole.system.stop(cancel=False, timeout_sec=None) == Stopped(False, 1)
    await whole.end(cid)
    assert await whole.state() is SystemState.STOPPED
    assert (whole.workers.cancelled, whole.clock.sleepers) == ([], 0)


async def test_who_is_too_slow_for_a_stop_is_cancelled_after_its_time(whole: Whole) -> None:
    cid = await whole.run()
    await whole.scheduler.stop(timeout_sec=30)
    await until(lambda: whole.clock.sleepers)
    whole.clock.turn(29)
    assert (whole.clock.longest(), whole.workers.cancelled) == (1, [])
    whole.clock.turn(1)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled == [(cid, 10.0)]
    cancel = (await whole.subject.runs.get(cid)).cancel
    assert cancel is not None
    assert (cancel.mode, cancel.reason) == ("graceful", "The system was stopped.")


async def test_a_stop_that_cancels_kills_after_its_time(whole: Whole) -> None:
    first, cid = await whole.run(), await whole.run()
    await whole.scheduler.stop(cancel=True, timeout_sec=30)
    await until(lambda: whole.clock.sleepers)
    assert sorted(whole.workers.cancelled) == [(first, 10.0), (cid, 10.0)]
    assert await whole.how_cancelled(first) == "graceful"
    await whole.end(first, RunEvent.FAIL)
    whole.clock.turn(30)
    await until(lambda: len(whole.workers.cancelled) == 3)
    assert whole.workers.cancelled[2] == (cid, 0.0)
    assert await whole.how_cancelled(cid) == "kill"


@pytest.mark.parametrize("how", ["start", "stop", "close"])
async def test_a_later_call_replaces_what_a_stop_had_begun(whole: Whole, how: str) -> None:
    await whole.system.start()
    await whole.run()
    await whole.system.stop(cancel=False, timeout_sec=30)
    await until(lambda: whole.clock.sleepers)
    match how:
        case "start":
            await whole.system.start()
        case "stop":
            await whole.system.stop(cancel=False, timeout_sec=None)
        case _:
            await whole.system.aclose()
    assert (whole.clock.sleepers, whole.workers.cancelled) == (0, [])


async def test_who_has_ended_meanwhile_keeps_nobody_else_from_being_cancelled(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = whole.subject.store.runs
    cids = [await whole.run() for _ in range(2)]
    active = await runs.list_active()
    await whole.end(active[0].cid)

    async def as_before() -> Any:
        return active

    monkeypatch.setattr(runs, "list_active", as_before)
    await whole.system.stop(cancel=True, timeout_sec=None)
    await until(lambda: whole.workers.cancelled)
    assert whole.workers.cancelled == [(cid, 10.0) for cid in cids if cid != active[0].cid]


async def test_the_status_tells_how_everything_is(whole: Whole) -> None:
    await whole.hub.start()
    await whole.hub.put([LogLine(1.0, LogLevel.INFO, "x", "y")] * 3)
    await whole.run()
    whole.clock.turn(7)
    whole.clock.put(-100)
    status = await whole.system.status()
    assert (status.started_at, status.uptime_sec) == (START, 7.0)
    assert (status.oldest_seq, status.last_seq, status.log_stream.stored) == (1, 3, 3)
    assert status.counts.by_state[RunState.RUNNING] == 1
    assert status.workers == whole.workers.workers()


async def test_every_part_has_to_be_alive(whole: Whole) -> None:
    whole.system.check_alive()
    whole.part.alive = False
    with pytest.raises(
        NotAlive, match=r"^A part .* its log says which, .* most often to restart the server\.$"
    ):
        whole.system.check_alive()
    whole.part.alive = True
    whole.system.check_alive()
    whole.workers.alive = False
    with pytest.raises(NotAlive):
        whole.system.check_alive()


async def test_it_is_ready_while_its_store_answers_and_until_it_shuts_down(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks into the database, also where nothing is delayed."""

    async def locked(_: object) -> None:
        raise StoreUnavailable("The database is locked.")

    await whole.system.check_ready()
    with monkeypatch.context() as patch:
        patch.setattr(vars(whole.subject.store.queue)["_look_ups"], "ask", locked)
        with pytest.raises(NotReady, match=r"^The database is locked\.$"):
            await whole.system.check_ready()
    await whole.system.check_ready()
    whole.system.shut_down()
    with pytest.raises(NotReady, match=r"^The server is shutting down\.$"):
        await whole.system.check_ready()


async def test_a_rehearsal_names_nobody_whom_the_one_who_asks_does_not_see(whole: Whole) -> None:
    cid, asked = await whole.run("s"), replace(ASKED, task_name="s")
    for plan_name, named in (("p", (cid,)), ("q", ())):
        grant = Grant(Scope.READ, frozenset({plan_name}))
        found = await whole.scheduler.dry_run_task(asked, grant)
        assert found.waiting.reasons[0].blocking_cids == named


async def test_what_handlers_call_is_done_by_the_part_that_does_it(whole: Whole) -> None:
    scheduler = whole.scheduler
    assert scheduler.api_log_queue is scheduler.logs.queue is whole.hub.queue
    assert scheduler.plans.get("p").name == "p"
    schedules = scheduler.schedules.list(plan_name=None, plans=None, limit=1, cursor=None)
    assert schedules.items == ()
    key = whole.subject.runs.idempotency_key("k", b"")
    first = await scheduler.run_ad_hoc_task(ASKED, key)
    second = await scheduler.run_ad_hoc_task(ASKED, key)
    assert (second.cids, first.replayed, second.replayed) == (first.cids, False, True)
    with pytest.raises(IdempotencyMismatch):
        await scheduler.run_ad_hoc_task(ASKED, whole.subject.runs.idempotency_key("k", b"other"))
    key = whole.subject.runs.idempotency_key("l", b"")
    bad = RequestInvalid([("/priority", "Not a valid integer.")])
    batch = await scheduler.run_batch_ad_hoc_tasks([ASKED, bad], idempotency=key)
    assert [each.cid is None for each in batch.items] == [False, True]
    again = await scheduler.run_batch_ad_hoc_tasks([ASKED, bad], idempotency=key)
    assert again == Batch(batch.items, replayed=True)
    with pytest.raises(BatchRejected):
        await scheduler.run_batch_ad_hoc_tasks([ASKED, bad], atomic=True)
    assert (await scheduler.dry_run_task(ASKED, Grant(Scope.READ))).waiting.ahead == 2
    (cid,) = first.cids
    await whole.subject.store.queue.claim(["w1"])
    cancelling = await scheduler.cancel_task(cid, mode="kill", grace_sec=3.0, reason="Enough.")
    assert (cancelling.cid, cancelling.state) == (cid, RunState.CANCELLING)
    assert cancelling.cancel is not None
    assert (cancelling.cancel.mode, cancelling.cancel.reason) == ("kill", "Enough.")
    assert cancelling.cancel.grace_sec == 3.0
    with pytest.raises(RunsActive):
        await scheduler.reload_plans(force=False)
    await scheduler.reload_plans(force=True)
    await whole.end(cid, RunEvent.FAIL)
    key = whole.subject.runs.idempotency_key("m", b"")
    once, twice = [await scheduler.retry_task(cid, RetryRequest(), key) for _ in range(2)]
    assert (once.retry_of, twice.cid, twice.replayed) == (cid, once.cid, True)
    assert [step.step for step in once.steps] == ["a"]
    assert twice.steps == once.steps
    other = (await scheduler.run_ad_hoc_task(replace(ASKED, priority=99))).cids[0]
    await whole.subject.store.queue.claim(["w1"])
    asked = (await scheduler.cancel_task(other)).cancel
    assert asked is not None
    assert (asked.mode, asked.grace_sec, asked.reason) == ("graceful", 10.0, None)
    assert whole.workers.cancelled == [(cid, 0.0), (other, 10.0)]
