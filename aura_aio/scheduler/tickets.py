"""Tickets: what a browser shows in place of a token, once and within a minute.

May import the standard library, msgspec and model only.
"""

from collections import OrderedDict
from typing import Final, Protocol

import msgspec

from aura_aio.model.access import Grant, digest_of, make_ticket
from aura_aio.model.clock import Clock
from aura_aio.model.errors import InvalidToken
from aura_aio.model.token_store import TicketStore

GOOD_FOR_SEC: Final = 60.0
MOST_TICKETS: Final = 10_000
"""Beyond it the oldest go: nobody can fill the memory with tickets."""


class Ticket(msgspec.Struct, frozen=True):
    """A ticket as its holder gets it; `expires_at` in seconds since the epoch."""

    text: str
    expires_at: float


class Tickets(Protocol):
    """The tickets that are out."""

    async def issue(self, grant: Grant) -> Ticket:
        """A new ticket that grants `grant`.

        Raises:
            StoreUnavailable: others could not be told of it.
        """
        ...

    async def redeem(self, text: str) -> Grant:
        """What the ticket grants; it is used up.

        Raises:
            InvalidToken: there is none, or it was used, or its minute is over.
            StoreUnavailable: whether it is good could not be asked.
        """
        ...


class OwnTickets:
    """Those of a server that is alone: in memory, since none outlives a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._out: OrderedDict[str, tuple[float, Grant]] = OrderedDict()

    async def issue(self, grant: Grant) -> Ticket:
        """A new ticket that grants `grant`."""
        over = self._clock.monotonic() + GOOD_FOR_SEC
        self._forget_old()
        text = make_ticket()
        self._out[text] = (over, grant)
        return Ticket(text, self._clock.now() + GOOD_FOR_SEC)

    async def redeem(self, text: str) -> Grant:
        """What the ticket grants; it is used up."""
        over, grant = self._out.pop(text, (0.0, None))
        if grant is None or self._clock.monotonic() >= over:
            raise _not_good()
        return grant

    def _forget_old(self) -> None:
        """All are good for the same time, so the first in line are those whose time is over."""
        now = self._clock.monotonic()
        while self._out:
            oldest = next(iter(self._out))
            if self._out[oldest][0] > now and len(self._out) < MOST_TICKETS:
                return
            del self._out[oldest]


class SharedTickets:
    """Those of servers that share a database: each is good at any of them, and still only once.
    The server that is shown one judges its minute by its own clock.
    """

    def __init__(self, store: TicketStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def issue(self, grant: Grant) -> Ticket:
        """A new ticket that grants `grant`."""
        ticket = Ticket(make_ticket(), self._clock.now() + GOOD_FOR_SEC)
        digest, now = digest_of(ticket.text), self._clock.now()
        await self._store.add(digest, grant, now=now, expires_at=ticket.expires_at)
        return ticket

    async def redeem(self, text: str) -> Grant:
        """What the ticket grants; it is used up."""
        grant = await self._store.take(digest_of(text), self._clock.now())
        if grant is None:
            raise _not_good()
        return grant


def _not_good() -> InvalidToken:
    return InvalidToken(
        "The ticket is not good: it was used already, or its minute is over. Get another one with "
        "createTicket (POST /api/auth/ticket)."
    )
