"""The tickets that servers share: `model.token_store.TicketStore` in a table.

May import store.writer, the rest of `store.relational`, the standard library, msgspec and model
only.
"""

from typing import Final

import msgspec

from aura_aio.model.access import Grant
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

_grant: Final = msgspec.json.Decoder(Grant)

_FORGET: Final = "DELETE FROM tickets WHERE expires_at <= ?"
_ADD: Final = "INSERT INTO tickets (digest, granted, expires_at) VALUES (?, ?, ?)"
_TAKE: Final = "DELETE FROM tickets WHERE digest = ? RETURNING granted, expires_at"


class SqlTickets:
    """Implements `model.token_store.TicketStore`."""

    def __init__(self, writer: Writer[Transaction]) -> None:
        self._writer = writer

    async def add(self, digest: str, grant: Grant, *, now: float, expires_at: float) -> None:
        """Keep what the ticket with this digest grants, and forget those that have expired."""
        row = (digest, msgspec.json.encode(grant), expires_at)

        def write(tx: Transaction) -> None:
            tx.connection.execute(_FORGET, (now,))
            tx.connection.execute(_ADD, row)

        await self._writer.submit(write)

    async def take(self, digest: str, now: float) -> Grant | None:
        """What it grants, to the first who asks; None if there is none, or it has expired."""

        def write(tx: Transaction) -> Grant | None:
            row = tx.connection.execute(_TAKE, (digest,)).fetchone()
            return None if row is None or row[1] <= now else _grant.decode(row[0])

        return await self._writer.submit(write)
