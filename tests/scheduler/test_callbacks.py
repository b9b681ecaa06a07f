"""Callbacks as the Scheduler delivers them: at once, again after a failure, a few at a time.

Imports pytest, aura_aio's model and scheduler, and `bench`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aura_aio.model.callback import CallbackStatus, CallbackTry, DueCallback
from aura_aio.model.fleet import Leadership
from aura_aio.model.run import Run
from aura_aio.model.states import RunState
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.callbacks import CallbackRules, Callbacks, Reply
from tests.scheduler.bench import START, STEP, Bench, TurnedClock
from tests.scheduler.conftest import MakeBench
from tests.scheduler.hesitant import Hesitant
from tests.waiting import turns, until

URL = "https://hooks.example.org/a"
RULES = CallbackRules(tries=3, retry_sec=10.0, at_once=2)


class Site:
    """Runs with callbacks, and who receives these: it answers `replies`, each once, then 204."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.clock = TurnedClock()
        self.store: Any = bench.store.callbacks
        self.replies: list[Reply | Exception] = []
        self.sent: list[tuple[str, RunState, str]] = []
        self.told: list[CallbackTry] = []
        self.open = asyncio.Event()
        self.open.set()
        self.under_way = 0

    async def send(self, run: Run, url: str) -> Reply:
        """One try; not answered before the receiver is open."""
        self.sent.append((run.cid, run.state, url))
        self.under_way += 1
        await self.open.wait()
        self.under_way -= 1
        reply = self.replies.pop(0) if self.replies else Reply(204)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def ended(self) -> str:
        """A run that is to be told of and has ended; its cid."""
        request = RunRequest(plan_name="p", task_name="t", callback_url=URL)
        admitted = self.bench.admission.admit(request)
        await self.bench.store.runs.enqueue([admitted.tasklet], [admitted.definition])
        return await self.bench.end()

    async def tries(self, cid: str, count: int) -> tuple[CallbackTry, ...]:
        """The tries of a callback, once there are so many, they were told, and nothing is done any
        more.
        """

        async def made() -> Any:
            callback = await self.bench.store.callbacks.of_run(cid)
            assert callback is not None
            told = all(each in self.told for each in callback.tries)
            return self.clock.sleepers and told and len(callback.tries) == count and callback.tries

        return tuple(await until(made))

    @asynccontextmanager
    async def calling(self, leadership: Leadership | None = None) -> AsyncIterator[Callbacks]:
        """While it is open, callbacks are delivered."""
        runs = self.bench.store.runs
        callbacks = Callbacks(self.store, runs, self, RULES, self.clock, leadership)
        callbacks.on_try(self.told.append)
        self.bench.bus.subscribe(callbacks.run_changed)
        callbacks.start()
        try:
            await until(lambda: self.clock.sleepers)
            yield callbacks
            assert callbacks.alive
        finally:
            await callbacks.aclose()


@pytest.fixture
async def site(make_bench: MakeBench) -> Site:
    """Nothing is delivered yet."""
    bench = make_bench()
    bench.write({"tasks/t.yaml": STEP})
    await bench.open()
    return Site(bench)


async def test_who_begins_to_lead_delivers_what_is_due(site: Site) -> None:
    leadership = Leadership(leads=False)
    async with site.calling(leadership):
        cid = await site.ended()
        await turns(20)
        assert site.sent == []
        leadership.set(leads=True)
        await site.tries(cid, 1)
    assert [told[0] for told in site.sent] == [cid]


async def test_who_leads_no_longer_once_the_run_is_read_does_not_tell_of_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    leadership = Leadership(leads=True)
    runs, read = site.bench.store.runs, list[str]()
    states = runs.states

    async def slowly(cids: Sequence[str]) -> Any:
        leadership.set(leads=False)
        read.extend(cids)
        return await states(cids)

    monkeypatch.setattr(runs, "states", slowly)
    async with site.calling(leadership):
        cid = await site.ended()
        await until(lambda: read)
        await turns(20)
        assert site.sent == []
        monkeypatch.undo()
        leadership.set(leads=True)
        await site.tries(cid, 1)
    assert [told[0] for told in site.sent] == [cid]


async def test_a_try_that_is_due_soon_is_not_made_before(site: Site) -> None:
    site.replies = [Reply(500, "No.")]
    async with site.calling():
        cid = await site.ended()
        (tried,) = await site.tries(cid, 1)
    assert tried.next_at is not None
    site.clock.turn(tried.next_at - site.clock.now() - 0.5)
    async with site.calling():
        assert len(site.sent) == 1
        assert site.clock.longest() == pytest.approx(0.5)
        site.clock.turn(0.5)
        await site.tries(cid, 2)


async def test_an_end_is_told_at_once_and_once(site: Site) -> None:
    async with site.calling():
        cid = await site.ended()
        (tried,) = await site.tries(cid, 1)
        assert tried == CallbackTry(cid, 1, START, 0.0, 204)
        assert site.sent == [(cid, RunState.SUCCEEDED, URL)]
        assert site.told == [tried]
        await until(lambda: site.clock.longest() == 60)
        site.clock.turn(3600)
        other = await site.ended()
        (tried,) = await site.tries(other, 1)
        assert (tried.started_at, tried.duration_sec) == (START + 3600, 0.0)
        assert [each[0] for each in site.sent] == [cid, other]


async def test_what_fails_is_tried_again_later_and_then_given_up(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.callbacks")
    site.replies = [Reply(500, "No."), RuntimeError("broken"), Reply(None, "Nobody is there.")]
    async with site.calling():
        cid = await site.ended()
        (first,) = await site.tries(cid, 1)
        assert (first.status_code, first.error) == (500, "No.")
        assert first.next_at is not None
        assert 8 < first.next_at - START <= 10
        wait_sec = first.next_at - START
        await until(lambda: site.clock.longest() == wait_sec)
        site.clock.turn(wait_sec)
        _, second = await site.tries(cid, 2)
        assert second.error == "RuntimeError in the server, whose log has more."
        assert second.next_at is not None
        assert 24 < second.next_at - second.started_at <= 30
        site.clock.turn(30)
        *_, third = await site.tries(cid, 3)
        assert (third.number, third.status, third.next_at) == (3, CallbackStatus.FAILED, None)
    assert [each.number for each in site.told] == [1, 2, 3]
    told = [vars(record) for record in caplog.records]
    actions = ["callback_pending", "callback_broke", "callback_pending", "callback_failed"]
    assert [each["action"] for each in told] == actions
    assert [each["try"] for each in told] == [1, 2, 2, 3]
    assert {each["cid"] for each in told} == {cid}
    assert (told[0]["status"], told[0]["reason"]) == (500, "No.")
    assert "status" not in told[3]


async def test_so_many_are_under_way_at_a_time_and_the_next_follows(site: Site) -> None:
    site.open.clear()
    async with site.calling():
        cids = [await site.ended() for _ in range(4)]
        await until(lambda: site.under_way == 2)
        await until(lambda: site.clock.sleepers)
        assert [each[0] for each in site.sent] == cids[:2]
        site.open.set()
        for cid in cids:
            await site.tries(cid, 1)
        assert [each[0] for each in site.sent] == cids


async def test_what_was_told_while_it_was_asked_what_is_due_is_not_told_again(site: Site) -> None:
    callbacks, cids = site.bench.store.callbacks, list[str]()

    class Late:
        """The callbacks of a store, which answers once the first is told."""

        record = staticmethod(callbacks.record)

        async def upcoming(self, limit: int) -> Sequence[DueCallback]:
            due = await callbacks.upcoming(limit)
            if len(due) == 2:
                site.open.set()
                await until(lambda: site.told)
            return due

    site.store = Late()
    site.open.clear()
    async with site.calling():
        for _ in range(2):
            cids.append(await site.ended())
            await until(lambda: len(site.sent) == len(cids))
        for cid in cids:
            await site.tries(cid, 1)
    assert [each[0] for each in site.sent] == cids


async def test_what_was_not_told_before_a_restart_is_told_after_it(site: Site) -> None:
    site.open.clear()
    async with site.calling():
        cid = await site.ended()
        await until(lambda: site.under_way)
    site.open.set()
    async with site.calling():
        (tried,) = await site.tries(cid, 1)
    assert (tried.number, tried.error) == (1, None)
    assert len(site.sent) == 2


async def test_a_store_that_is_away_for_a_while_loses_no_callback(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.store = Hesitant(site.bench.store.callbacks)
    async with site.calling():
        site.clock.turn(5)
        await until(lambda: site.clock.longest() == 60)
        cid = await site.ended()
        await until(lambda: "record" in site.store.refused)

        def passed() -> bool:
            site.clock.turn(5)
            return len(site.sent) > 1

        await until(passed)
        (tried,) = await site.tries(cid, 1)
    assert (tried.number, tried.error) == (1, None)
    assert site.told == [tried]
    waits = [vars(each) for each in caplog.records if each.levelno == logging.ERROR]
    assert [each["action"] for each in waits] == ["callbacks_wait", "callback_waits"]
    assert waits[1]["reason"] == "It is away."
