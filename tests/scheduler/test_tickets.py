"""Tickets: once, within a minute, and not as many as somebody likes; of several servers, at any.

Imports pytest, aura_aio's model and scheduler, and `bench`.
"""

import pytest

from aura_aio.model.access import Grant, NewToken, Scope
from aura_aio.model.errors import InvalidToken
from aura_aio.scheduler.access import Access, Demand
from aura_aio.scheduler.tickets import MOST_TICKETS, OwnTickets, SharedTickets
from tests.scheduler.bench import STEP, TurnedClock
from tests.scheduler.conftest import MakeBench

READER = Grant(Scope.READ)


async def test_a_ticket_is_good_for_a_minute() -> None:
    clock = TurnedClock()
    tickets = OwnTickets(clock)
    early, late = await tickets.issue(READER), await tickets.issue(READER)
    assert early.expires_at == clock.now() + 60
    clock.turn(59.9)
    assert await tickets.redeem(early.text) == READER
    clock.turn(0.1)
    with pytest.raises(InvalidToken, match="its minute is over"):
        await tickets.redeem(late.text)


async def test_a_clock_that_is_put_back_makes_no_ticket_last_longer() -> None:
    clock = TurnedClock()
    tickets = OwnTickets(clock)
    ticket = await tickets.issue(READER)
    clock.put(-3600)
    clock.turn(60)
    with pytest.raises(InvalidToken):
        await tickets.redeem(ticket.text)


async def test_a_ticket_is_good_once_and_for_what_it_was_given_for() -> None:
    tickets = OwnTickets(TurnedClock())
    narrowed = Grant(Scope.RUN, frozenset({"hello"}))
    first, second = await tickets.issue(READER), await tickets.issue(narrowed)
    assert await tickets.redeem(second.text) == narrowed
    assert await tickets.redeem(first.text) == READER
    with pytest.raises(
        InvalidToken, match=r"^The ticket .* used already, or .* Get .* createTicket \(POST .*\)\.$"
    ):
        await tickets.redeem(first.text)


async def test_of_too_many_the_oldest_go() -> None:
    tickets = OwnTickets(TurnedClock())
    issued = [await tickets.issue(READER) for _ in range(MOST_TICKETS + 1)]
    with pytest.raises(InvalidToken):
        await tickets.redeem(issued[0].text)
    assert await tickets.redeem(issued[1].text) == READER
    assert await tickets.redeem(issued[-1].text) == READER


async def test_a_ticket_of_one_server_is_good_once_at_any_that_shares_its_database(
    make_bench: MakeBench,
) -> None:
    """Also with a token that the other server has not heard of yet."""
    bench = make_bench()
    bench.write({"tasks/t.yaml": STEP})
    await bench.open()
    one, two = [
        await Access.load(
            bench.store.tokens,
            Demand.ALWAYS,
            bench.clock,
            SharedTickets(bench.store.tickets, bench.clock),
        )
        for _ in range(2)
    ]
    _, secret = await one.create(NewToken(scope=Scope.READ, plans=("p",)))
    grant = one.grant_of(secret)
    ticket, late = await one.issue_ticket(grant), await two.issue_ticket(grant)
    assert ticket.expires_at == bench.clock.now() + 60
    assert await two.redeem(ticket.text) == grant
    for server in (one, two):
        with pytest.raises(InvalidToken, match="used already"):
            await server.redeem(ticket.text)
    bench.clock.turn(60)
    with pytest.raises(InvalidToken, match="its minute is over"):
        await one.redeem(late.text)


async def test_those_whose_time_is_over_are_forgotten_as_of_now() -> None:
    clock, added = TurnedClock(), list[tuple[float, float]]()

    class Kept:
        """Notes when."""

        async def add(self, digest: str, grant: Grant, *, now: float, expires_at: float) -> None:
            added.append((now, expires_at))

        async def take(self, digest: str, now: float) -> Grant | None:
            return None

    tickets = SharedTickets(Kept(), clock)
    await tickets.issue(READER)
    clock.turn(30)
    await tickets.issue(READER)
    now = clock.now()
    assert added == [(now - 30, now + 30), (now, now + 60)]
