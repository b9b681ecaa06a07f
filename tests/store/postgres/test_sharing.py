"""Several servers on one database: they take turns, and hear of each other.

Imports aura_aio.store, model, psycopg and pytest.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from typing import Any

import pytest

from aura_aio.model.access import NewToken, Scope, make_token
from aura_aio.model.clock import SystemClock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.fleet import HostStatus, Stop, worker_name
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.model.news import News, Topic
from aura_aio.model.states import RunState
from tests.store.opened import DEFINITION, Opened, begun
from tests.store.postgres.at import postgres_at
from tests.waiting import until

psycopg = pytest.importorskip("psycopg")

WAIT = """
    SELECT COUNT(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""
"""How many wait for their turn."""


@pytest.fixture
async def servers(url: DatabaseUrl) -> AsyncIterator[list[Opened]]:
    """Two stores in it, as two servers have them."""
    both = [Opened(postgres_at(url, name=name)) for name in ("one", "two")]
    for each in both:
        await each.open()
    yield both
    for each in both:
        await each.close()


async def test_what_one_has_written_the_other_goes_on_from(servers: list[Opened]) -> None:
    one, two = servers
    two.clock.seconds += 1.0  # who comes later comes later in the queue
    first, second = await one.enqueue(), await two.enqueue()
    assert await two.claim(1) == [first]
    assert await one.claim(9) == [second]
    await two.store.queue.pause("hello")
    await one.enqueue()
    assert await one.claim(9) == []
    await one.end(first)
    counts = await two.store.queue.counts()
    assert (
        counts.ready,
        counts.by_state[RunState.RUNNING],
        counts.by_state[RunState.SUCCEEDED],
    ) == (1, 1, 1)


async def test_they_write_side_by_side_and_every_figure_stays_exact(
    servers: list[Opened],
) -> None:
    async def work(server: Opened) -> list[int]:
        numbers = []
        for _ in range(20):
            await server.enqueue_many(3)
            claimed = await server.claim(2)
            await asyncio.gather(*(server.end(cid) for cid in claimed))
            line = LogLine(1.0, LogLevel.INFO, "task", "one")
            numbers += [entry.seq for entry in await server.store.logs.append([line, line])]
        return numbers

    numbers = await asyncio.gather(*map(work, servers))
    assert sorted(chain.from_iterable(numbers)) == list(range(1, 81))
    entries = await servers[0].store.logs.read(LogFilter(), after=0, up_to=None, limit=100)
    assert [entry.seq for entry in entries] == list(range(1, 81))
    for server in servers:
        counts = await server.store.queue.counts()
        assert (counts.ready, counts.by_state[RunState.SUCCEEDED]) == (40, 80)
    facts = [fact for server in servers for fact in server.facts if fact.target is RunState.RUNNING]
    assert len({fact.cid for fact in facts}) == len(facts) == 80


async def test_what_comes_while_another_has_the_turn_is_one_commit_of_each(
    url: DatabaseUrl, servers: list[Opened]
) -> None:
    from aura_aio.store.postgres.connection import PostgresConnection  # noqa: PLC0415 - as below
    from aura_aio.store.postgres.custody import TURN  # noqa: PLC0415 - as below

    other: Any = PostgresConnection(url)
    other.raw.execute(f"BEGIN; SELECT pg_advisory_xact_lock({TURN})")
    before = [server.store.commits for server in servers]
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.enqueue())
        await until(lambda: other.execute(WAIT).fetchone() == (2,))
        for server in servers * 5:
            group.create_task(server.enqueue())
            await begun(group)
        other.raw.execute("COMMIT")
    other.close()
    assert [server.store.commits - n for server, n in zip(servers, before, strict=True)] == [1, 1]
    assert [len(server.facts) for server in servers] == [6, 6]


@pytest.fixture
async def heard(url: DatabaseUrl, servers: list[Opened]) -> AsyncIterator[list[News]]:
    """What the second of the servers hears."""
    from aura_aio.store.postgres.hearing import Hearing  # noqa: PLC0415 - it may be missing

    news: list[News] = []
    hearing = Hearing(url, "two", news.append, SystemClock())
    hearing.start()
    await until(lambda: bool(news))
    assert news.pop() == News(is_gap=True)
    yield news
    await hearing.aclose()


async def test_it_hears_what_others_have_done_and_not_what_it_has_done_itself(
    servers: list[Opened], heard: list[News]
) -> None:
    one, two = servers
    await two.enqueue()
    cid = await one.enqueue()
    token, _ = make_token(NewToken(name="a", scope=Scope.READ), 1.0)
    await one.store.tokens.add(token)
    await one.store.logs.append([LogLine(1.0, LogLevel.INFO, "task", "a")])
    await until(lambda: len(heard) == 3)
    assert [[fact.cid for fact in each.facts] for each in heard] == [[cid], [], []]
    assert [each.topics for each in heard] == [(), (Topic.TOKENS,), ()]
    assert [each.newest_seq for each in heard] == [0, 0, 1]
    assert list(heard[0].facts) == one.facts


async def test_what_is_too_much_for_one_notice_comes_in_several(
    servers: list[Opened], heard: list[News]
) -> None:
    tasklets = [servers[0].tasklet() for _ in range(500)]
    await servers[0].store.runs.enqueue(tasklets, (DEFINITION,))
    told: list[str] = []
    await until(lambda: sum(len(each.facts) for each in heard) == 500)
    for each in heard:
        told += [fact.cid for fact in each.facts]
    assert told == [tasklet.cid for tasklet in tasklets]


async def test_after_a_gap_it_is_told_that_there_was_one(
    url: DatabaseUrl, heard: list[News]
) -> None:
    with psycopg.connect(url.secret, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
    await until(lambda: News(is_gap=True) in heard)


async def test_a_notice_that_nobody_understands_is_a_gap_and_the_next_one_is_heard(
    url: DatabaseUrl, servers: list[Opened], heard: list[News]
) -> None:
    with psycopg.connect(url.secret, autocommit=True) as admin:
        admin.execute("NOTIFY aura, 'good morning'")
    cid = await servers[0].enqueue()
    await until(lambda: len(heard) == 2)
    assert heard[0] == News(is_gap=True)
    assert [fact.cid for fact in heard[1].facts] == [cid]


async def test_news_that_somebody_fails_at_are_a_gap(
    url: DatabaseUrl, servers: list[Opened]
) -> None:
    from aura_aio.store.postgres.hearing import Hearing  # noqa: PLC0415 - it may be missing

    news: list[News] = []

    def hear(each: News) -> None:
        news.append(each)
        if each.facts:
            raise KeyError(each.facts[0].cid)

    hearing = Hearing(url, "two", hear, SystemClock())
    hearing.start()
    await until(lambda: bool(news))
    await servers[0].enqueue()
    await until(lambda: len(news) == 3)
    assert [each.is_gap for each in news] == [True, False, True]
    assert hearing.alive
    await hearing.aclose()
    await servers[0].enqueue()
    assert len(news) == 3


async def test_who_cannot_listen_tries_again(
    url: DatabaseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    from aura_aio.store.postgres.hearing import (  # noqa: PLC0415 - it may be missing
        PAUSE_SEC,
        Hearing,
    )

    pauses: list[float] = []
    news: list[News] = []

    class Patient(SystemClock):
        """Lets the database come back while it is waited for."""

        async def sleep(self, seconds: float) -> None:
            pauses.append(seconds)
            hearing._url = url
            await super().sleep(0)

    nowhere = DatabaseUrl("postgresql://me:geheim@127.0.0.1:1/aura")
    hearing = Hearing(nowhere, "two", news.append, Patient())
    hearing.start()
    await until(lambda: news == [News(is_gap=True)])
    assert pauses == [PAUSE_SEC]
    (told,) = [vars(each) for each in caplog.records if "not heard" in each.message]
    assert (told["action"], "127.0.0.1" in told["reason"]) == ("news_not_heard", True)
    assert told["reason"] == told["reason"].strip()
    await hearing.aclose()


async def test_runs_of_a_host_that_is_given_up_are_lost_and_those_of_others_are_not(
    servers: list[Opened],
) -> None:
    one, two = servers
    for number, server in enumerate(servers):
        await server.store.fleet.join(f"host{number}", HostStatus(), may_lead=True)
    mine, other = await one.enqueue(), await one.enqueue()
    for number in range(2):
        await one.store.queue.claim([worker_name(f"host{number}", 1)])
    assert [host.id for host in await two.store.fleet.members()] == ["host0", "host1"]
    assert await two.store.runs.recover() == {"requeued": (), "failed": (), "cancelled": ()}
    assert not await two.store.fleet.orphans()
    reason = "Nothing was heard of it."
    assert (await two.store.fleet.give_up({"host0": 7}, reason=reason))["failed"] == ()
    lost = await two.store.fleet.give_up({"host0": 1}, reason=reason)
    assert lost["failed"] == (mine,)
    assert (await one.run(other)).state is RunState.RUNNING
    assert await one.store.fleet.beat("host0", HostStatus()) is False
    assert await one.end(mine) is None
    assert await one.store.fleet.beat("host1", HostStatus()) is True
    await one.store.fleet.leave("host1")
    assert await one.store.fleet.orphans()


async def test_whether_all_is_stopped_is_kept_for_all(
    servers: list[Opened], heard: list[News]
) -> None:
    one, two = servers
    assert await two.store.fleet.stopped() is None
    await one.store.fleet.set_stopped(Stop())
    assert await two.store.fleet.stopped() == Stop()
    await until(lambda: any(Topic.SYSTEM in each.topics for each in heard))
    await two.store.fleet.set_stopped(None)
    assert await one.store.fleet.stopped() is None


async def test_who_has_the_turn_and_says_nothing_holds_up_the_others_for_a_while_only(
    url: DatabaseUrl, servers: list[Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own time for that is off, as it is for who was cut off within a pipeline."""
    from aura_aio.store.postgres import database  # noqa: PLC0415 - it may be missing
    from aura_aio.store.postgres.connection import PostgresConnection  # noqa: PLC0415 - as above
    from aura_aio.store.postgres.custody import TURN  # noqa: PLC0415 - as above

    monkeypatch.setattr(database, "TURN_SEC", 0.1)
    stopped: Any = PostgresConnection(url)
    stopped.raw.execute("SET idle_in_transaction_session_timeout TO 0")
    stopped.raw.execute(f"BEGIN; SELECT pg_advisory_xact_lock({TURN})")
    writer: Any = servers[0].store
    writer._session._database.writer.raw.execute("SET lock_timeout TO 300")
    assert await servers[0].enqueue()
    with pytest.raises(psycopg.OperationalError):
        stopped.raw.execute("COMMIT")
    stopped.close()
