"""Seals what must not stand in the store as it is, with a key in the data folder.

May import the standard library, cryptography, `secret_files` and `model`. cryptography is imported
at the first seal: it takes 25 ms and 10 MiB, and most servers never need it.
"""

import hashlib
import hmac
import os
from base64 import urlsafe_b64encode
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aura_aio.model.errors import SealBroken, SettingsError
from aura_aio.secret_files import read_or_make_key

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_FILE: Final = "secrets.key"

_KEY_BYTES: Final = 32
_SEED: Final = b"aura: digests\n"


class KeyVault:
    """Implements `model.sealing.Vault` with one key."""

    def __init__(self, key: bytes) -> None:
        """`key` is that of a Fernet: 32 bytes in base64."""
        self._key = key
        self._digest_key = hashlib.sha256(_SEED + key).digest()

    def seal(self, plain: bytes) -> bytes:
        """`plain`, so that only who has the key can read it."""
        return self._fernet.encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: it was sealed with another key, or is damaged.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - see the module

        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealBroken(KEY_FILE) from error

    def digest(self, content: bytes) -> str:
        """A digest that tells nobody without the key whether a guess at `content` is right."""
        return hmac.new(self._digest_key, content, hashlib.sha256).hexdigest()

    @cached_property
    def _fernet(self) -> "Fernet":
        from cryptography.fernet import Fernet  # noqa: PLC0415 - see the module

        return Fernet(self._key)


def open_vault(data_dir: Path) -> KeyVault:
    """The vault whose key is in `data_dir`; the first time, the key is made. Blocks: reads files.

    Raises:
        SettingsError: the key file holds no key, or others than its owner and group can read it.
        OSError: it can neither be read nor made.
    """
    path = data_dir / KEY_FILE
    key = read_or_make_key(path, lambda: urlsafe_b64encode(os.urandom(_KEY_BYTES)))
    if len(key) != len(urlsafe_b64encode(bytes(_KEY_BYTES))):
        raise SettingsError(
            f"The file {path} holds no key. Bring it back from a backup; without it the secret "
            "inputs in the store cannot be read. If there are none, remove it."
        )
    return KeyVault(key)
