"""The port to what seals secrets for the store.

May import the standard library and `model` only. It stands in the model as those of `model.ports`.
"""

from typing import Protocol


class Vault(Protocol):
    """Seals what must not stand in the store as it is."""

    def seal(self, plain: bytes) -> bytes:
        """`plain`, so that only who has the key can read it."""
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: it was sealed with another key, or is damaged.
        """
        ...

    def digest(self, content: bytes) -> str:
        """A digest that tells nobody without the key whether a guess at `content` is right."""
        ...
