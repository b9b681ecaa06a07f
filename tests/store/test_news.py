"""Every store: what is announced of a transaction to other servers on the same database.

Imports aura_aio.store, model and the fixtures.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from aura_aio.model.access import NewToken, Scope, make_token
from aura_aio.model.fleet import HostStatus, Stop
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.news import News, Topic
from aura_aio.model.schedule import ScheduleState
from aura_aio.store.relational.store import SqlStore
from tests.store.opened import Opened
from tests.waiting import turns

TOKEN, _ = make_token(NewToken(scope=Scope.READ, name="a"), 1.0)
SCHEDULE = ScheduleState(id="p/a", basis="cron", decided_at=7.25)


@pytest.fixture
def told(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> list[News]:
    """What the database is given to announce."""
    assert isinstance(opened.store, SqlStore)
    database, told = opened.store._session._database, list[News]()
    commit = database.commit

    def spy(news: News, keep_asking: Callable[[], bool]) -> bool:
        told.append(news)
        return commit(news, keep_asking)

    monkeypatch.setattr(database, "commit", spy)
    return told


async def tokens(opened: Opened) -> None:
    """Two changes."""
    await opened.store.tokens.add(TOKEN)
    await opened.store.tokens.revoke(TOKEN.id, 2.0)


async def schedules(opened: Opened) -> None:
    """Two changes."""
    await opened.store.schedules.put([SCHEDULE])
    await opened.store.schedules.change(SCHEDULE.id, SCHEDULE, None)


async def system(opened: Opened) -> None:
    """Three changes."""
    fleet = opened.store.fleet
    assert await fleet.stopped() is None
    for stop in (Stop(), Stop(cancels=True, ends_at=7.25), None):
        await fleet.set_stopped(stop)
        assert await fleet.stopped() == stop


async def queue(opened: Opened) -> None:
    """What is paused has to be told nobody: who claims sees it."""
    await opened.store.queue.pause("hello")
    await opened.store.queue.resume("hello")


async def nothing(opened: Opened) -> None:
    """What others need not hear."""
    await opened.store.fleet.join("a", HostStatus(), may_lead=True)
    await opened.store.tokens.record_use({TOKEN.id: 1.0})


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        (tokens, [(Topic.TOKENS,)] * 2),
        (schedules, [(Topic.SCHEDULES,)] * 2),
        (system, [(Topic.SYSTEM,)] * 3),
        (queue, [(), (Topic.QUEUE,)]),
        (nothing, [()] * 2),
    ],
)
async def test_what_others_hold_in_memory_is_to_be_read_anew(
    change: Callable[[Opened], Awaitable[None]],
    topics: list[tuple[Topic, ...]],
    opened: Opened,
    told: list[News],
) -> None:
    await change(opened)
    assert told == [News(topics=each) for each in topics]


async def test_who_was_stopped_while_it_told_of_plans_tells_of_those_that_it_has(
    opened: Opened, told: list[News]
) -> None:
    fleet, plans = opened.store.fleet, HostStatus(plans={"p": "1"})
    await fleet.join("a", HostStatus(), may_lead=True)
    for _ in range(2):
        await fleet.beat("a", plans)
    beat = asyncio.ensure_future(fleet.beat("a", HostStatus(plans={"p": "2"})))
    await turns(1)  # it is on its way
    beat.cancel()
    await opened.enqueue()  # its turn comes after that of the beat
    assert [each.topics for each in told[:3]] == [(), (Topic.QUEUE,), ()]
    del told[:]
    await fleet.beat("a", plans)
    assert told == [News(topics=(Topic.QUEUE,))]
    assert (await fleet.members())[0].status == plans


async def test_facts_and_the_newest_entry_are_told_once(opened: Opened, told: list[News]) -> None:
    line = LogLine(1.0, LogLevel.INFO, "task", "a")
    await opened.enqueue()
    await opened.store.logs.append([line, line])
    await opened.enqueue()
    assert told == [News((opened.facts[0],)), News(newest_seq=2), News((opened.facts[1],))]
