"""The ports of the access tokens and of the tickets that servers share; what they promise,
tests/store proves for every store.

May import the standard library and `model` only.
"""

from collections.abc import Mapping
from typing import Protocol

from aura_aio.model.access import Grant, Token


class TokenStore(Protocol):
    """The access tokens. They are few: who needs them reads them all."""

    async def add(self, token: Token) -> None:
        """Keep `token`, whose id and digest no other has."""
        ...

    async def list_tokens(self) -> tuple[Token, ...]:
        """Every token that was ever added, the oldest first."""
        ...

    async def revoke(self, token_id: str, at: float) -> Token:
        """Mark it as revoked at `at`; one that was revoked before stays as it is. Answers it.

        Raises:
            TokenNotFound: there is none of this id.
        """
        ...

    async def record_use(self, used: Mapping[str, float]) -> None:
        """Keep when these tokens (by id) were last used; an id that is not known is left out."""
        ...


class TicketStore(Protocol):
    """The tickets that are out, where any of several servers may be shown one."""

    async def add(self, digest: str, grant: Grant, *, now: float, expires_at: float) -> None:
        """Keep what the ticket with this digest grants, and forget those that have expired."""
        ...

    async def take(self, digest: str, now: float) -> Grant | None:
        """What it grants, to the first who asks; None if there is none, or it has expired."""
        ...
