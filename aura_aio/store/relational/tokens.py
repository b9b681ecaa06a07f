"""The tokens: `model.token_store.TokenStore` in tables.

May import store.writer, the rest of `store.relational`, the standard library, msgspec and model
only.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from aura_aio.model.access import Scope, Token
from aura_aio.model.errors import TokenNotFound
from aura_aio.model.news import Topic
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.rows import Row, json_text
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

_plans: Final = msgspec.json.Decoder(tuple[str, ...])


class SqlTokens:
    """Implements `model.token_store.TokenStore`."""

    def __init__(self, writer: Writer[Transaction], look_ups: Reader) -> None:
        self._writer = writer
        self._look_ups = look_ups

    async def add(self, token: Token) -> None:
        """Keep `token`, whose id and digest no other has."""
        await self._writer.submit(lambda tx: _insert(tx, token))

    async def list_tokens(self) -> tuple[Token, ...]:
        """Every token, the oldest first."""
        return await self._look_ups.ask(tokens_of)

    async def revoke(self, token_id: str, at: float) -> Token:
        """Mark it as revoked; raises TokenNotFound."""
        return await self._writer.submit(lambda tx: _revoke(tx, token_id, at))

    async def record_use(self, used: Mapping[str, float]) -> None:
        """Keep when these tokens were last used."""
        if used:
            rows = [(at, token_id) for token_id, at in used.items()]
            await self._writer.submit(lambda tx: _record_use(tx, rows))


def tokens_of(connection: Connection) -> tuple[Token, ...]:
    """Every token, the oldest first."""
    tokens = map(_token_from, connection.execute(sql.TOKENS))
    return tuple(sorted(tokens, key=lambda token: (token.created_at, token.id)))


def _insert(tx: Transaction, token: Token) -> None:
    tx.connection.execute(sql.INSERT_TOKEN, _row_of(token))
    tx.tell_of(Topic.TOKENS)


def _revoke(tx: Transaction, token_id: str, at: float) -> Token:
    if tx.connection.execute(sql.TOKEN, (token_id,)).fetchone() is None:
        raise TokenNotFound(token_id)
    tx.connection.execute(sql.REVOKE_TOKEN, (at, token_id))
    tx.tell_of(Topic.TOKENS)
    return _token_from(tx.connection.execute(sql.TOKEN, (token_id,)).fetchone())


def _record_use(tx: Transaction, rows: list[tuple[float, str]]) -> None:
    tx.connection.executemany(sql.TOKEN_USED, rows)


def _row_of(token: Token) -> Row:
    return (
        token.id,
        token.digest,
        token.name,
        token.scope.value,
        json_text(token.plans),
        token.created_at,
        token.expires_at,
        token.last_used_at,
        token.revoked_at,
    )


def _token_from(row: Row) -> Token:
    return Token(
        id=row[0],
        digest=row[1],
        name=row[2],
        scope=Scope(row[3]),
        plans=_plans.decode(row[4]),
        created_at=row[5],
        expires_at=row[6],
        last_used_at=row[7],
        revoked_at=row[8],
    )
