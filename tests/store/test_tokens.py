"""`TokenStore`: kept, revoked, used; `TicketStore`: taken once.

Imports aura_aio.model and the fixtures.
"""

import msgspec
import pytest

from aura_aio.model.access import Grant, NewToken, Scope, Token, make_token
from aura_aio.model.errors import TokenNotFound
from tests.store.opened import Opened


async def kept(opened: Opened, **rest: object) -> Token:
    """A token that is kept, made now."""
    new = msgspec.structs.replace(NewToken(scope=Scope.RUN), **rest)
    token, _ = make_token(new, opened.clock.now())
    await opened.store.tokens.add(token)
    return token


async def test_tokens_survive_with_everything(opened: Opened) -> None:
    assert await opened.store.tokens.list_tokens() == ()
    second = opened.clock.now() + 1
    plain = await kept(opened)
    opened.clock.seconds = second
    full = await kept(opened, name="wall", plans=("b", "a"), expires_in_sec=60.0)
    assert (full.plans, full.expires_at) == (("a", "b"), second + 60)
    await opened.reopen()
    assert await opened.store.tokens.list_tokens() == (plain, full)


async def test_a_digest_is_kept_once(opened: Opened) -> None:
    token = await kept(opened)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await opened.store.tokens.add(msgspec.structs.replace(token, id="other"))
    assert await opened.store.tokens.list_tokens() == (token,)


async def test_the_first_revocation_counts(opened: Opened) -> None:
    token, other = await kept(opened), await kept(opened)
    revoked = msgspec.structs.replace(token, revoked_at=5.0)
    assert await opened.store.tokens.revoke(token.id, 5.0) == revoked
    assert await opened.store.tokens.revoke(token.id, 6.0) == revoked
    assert set(await opened.store.tokens.list_tokens()) == {revoked, other}
    with pytest.raises(TokenNotFound, match="'nobody'"):
        await opened.store.tokens.revoke("nobody", 5.0)


async def test_uses_are_kept(opened: Opened) -> None:
    token, other = await kept(opened), await kept(opened)
    await opened.store.tokens.record_use({})
    await opened.store.tokens.record_use({token.id: 7.0, "nobody": 8.0})
    used = msgspec.structs.replace(token, last_used_at=7.0)
    assert set(await opened.store.tokens.list_tokens()) == {used, other}


async def test_a_ticket_is_taken_once_and_not_after_its_time(opened: Opened) -> None:
    tickets = opened.store.tickets
    narrowed = Grant(Scope.READ, frozenset({"p"}), "token", "wall")
    await tickets.add("a", narrowed, now=1.0, expires_at=61.0)
    await tickets.add("b", Grant(Scope.ADMIN), now=2.0, expires_at=62.0)
    assert await tickets.take("c", 3.0) is None
    assert await tickets.take("a", 60.9) == narrowed
    assert await tickets.take("a", 60.9) is None
    assert await tickets.take("b", 62.0) is None
    assert await tickets.take("b", 2.0) is None
    await opened.reopen()
    assert await opened.store.tickets.take("b", 2.0) is None


async def test_tickets_that_have_expired_are_forgotten(opened: Opened) -> None:
    grant = Grant(Scope.ADMIN)
    await opened.store.tickets.add("old", grant, now=1.0, expires_at=61.0)
    await opened.store.tickets.add("young", grant, now=61.0, expires_at=121.0)
    assert await opened.store.tickets.take("old", 2.0) is None
    assert await opened.store.tickets.take("young", 62.0) == grant
