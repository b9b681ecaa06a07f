"""The operations of the tag `auth`.

May import aiohttp, model, and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import access_views
from aura_aio.api.answers import answer
from aura_aio.api.keys import ACCESS, GRANT
from aura_aio.model.access import NewToken, Scope


async def create_ticket(request: web.Request) -> web.Response:
    """createTicket."""
    ticket = await request.app[ACCESS].issue_ticket(request[GRANT])
    return answer(access_views.ticket(ticket), status=201)


async def get_grant(request: web.Request) -> web.Response:
    """getGrant."""
    return answer(access_views.grant(request[GRANT]))


async def list_tokens(request: web.Request) -> web.Response:
    """listTokens."""
    return answer(access_views.token_list(request.app[ACCESS].list()))


async def create_token(request: web.Request) -> web.Response:
    """createToken."""
    body = request["json"]
    new = NewToken(
        scope=Scope(body["scope"]),
        name=body.get("name", ""),
        plans=tuple(body.get("plans", ())),
        expires_in_sec=body.get("expires_in_sec"),
    )
    token, secret = await request.app[ACCESS].create(new)
    return answer(access_views.new_token(token, secret), status=201)


async def revoke_token(request: web.Request) -> web.Response:
    """revokeToken."""
    token = await request.app[ACCESS].revoke(request["match_info"]["token_id"])
    return answer(access_views.token(token))
