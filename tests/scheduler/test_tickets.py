"""Tickets: once, within a minute, and not as many as somebody likes.

Imports pytest, aura_aio's model and scheduler, and `bench`.
"""

import pytest

from aura_aio.model.access import Grant, Scope
from aura_aio.model.errors import InvalidToken
from aura_aio.scheduler.tickets import MOST_TICKETS, Tickets
from tests.scheduler.bench import TurnedClock

READER = Grant(Scope.READ)


def test_a_ticket_is_good_for_a_minute() -> None:
    clock = TurnedClock()
    tickets = Tickets(clock)
    early, late = tickets.issue(READER), tickets.issue(READER)
    assert early.expires_at == clock.now() + 60
    clock.turn(59.9)
    assert tickets.redeem(early.text) == READER
    clock.turn(0.1)
    with pytest.raises(InvalidToken, match="its minute is over"):
        tickets.redeem(late.text)


def test_a_clock_that_is_put_back_makes_no_ticket_last_longer() -> None:
    clock = TurnedClock()
    tickets = Tickets(clock)
    ticket = tickets.issue(READER)
    clock.put(-3600)
    clock.turn(60)
    with pytest.raises(InvalidToken):
        tickets.redeem(ticket.text)


def test_a_ticket_is_good_once_and_for_what_it_was_given_for() -> None:
    tickets = Tickets(TurnedClock())
    narrowed = Grant(Scope.RUN, frozenset({"hello"}))
    first, second = tickets.issue(READER), tickets.issue(narrowed)
    assert (tickets.redeem(second.text), tickets.redeem(first.text)) == (narrowed, READER)
    with pytest.raises(
        InvalidToken, match=r"^The ticket .* used already, or .* Get .* createTicket \(POST .*\)\.$"
    ):
        tickets.redeem(first.text)


def test_of_too_many_the_oldest_go() -> None:
    tickets = Tickets(TurnedClock())
    issued = [tickets.issue(READER) for _ in range(MOST_TICKETS + 1)]
    with pytest.raises(InvalidToken):
        tickets.redeem(issued[0].text)
    assert tickets.redeem(issued[1].text) == READER
    assert tickets.redeem(issued[-1].text) == READER
