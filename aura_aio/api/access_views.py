"""Tokens, tickets, and what was done with them, as answers.

May import `api.views`, scheduler and model.
"""

from collections.abc import Iterable

from aura_aio.api.views import Answer, page, present, time
from aura_aio.model.access import Grant, Token
from aura_aio.model.audit import AuditEvent
from aura_aio.model.ports import Page
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


def grant(grant: Grant) -> Answer:
    """Grant."""
    plans = None if grant.plans is None else sorted(grant.plans)
    return present(scope=grant.scope, plans=plans)


def ticket(ticket: Ticket) -> Answer:
    """Ticket."""
    return {"ticket": ticket.text, "expires_at": time(ticket.expires_at)}


def audit_event_list(events: Page[AuditEvent]) -> Answer:
    """AuditEventList."""
    return page(map(_audit_event, events.items), events.next_cursor)


def _audit_event(event: AuditEvent) -> Answer:
    return present(
        number=event.number,
        at=time(event.at),
        operation=event.operation,
        outcome=event.outcome,
        reason=event.reason,
        by=event.by_name,
        by_token_id=event.by_token,
        remote=event.remote,
        request_id=event.request_id,
        cid=event.cid,
        run_count=event.run_count,
        plan_name=event.plan_name,
        task_name=event.task_name,
        schedule_id=event.schedule_id,
        token_id=event.token_id,
    )
