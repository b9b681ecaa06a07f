"""What a notice says, and how it stands in a statement.

Imports aura_aio.store, model, psycopg and pytest.
"""

from contextlib import closing
from typing import Any

import pytest

from aura_aio.model.news import News, Topic
from aura_aio.model.run import RunChanged
from aura_aio.model.states import RunState
from aura_aio.store.postgres.announcement import CHANNEL, Notice, heard, notices
from tests.postgres_server import clean_database, connected

pytest.importorskip("psycopg")

LIMIT = 8_000
"""PostgreSQL takes no notice of so many bytes."""


def fact(cid: str) -> RunChanged:
    """A run has been accepted."""
    return RunChanged(cid, None, RunState.QUEUED, 1, 5.0)


@pytest.fixture
def connection() -> Any:
    """One that hears what it announces."""
    with closing(connected(clean_database())) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield connection


def announced(connection: Any, sender: str, news: News) -> list[Notice]:
    """What is heard of it."""
    connection.execute(notices(sender, news) + "SELECT 1")
    sent = [notify.payload for notify in connection.notifies(timeout=5.0, stop_after=1)]
    assert all(len(payload.encode()) < LIMIT for payload in sent)
    return [heard(payload) for payload in sent]


@pytest.mark.parametrize("name", ["plain", "it's", "back\\slash", "a '\\' b", "\\'", "ü"])
def test_a_notice_says_what_was_to_be_said(connection: Any, name: str) -> None:
    news = News((fact(name),), 7, (Topic.TOKENS, Topic.QUEUE))
    for is_plain in ("on", "off"):  # what a backslash means is a setting of the database
        connection.execute(f"SET standard_conforming_strings TO {is_plain}")
        assert announced(connection, name, news) == [Notice(name, news)]


def test_nothing_is_not_announced() -> None:
    assert notices("one", News()) == ""


def test_portions_are_in_order_and_all_else_comes_with_the_last(connection: Any) -> None:
    facts = tuple(fact(f"{n:032}") for n in range(301))
    sent = announced(connection, "one", News(facts, 9, (Topic.SCHEDULES,)))
    assert tuple(each for notice in sent for each in notice.news.facts) == facts
    assert {notice.sender for notice in sent} == {"one"}
    others = [msg.news for msg in sent]
    assert [(news.newest_seq, news.topics) for news in others[:-1]] == [(0, ())] * (len(sent) - 1)
    assert (others[-1].newest_seq, others[-1].topics) == (9, (Topic.SCHEDULES,))
    assert len(sent) == 8  # halves of halves that fit


def test_two_large_facts_come_one_by_one(connection: Any) -> None:
    facts = fact("a" * (LIMIT * 2 // 3)), fact("b" * (LIMIT * 2 // 3))
    sent = announced(connection, "one", News(facts, is_gap=True))
    assert sent == [Notice("one", News(facts[:1])), Notice("one", News(facts[1:], is_gap=True))]


def test_a_fact_that_no_notice_holds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a fact is too large to be announced$"):
        notices("one", News((fact("x" * LIMIT),)))
