"""Access: the tokens of this server, who shows a good one, and whether one is asked for at all.

May import the rest of `scheduler`, msgspec and model; the store comes in as a port.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec

from aura_aio.model.access import Grant, NewToken, Token, digest_of, make_token
from aura_aio.model.audit import current_note
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks, first_of
from aura_aio.model.errors import InvalidToken, StoreUnavailable
from aura_aio.model.token_store import TokenStore
from aura_aio.scheduler.tickets import OwnTickets, Ticket, Tickets

_log = logging.getLogger("aura.scheduler.access")

KEEP_EVERY_SEC: Final = 60.0
"""How often it is written down when tokens were last used: never as part of a request."""

Ended = Callable[[str | None], None]
"""Takes the id of a token that is good no more, or None: who has shown none must show one now."""


class Demand(StrEnum):
    """When a token is asked for."""

    ALWAYS = "always"
    ONCE_MADE = "once_made"
    """As soon as a token was made; also when it was revoked since or has expired: who has closed a
    door does not want it to open by itself."""
    NEVER = "never"


class Access:
    """Who may come in. All tokens are in memory, so that asking costs a look-up."""

    def __init__(
        self,
        store: TokenStore,
        tokens: tuple[Token, ...],
        demand: Demand,
        clock: Clock,
        tickets: Tickets | None,
    ) -> None:
        self._store = store
        self._demand = demand
        self._clock = clock
        self._by_digest = {token.digest: token for token in tokens}
        self._by_id = {token.id: token for token in tokens}
        self._tickets = tickets or OwnTickets(clock)
        self._used: dict[str, float] = {}
        self._changes = 0
        self._listeners: list[Ended] = []
        self._tasks = CoroutineTasks()
        self._changed = asyncio.Event()
        self.is_open = False
        """Whether who shows no token may do everything."""
        self._look_at_the_door()

    @classmethod
    async def load(
        cls, store: TokenStore, demand: Demand, clock: Clock, tickets: Tickets | None = None
    ) -> "Access":
        """With the tokens that are in the store. Without `tickets` they are this server's own."""
        return cls(store, await store.list_tokens(), demand, clock, tickets)

    def start(self) -> None:
        """Begin to write down uses, and to notice when tokens expire."""
        self._tasks.spawn(self._keep_on())

    async def aclose(self) -> None:
        """Write down what was not written yet, and end."""
        await self._tasks.aclose()
        await self._write_uses()

    def on_end(self, listener: Ended) -> None:
        """Call `listener` when a token has ended, or the door was closed."""
        self._listeners.append(listener)

    def grant_of(self, secret: str) -> Grant:
        """What who shows `secret` may do.

        How long this takes says nothing of any secret: it is the digest that is looked up.

        Raises:
            InvalidToken: it is none of this server's, or good no more.
        """
        token = self._by_digest.get(digest_of(secret))
        if token is None:
            raise InvalidToken("The token is none of this server's.")
        now = self._clock.now()
        _must_be_in_force(token, now)
        self._used[token.id] = now
        return token.grant()

    async def redeem(self, ticket: str) -> Grant:
        """What who shows `ticket` may do; it is used up.

        Raises:
            InvalidToken: it is not good, or its token is not any more.
            StoreUnavailable: whether it is good could not be asked.
        """
        grant = await self._tickets.redeem(ticket)
        if grant.token_id is not None:
            if grant.token_id not in self._by_id:  # another server has made it just now
                await self.reload()
            _must_be_in_force(self._by_id[grant.token_id], self._clock.now())
        elif not self.is_open:
            raise InvalidToken("The ticket was given without a token, and one is needed now.")
        return grant

    async def issue_ticket(self, grant: Grant) -> Ticket:
        """A ticket for who was granted `grant`.

        Raises:
            StoreUnavailable: other servers could not be told of it.
        """
        return await self._tickets.issue(grant)

    def list(self) -> tuple[Token, ...]:
        """Every token, the oldest first, with its latest use."""
        return tuple(self._with_use(token) for token in self._by_id.values())

    @property
    def any_in_force(self) -> bool:
        """Whether there is a token that is good for something."""
        now = self._clock.now()
        return any(token.in_force(now) for token in self._by_id.values())

    async def create(self, new: NewToken) -> tuple[Token, str]:
        """A new token and its secret, which can be had here only.

        Raises:
            StoreUnavailable: it could not be made durable.
        """
        token, secret = make_token(new, self._clock.now())
        if (note := current_note()) is not None:
            note.token_id = token.id
        await self._store.add(token)
        self._keep(token)
        self._changed.set()
        _log.info("token created", extra={"action": "token_created", **_facts(token)})
        self._look_at_the_door()
        return token, secret

    async def revoke(self, token_id: str) -> Token:
        """Let it be good for nothing from now on; answers it.

        Raises:
            TokenNotFound: there is none.
            StoreUnavailable: it could not be made durable.
        """
        token = await self._store.revoke(token_id, self._clock.now())
        self._keep(token)
        _log.info("token revoked", extra={"action": "token_revoked", **_facts(token)})
        self._tell(token.id)
        return self._with_use(token)

    def _keep(self, token: Token) -> None:
        self._by_digest[token.digest] = self._by_id[token.id] = token
        self._changes += 1

    async def reload(self) -> None:
        """Take the tokens that are in the store now: another server has made or revoked one.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        while True:
            changes = self._changes
            tokens = await self._store.list_tokens()
            if changes == self._changes:  # else it may be older than what was done here
                break
        before = self._by_id
        self._by_digest = {token.digest: token for token in tokens}
        self._by_id = {token.id: token for token in tokens}
        self._changed.set()
        self._look_at_the_door()
        for token in tokens:
            known = before.get(token.id)
            if token.revoked_at is not None and known is not None and known.revoked_at is None:
                self._tell(token.id)

    def _look_at_the_door(self) -> None:
        was_open, self.is_open = self.is_open, self._should_be_open()
        if was_open and not self.is_open:
            _log.info("a token is asked for from now on", extra={"action": "access_closed"})
            self._tell(None)

    def _should_be_open(self) -> bool:
        match self._demand:
            case Demand.ALWAYS:
                return False
            case Demand.ONCE_MADE:
                return not self._by_id
            case Demand.NEVER:
                return True

    def _tell(self, token_id: str | None) -> None:
        for listener in self._listeners:
            listener(token_id)

    def _with_use(self, token: Token) -> Token:
        used = self._used.get(token.id)
        return token if used is None else msgspec.structs.replace(token, last_used_at=used)

    async def _keep_on(self) -> None:
        now = self._clock.now()
        while True:
            before = now
            self._changed.clear()
            await first_of(
                self._changed.wait(), self._clock.sleep(self._until_next(self._clock.now()))
            )
            now = self._clock.now()
            for token in tuple(self._by_id.values()):
                if token.has_expired(now) and not token.has_expired(before):
                    self._tell(token.id)
            await self._write_uses()

    def _until_next(self, now: float) -> float:
        """How long nothing is to be done, in seconds."""
        ends = [
            token.expires_at - now
            for token in self._by_id.values()
            if token.expires_at is not None and not token.has_expired(now)
        ]
        return min(KEEP_EVERY_SEC, *ends) if ends else KEEP_EVERY_SEC

    async def _write_uses(self) -> None:
        used, self._used = self._used, {}
        for token_id, at in used.items():
            token = self._by_id[token_id]
            changed = msgspec.structs.replace(token, last_used_at=at)
            self._by_digest[token.digest] = self._by_id[token_id] = changed
        try:
            await self._store.record_use(used)
        except StoreUnavailable as error:
            _log.warning(
                "uses of tokens not kept",
                extra={"action": "token_uses_not_kept", "reason": str(error)},
            )


def _must_be_in_force(token: Token, now: float) -> None:
    if token.revoked_at is not None:
        raise InvalidToken("The token was revoked.")
    if token.has_expired(now):
        raise InvalidToken("The token has expired.")


def _facts(token: Token) -> dict[str, Any]:
    return {"token_id": token.id, "token_name": token.name, "scope": token.scope.value}
