"""Tokens and tickets as answers.

May import `api.views`, scheduler and model.
"""

from collections.abc import Iterable

from aura_aio.api.views import Answer, page, present, time
from aura_aio.model.access import Token
from aura_aio.scheduler.tickets import Ticket


def token(token: Token) -> Answer:
    """Token."""
    return present(
        id=token.id,
        name=token.name,
        scope=token.scope,
        plans=token.plans or None,
        created_at=time(token.created_at),
        expires_at=time(token.expires_at),
        last_used_at=time(token.last_used_at),
        revoked_at=time(token.revoked_at),
    )


def token_list(tokens: Iterable[Token]) -> Answer:
    """TokenList."""
    return page(map(token, tokens))


def new_token(made: Token, secret: str) -> Answer:
    """NewToken."""
    return {"secret": secret, "token": token(made)}


def ticket(ticket: Ticket) -> Answer:
    """Ticket."""
    return {"ticket": ticket.text, "expires_at": time(ticket.expires_at)}
