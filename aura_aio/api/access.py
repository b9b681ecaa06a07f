"""Who may do what: each operation's scope stands in the contract, and is read from there.

May import aiohttp, contract, scheduler, model and the rest of `api` but `app` and `routes`.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

from aura_aio.api.keys import GRANT, SCHEDULER, TAKES_TICKET, TICKET
from aura_aio.contract.document import Operation
from aura_aio.model.access import EVERYTHING, Grant, Scope, holds_secret
from aura_aio.model.errors import (
    BadReference,
    InsufficientScope,
    InvalidToken,
    NarrowedToken,
    PlanNotFound,
    RunNotFound,
    Unauthenticated,
)
from aura_aio.scheduler.access import Access


def must_show_no_token(request: web.Request) -> None:
    """Return if there is no token in the address.

    Raises:
        InvalidToken: there is one.
    """
    if holds_secret(request.raw_path) and request.match_info.http_exception is None:
        raise InvalidToken(
            "A token does not belong into an address, where logs and histories keep it: send "
            "it as Authorization: Bearer …, and revoke this one."
        )


async def grant_of(
    request: web.Request, operation: Operation, needed: Scope, access: Access
) -> Grant:
    """What the request may do by what it shows, which is what it `needed` at the least.

    An open server asks for nothing, but who shows a token is held to it. Other kinds of
    `Authorization` are none of ours: a proxy in front may have asked for them.

    Raises:
        Unauthenticated, InvalidToken, InsufficientScope: that is not enough.
        StoreUnavailable: whether a ticket is good could not be asked.
    """
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None and access.is_open and not operation.takes_ticket:
        return EVERYTHING  # the way of most requests of most servers
    grant = await _shown(request, header, operation, access)
    if not grant.scope.holds(needed):
        raise InsufficientScope(needed=needed, given=grant.scope)
    return grant


async def hold_to_plans(request: web.Request, operation: Operation) -> None:
    """Let a request whose token is narrowed to plans pass only to what belongs to these.

    Its parameters have been checked. An operation whose path names a plan or a run is held to the
    plans here; one that is `narrowed` in the contract does so by itself; any other is refused: what
    nobody has thought about is not for such a token.

    Raises:
        PlanNotFound, RunNotFound: it belongs to another plan, which is as if it did not exist.
        NarrowedToken: it concerns the system as a whole.
    """
    grant = request[GRANT]
    if grant.plans is None:
        return
    named = {parameter.name for parameter in operation.path_parameters}
    path: Mapping[str, Any] = request["match_info"] if named else {}
    if "plan_name" in named:
        must_see(request, path["plan_name"])
    elif "cid" in named:
        run = (await request.app[SCHEDULER].runs.states([path["cid"]])).get(path["cid"])
        if run is None or not grant.sees(run.plan_name):
            raise RunNotFound(path["cid"])
    elif not operation.narrowed:
        raise NarrowedToken(grant.plans)


def must_see(request: web.Request, plan_name: str) -> None:
    """Return if who asks is not narrowed to plans, or to these.

    Raises:
        PlanNotFound: there is no such plan for him; it names none that he does not see.
    """
    grant = request[GRANT]
    if grant.plans is None:
        return
    seen = {plan.name for plan in request.app[SCHEDULER].plans.list() if grant.sees(plan.name)}
    if plan_name not in seen:
        raise PlanNotFound(plan_name, seen)


def must_see_named(request: web.Request, plan_name: str) -> None:
    """The same for a plan that the body names.

    Raises:
        BadReference: there is no such plan for him.
    """
    try:
        must_see(request, plan_name)
    except PlanNotFound as error:
        raise BadReference(str(error)) from error


async def _shown(
    request: web.Request, header: str | None, operation: Operation, access: Access
) -> Grant:
    request[TAKES_TICKET] = operation.takes_ticket
    if header is not None:
        kind, _, secret = header.partition(" ")
        if kind.lower() == "bearer":
            return access.grant_of(secret.strip())
    if operation.takes_ticket and (ticket := request.query.get(TICKET)) is not None:
        return await access.redeem(ticket)
    if access.is_open:
        return EVERYTHING
    raise Unauthenticated
