"""The loop that forgets: in small steps, once a minute, whatever the store does, until it dies and
is seen to have.

Imports pytest, aura_aio's scheduler, upkeep, store and model, and what tests of stores share.
"""

import logging
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from aura_aio import upkeep
from aura_aio.model.audit import AuditFilter, AuditOutcome, Note
from aura_aio.model.errors import SettingsError, StoreUnavailable
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.model.retention import Keep, RetentionStore
from aura_aio.scheduler.retention import PAUSE_SEC, PERIOD_SEC, RUNS_AT_ONCE, Retention
from aura_aio.settings import RetentionSettings
from aura_aio.store.sqlite import open_sqlite
from tests.conftest import MakeServer
from tests.scheduler.bench import TurnedClock
from tests.store.opened import Opened
from tests.waiting import until

DAY_SEC = upkeep.DAY_SEC
MORE_THAN_AT_ONCE = RUNS_AT_ONCE + 20


class FailingStore:
    """A store that is not there for its first calls, or for good; then the store that it stands
    before.
    """

    def __init__(self, store: RetentionStore, *errors: Exception) -> None:
        self._store = store
        self._errors = list(errors)

    async def forget_runs(self, *, ended_before: float | None, most: int | None, limit: int) -> int:
        if self._errors:
            raise self._errors.pop(0)
        return await self._store.forget_runs(ended_before=ended_before, most=most, limit=limit)

    async def forget_entries(self, *, before: float | None, most: int | None, limit: int) -> int:
        return await self._store.forget_entries(before=before, most=most, limit=limit)

    async def forget_audit_events(self, *, before: float, limit: int) -> int:
        return await self._store.forget_audit_events(before=before, limit=limit)


class Site:
    """A store that fills, and the loop that forgets, each with a clock of its own."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.clock = TurnedClock(opened.clock.now())

    async def fill(self, count: int) -> None:
        """Runs that have ended, lines of the log and events of the audit trail, of now."""
        store, now = self.opened.store, self.opened.clock.now()
        cids = await self.opened.enqueue_many(count)
        await self.opened.claim(count)
        await store.runs.finish([self.opened.outcome(cid) for cid in cids])
        await store.logs.append([LogLine(now, LogLevel.INFO, "x", "y")] * count)
        await store.audit.append(Note("startSystem"), AuditOutcome.DONE)

    async def left(self) -> tuple[int, int, int]:
        """How many runs, lines and events there are."""
        store = self.opened.store
        counts = await store.queue.counts()
        lines = await store.logs.read(LogFilter(), after=0, up_to=None, limit=1000)
        events = await store.audit.list_events(AuditFilter(), limit=1000, cursor=None)
        return sum(counts.by_state.values()), len(lines), len(events.items)

    async def all_done(self) -> None:
        """Return when the loop sleeps until the next minute, after letting its pauses pass."""

        def sleeps() -> bool:
            if self.clock.longest() > PERIOD_SEC / 2:
                return True
            self.clock.turn(PAUSE_SEC)
            return False

        await until(sleeps, within=20)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    opened = Opened(partial(open_sqlite, tmp_path / "aura.db"))
    await opened.open()
    yield Site(opened)
    await opened.close()


async def test_it_forgets_in_small_steps_and_again_after_a_minute(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.retention")
    keep = Keep(runs_sec=DAY_SEC, entries_sec=DAY_SEC, audit_sec=DAY_SEC)
    retention = Retention(site.opened.store.retention, keep, site.clock)
    await site.fill(MORE_THAN_AT_ONCE)
    retention.start()
    try:
        await site.all_done()
        assert await site.left() == (MORE_THAN_AT_ONCE, MORE_THAN_AT_ONCE, 1)
        before = site.opened.store.commits
        site.clock.turn(2 * DAY_SEC)
        await site.all_done()
        assert await site.left() == (0, 0, 0)
        assert site.opened.store.commits - before >= 6
        (told,) = [vars(record) for record in caplog.records]
        assert (told["runs"], told["entries"]) == (MORE_THAN_AT_ONCE, MORE_THAN_AT_ONCE)
        assert retention.alive
    finally:
        await retention.aclose()


async def test_by_number_the_newest_are_kept_and_only_what_was_forgotten_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    opened = site.opened
    retention = Retention(opened.store.retention, Keep(runs=10, entries=20), opened.clock)
    await site.fill(50)
    with caplog.at_level(logging.INFO, "aura.scheduler.retention"):
        await retention.tidy()
        assert await site.left() == (10, 20, 1)
        await retention.tidy()
        for keep in (Keep(runs=5), Keep(entries=15)):
            await Retention(opened.store.retention, keep, opened.clock).tidy()
    told = [vars(record) for record in caplog.records]
    assert [(each["runs"], each["entries"], each["events"]) for each in told] == [
        (40, 30, 0),
        (5, 0, 0),
        (0, 5, 0),
    ]


async def test_a_store_that_is_not_there_is_waited_for(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore(site.opened.store.retention, StoreUnavailable("It is locked."))
    retention = Retention(store, Keep(runs=10), site.clock)
    await site.fill(50)
    retention.start()
    try:
        await site.all_done()
        assert (await site.left())[0] == 50
        (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
        assert (record.action, record.reason) == ("retention_waits", "It is locked.")  # type: ignore[attr-defined]
        site.clock.turn(PERIOD_SEC)
        await site.all_done()
        assert (await site.left())[0] == 10
        assert retention.alive
    finally:
        await retention.aclose()


async def test_a_server_whose_retention_has_died_is_not_alive_and_says_why(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def tidy(_: Retention) -> None:
        raise RuntimeError("nothing is forgotten any more")

    monkeypatch.setattr(Retention, "tidy", tidy)
    server = await make_server(workers=0, start=False)

    async def is_not_alive() -> bool:
        return (await server.get("/healthz")).status == 503

    await until(is_not_alive)
    told = (await server.get("/healthz")).json
    assert told["type"] == "urn:aura:problem:not-alive"
    (record,) = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert "RuntimeError: nothing is forgotten any more" in caplog.text
    assert "retention" in record.getMessage() + caplog.text


def test_the_settings_say_what_is_kept_and_nothing_is_without_end() -> None:
    assert upkeep.keep_of(RetentionSettings()) == Keep(
        runs_sec=90 * DAY_SEC,
        runs=1_000_000,
        entries_sec=30 * DAY_SEC,
        entries=10_000_000,
        audit_sec=365 * DAY_SEC,
    )
    zeros = dict.fromkeys(RetentionSettings.__struct_fields__, 0)
    assert upkeep.keep_of(RetentionSettings(**zeros)) == Keep()
    with pytest.raises(SettingsError, match="keep-audit-days 30"):
        upkeep.keep_of(RetentionSettings(keep_runs_days=31, keep_audit_days=30))
