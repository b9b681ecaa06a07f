"""The key with which a command can be given twice, and starts nothing twice.

May import `cli`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aura_aio.cli.screen import Screen

if TYPE_CHECKING:
    from aura_aio.cli.client import Answer


def key_headers(key: str | None) -> Mapping[str, str]:
    """The headers of a request with this key, None without one."""
    return {} if key is None else {"Idempotency-Key": key}


def tell_replayed(screen: Screen, answer: "Answer") -> None:
    """Say on stderr if the answer is that to an earlier request with the same key."""
    if answer.headers.get("Idempotent-Replayed") == "true":
        told = "The key was used before: this is what came of it, nothing new started."
        screen.notes.line((told, "yellow"))
