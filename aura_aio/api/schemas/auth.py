"""Components and parameters of the tag `auth`.

May import `schemas.fields`, `schemas.bases` and `schemas.common` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, PathSchema, RequestSchema
from aura_aio.api.schemas.common import PLAN_NAME_LENGTH
from aura_aio.api.schemas.fields import Double, Items, Moment, Nested, Text, Word

TOKEN_ID_LENGTH = 64


class AccessScopeField(Word):
    """AccessScope."""

    words: ClassVar = ("read", "run", "admin")


class TokenRequestSchema(RequestSchema):
    """TokenRequest."""

    scope = AccessScopeField(required=True)
    name = Text(most=100)
    plans = Items(Text(least=1, most=PLAN_NAME_LENGTH), least=1, most=32)
    expires_in_sec = Double(least=1, most=315360000)


class TokenSchema(AnswerSchema):
    """Token."""

    id = Text(required=True)
    name = Text(required=True)
    scope = AccessScopeField(required=True)
    plans = Items(Text())
    created_at = Moment(required=True)
    expires_at = Moment()
    last_used_at = Moment()
    revoked_at = Moment()


class TokenListSchema(AnswerSchema):
    """TokenList."""

    items = Items(Nested(TokenSchema), required=True)
    next_cursor = Text()


class NewTokenSchema(AnswerSchema):
    """NewToken."""

    secret = Text(required=True)
    token = Nested(TokenSchema, required=True)


class GrantSchema(AnswerSchema):
    """Grant."""

    scope = AccessScopeField(required=True)
    plans = Items(Text())


class TicketSchema(AnswerSchema):
    """Ticket."""

    ticket = Text(required=True)
    expires_at = Moment(required=True)


class RevokeTokenPathSchema(PathSchema):
    """The path of revokeToken."""

    token_id = Text(least=1, most=TOKEN_ID_LENGTH, required=True)
