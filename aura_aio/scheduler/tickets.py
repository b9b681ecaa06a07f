"""Tickets: what a browser shows in place of a token, once and within a minute.

May import the standard library, msgspec and model only.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from aura_aio.model.access import Grant, make_ticket
from aura_aio.model.clock import Clock
from aura_aio.model.errors import InvalidToken

GOOD_FOR_SEC: Final = 60.0
MOST_TICKETS: Final = 10_000
"""Beyond it the oldest go: nobody can fill the memory with tickets."""


class Ticket(msgspec.Struct, frozen=True):
    """A ticket as its holder gets it; `expires_at` in seconds since the epoch."""

    text: str
    expires_at: float


class Tickets:
    """The tickets that are out; in memory, since none outlives a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._out: OrderedDict[str, tuple[float, Grant]] = OrderedDict()

    def issue(self, grant: Grant) -> Ticket:
        """A new ticket that grants `grant`."""
        over = self._clock.monotonic() + GOOD_FOR_SEC
        self._forget_old()
        text = make_ticket()
        self._out[text] = (over, grant)
        return Ticket(text, self._clock.now() + GOOD_FOR_SEC)

    def redeem(self, text: str) -> Grant:
        """What the ticket grants; it is used up.

        Raises:
            InvalidToken: there is none, or it was used, or its minute is over.
        """
        over, grant = self._out.pop(text, (0.0, None))
        if grant is None or self._clock.monotonic() >= over:
            raise InvalidToken(
                "The ticket is not good: it was used already, or its minute is over. Get another "
                "one with createTicket (POST /api/auth/ticket)."
            )
        return grant

    def _forget_old(self) -> None:
        """All are good for the same time, so the first in line are those whose time is over."""
        now = self._clock.monotonic()
        while self._out:
            oldest = next(iter(self._out))
            if self._out[oldest][0] > now and len(self._out) < MOST_TICKETS:
                return
            del self._out[oldest]
