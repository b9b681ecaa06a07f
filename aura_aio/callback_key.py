"""What callbacks are signed with: the secrets of the settings, or one of the server's own.

May import the standard library, `secret_files`, settings and `model` only.
"""

import binascii
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Final

from aura_aio.model.errors import SettingsError
from aura_aio.secret_files import read_or_make_key
from aura_aio.settings import CallbackSettings

KEY_FILE: Final = "callbacks.key"
PREFIX: Final = "whsec_"

_BYTES: Final = 32
_LEAST_BYTES, _MOST_BYTES = 24, 64


def callback_secrets(settings: CallbackSettings, data_dir: Path) -> tuple[str, ...]:
    """The secrets that each callback is signed with, at least one. Without one in the settings it
    is that in `data_dir`; the first time, it is made. Blocks: may read a file.

    Raises:
        SettingsError: one is no secret of Standard Webhooks, or others than the owner and group can
            read the file.
        OSError: the file can neither be read nor made.
    """
    for number, secret in enumerate(settings.callback_secrets, 1):
        _must_be_one(secret, f"Number {number} of --callback-secrets")
    if settings.callback_secrets:
        return settings.callback_secrets
    path = data_dir / KEY_FILE
    secret = read_or_make_key(path, _make).decode("ascii", "replace")
    _must_be_one(secret, f"The content of the file {path}")
    return (secret,)


def _make() -> bytes:
    return PREFIX.encode() + b64encode(os.urandom(_BYTES))


def _must_be_one(secret: str, what: str) -> None:
    """Return if it is a secret; what it is instead is not shown."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise SettingsError(
            f"{what} is no secret that callbacks can be signed with: it must be {PREFIX} and "
            f"{_LEAST_BYTES} to {_MOST_BYTES} random bytes in base64, as in: "
            f'echo "{PREFIX}$(openssl rand -base64 {_BYTES})"'
        )
