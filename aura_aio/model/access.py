"""Who may do what: scopes, tokens, and what the one who asks is granted.

May import the standard library and msgspec only.
"""

import hashlib
import re
import secrets
from enum import StrEnum
from typing import Final

import msgspec

SECRET_PREFIX: Final = "aura_"  # noqa: S105 - what is secret comes after it
"""What every token begins with, so that people, masks and scanners of leaks recognise one."""

_RANDOM_BYTES: Final = 32
_SECRET: Final = re.compile(SECRET_PREFIX + r"[0-9a-f]{64}")


class Scope(StrEnum):
    """What may be done to the server: look, run and steer, or rule."""

    READ = "read"
    RUN = "run"
    ADMIN = "admin"

    def holds(self, needed: "Scope") -> bool:
        """Whether who has this scope may do what needs `needed`; each holds those before it."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS: Final = {scope: rank for rank, scope in enumerate(Scope)}


class Token(msgspec.Struct, frozen=True):
    """What is kept of a token; times in seconds since the epoch.

    `digest` is that of the secret, which nobody keeps. `plans` are those that it is narrowed to;
    empty when it is not. `last_used_at` is right to a minute.
    """

    id: str
    digest: str
    name: str
    scope: Scope
    created_at: float
    plans: tuple[str, ...] = ()
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None

    def has_expired(self, now: float) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at

    def in_force(self, now: float) -> bool:
        """Whether it is good for anything."""
        return self.revoked_at is None and not self.has_expired(now)

    def grant(self) -> "Grant":
        """What who shows it may do."""
        return Grant(self.scope, frozenset(self.plans) or None, self.id, self.name)


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is to be; `expires_in_sec` None: good until it is revoked."""

    scope: Scope
    name: str = ""
    plans: tuple[str, ...] = ()
    expires_in_sec: float | None = None


class Grant(msgspec.Struct, frozen=True):
    """What the one who asks may do: with a token, a ticket, or because the server is open.

    `plans` None: no matter in which plan.
    """

    scope: Scope
    plans: frozenset[str] | None = None
    token_id: str | None = None
    token_name: str = ""

    def sees(self, plan_name: str | None) -> bool:
        """Whether what belongs to this plan (None: to none) may be seen and touched."""
        return self.plans is None or plan_name in self.plans


EVERYTHING: Final = Grant(Scope.ADMIN)
"""What everybody is granted by an open server."""


def make_token(new: NewToken, now: float) -> tuple[Token, str]:
    """A token that is made now, and its secret."""
    secret = SECRET_PREFIX + secrets.token_hex(_RANDOM_BYTES)
    token = Token(
        id=secrets.token_hex(5),
        digest=digest_of(secret),
        name=new.name,
        scope=new.scope,
        created_at=now,
        plans=tuple(sorted(set(new.plans))),
        expires_at=None if new.expires_in_sec is None else now + new.expires_in_sec,
    )
    return token, secret


def make_ticket() -> str:
    """The text of a new ticket."""
    return secrets.token_hex(_RANDOM_BYTES)


def digest_of(secret: str) -> str:
    """What is kept in place of a secret.

    A plain SHA-256: the secret has 256 random bits, so there is nothing to guess that a slow hash
    with salt would make dearer, and each request pays for this one.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def holds_secret(text: str) -> bool:
    """Whether a token stands in `text`."""
    return SECRET_PREFIX in text and _SECRET.search(text) is not None


def without_secrets(text: str) -> str:
    """`text` with every token in it cut down to its prefix."""
    return _SECRET.sub(SECRET_PREFIX + "…", text) if SECRET_PREFIX in text else text
