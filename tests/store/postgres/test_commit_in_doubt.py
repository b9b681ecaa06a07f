"""A commit on PostgreSQL whose answer is lost: what became of it is asked for until it is known.

Imports aura_aio.dispatch, store, model, psycopg and pytest.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from aura_aio.dispatch.attempts import Attempt
from aura_aio.dispatch.claims import Claims
from aura_aio.dispatch.looks import Looks
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import (
    StoreUnavailable,
)
from aura_aio.model.run import CancelRequest
from aura_aio.store import writer
from aura_aio.store.relational.store import SqlStore
from tests.postgres_server import connected, postgres
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at
from tests.waiting import until

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
async def opened(url: DatabaseUrl) -> AsyncIterator[Opened]:
    """The store in it."""
    opened = Opened(postgres_at(url))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def admin(url: DatabaseUrl) -> Iterator[Any]:
    """A connection beside the server's."""
    with closing(psycopg.connect(url.secret, autocommit=True)) as connection:
        yield connection


@pytest.fixture
async def other(url: DatabaseUrl) -> AsyncIterator[Opened]:
    """The store of another server in it."""
    other = Opened(postgres_at(url, name="other"))
    await other.open()
    yield other
    await other.close()


def lose_the_answer(opened: Opened, *, after: bool) -> None:
    """Let the connection of the writer be lost with the next COMMIT: before it is sent, or after
    it was carried out.
    """
    assert isinstance(opened.store, SqlStore)
    raw: Any = vars(opened.store._session._database.writer)["raw"]
    execute = raw.execute

    def cut(query: str, *values: Any, **options: Any) -> Any:
        if not query.endswith("COMMIT"):
            return execute(query, *values, **options)
        if after:
            execute(query)
        raw.close()
        raise psycopg.OperationalError("the connection was lost")

    raw.execute = cut


async def test_a_commit_whose_answer_is_lost_has_happened(opened: Opened) -> None:
    lose_the_answer(opened, after=True)
    cid = await opened.enqueue()
    assert opened.facts[-1].cid == cid
    assert await opened.claim(9) == [cid]


async def test_a_commit_that_did_not_arrive_has_not_happened(opened: Opened) -> None:
    lose_the_answer(opened, after=False)
    with pytest.raises(StoreUnavailable, match="does not take writes"):
        await opened.enqueue()
    assert opened.facts == []
    assert (await opened.store.queue.counts()).ready == 0
    assert await opened.enqueue()


@pytest.fixture
def unreachable(
    url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bool], None]]:
    """Called with True it lets nobody connect to the database any more, with False everybody; what
    became of a commit is asked for in short turns.
    """
    monkeypatch.setattr(writer, "DOUBT_PAUSE_SEC", 0.01)
    with closing(connected(postgres())) as elsewhere:

        def refuse(refused: bool, /) -> None:
            name = urlsplit(url.secret).path.removeprefix("/")
            elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not refused}")

        yield refuse
        refuse(False)


async def refused(opened: Opened) -> None:
    """Return once a write is refused because nobody knows what became of another."""
    with pytest.raises(StoreUnavailable, match=r"writes: it is not known yet what became of"):
        await opened.enqueue()


@pytest.mark.parametrize("after", [True, False])
async def test_the_outcome_of_a_commit_is_asked_for_until_it_is_known(
    opened: Opened,
    unreachable: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
    after: bool,
) -> None:
    """However long it takes; others are refused meanwhile."""
    before = await opened.enqueue()
    lose_the_answer(opened, after=after)
    unreachable(True)
    doubtful = asyncio.create_task(opened.enqueue())
    await begun_to_ask(caplog)
    for _ in range(3):
        await refused(opened)
    assert not doubtful.done()
    unreachable(False)
    (outcome,) = await asyncio.gather(doubtful, return_exceptions=True)
    assert isinstance(outcome, str if after else StoreUnavailable)
    assert await opened.claim(9) == ([before, outcome] if after else [before])
    (told,) = (vars(each) for each in caplog.records if "became of a commit" in each.message)
    assert told["action"] == "database_lost"
    assert "not currently accepting connections" in told["reason"]
    assert not any(each.name == "asyncio" for each in caplog.records)
    assert await opened.enqueue()


async def test_who_is_closed_before_it_knows_what_became_of_a_commit_says_so(
    opened: Opened, unreachable: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    lose_the_answer(opened, after=True)
    unreachable(True)
    doubtful = asyncio.create_task(opened.enqueue())
    await begun_to_ask(caplog)
    await opened.close()
    with pytest.raises(
        StoreUnavailable, match=r"writes: It is not known what became of a commit\.$"
    ):
        await doubtful
    unreachable(False)
    await opened.open()
    assert (await opened.store.queue.counts()).ready == 1


async def test_what_was_claimed_too_late_does_not_begin(
    opened: Opened,
    other: Opened,
    unreachable: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the answer to the claim was away, another host has taken what was claimed for lost, and
    somebody has asked for the end of another run.
    """
    cids = [await opened.enqueue() for _ in range(3)]
    lost, kept, cancelled = cids
    claims = Claims(opened.store.runs, opened.store.queue, opened.clock)
    lose_the_answer(opened, after=True)
    unreachable(True)
    claiming = asyncio.create_task(claims.claim(["w", "w", "w"], None, None))
    await begun_to_ask(caplog)
    opened.clock.seconds += 20
    await other.store.runs.lose([(lost, 1)], reason="Nothing was heard of its host any more.")
    await other.store.runs.request_cancel(cancelled, CancelRequest(1.0, grace_sec=7.0))
    unreachable(False)
    worker: Any = SimpleNamespace(occupy=lambda: None)
    attempts = {each.cid: Attempt(each, worker, Looks()) for each in await claiming}
    begins = {cid: await claims.may_begin(attempt) for cid, attempt in attempts.items()}
    assert begins == {lost: False, kept: True, cancelled: True}
    assert attempts[kept].cancel_by is None
    assert attempts[cancelled].cancel_by == pytest.approx(
        asyncio.get_running_loop().time() + 7.0, abs=5.0
    )


async def test_numbers_of_who_has_gone_long_ago_are_forgotten(opened: Opened, admin: Any) -> None:
    admin.execute(
        "INSERT INTO aura.commits SELECT days || ' ago', 1, now() - days * interval '1 day' "
        "FROM unnest(ARRAY[29, 31]) days"
    )
    await opened.enqueue()
    await opened.reopen()
    kept = {name for (name,) in admin.execute("SELECT writer FROM aura.commits")}
    assert len(kept - {"29 ago"}) == 1  # its own
    assert "29 ago" in kept
    assert "31 ago" not in kept


async def begun_to_ask(caplog: pytest.LogCaptureFixture) -> None:
    """Return once the database was asked in vain."""
    await until(lambda: any("became of a commit" in each.message for each in caplog.records))
