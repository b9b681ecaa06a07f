"""Tokens for tests: put into a database before a server opens it, and shown to it.

Imports the store and the model of aura_aio.
"""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from aura_aio.model.access import NewToken, Scope, make_token
from aura_aio.model.clock import SystemClock
from aura_aio.store.opening import open_store
from tests.backends import DATABASES

HOUR = 3600.0


async def put_tokens(data_dir: Path, **tokens: NewToken) -> dict[str, str]:
    """Keep these tokens, by a name of the test's own; answers their secrets."""
    return await put_odd_tokens(data_dir, **{name: (new, {}) for name, new in tokens.items()})


async def put_odd_tokens(
    data_dir: Path, **tokens: tuple[NewToken, dict[str, Any]]
) -> dict[str, str]:
    """Keep tokens with changes, such as `expires_at` in the past."""
    clock = SystemClock()
    place = await asyncio.to_thread(DATABASES.place, data_dir)
    store = await open_store(place, publish=lambda _: None, clock=clock)
    secrets = {}
    try:
        for name, (new, changes) in tokens.items():
            token, secrets[name] = make_token(new, clock.now())
            await store.tokens.add(msgspec.structs.replace(token, **changes))
    finally:
        await store.aclose()
    return secrets


def a_token(scope: str = "admin", *plans: str, **rest: Any) -> NewToken:
    """A token to be made, with a scope and narrowed to plans."""
    return NewToken(scope=Scope(scope), plans=plans, **rest)


def bearer(secret: str) -> dict[str, str]:
    """The headers that show a token."""
    return {"Authorization": f"Bearer {secret}"}
