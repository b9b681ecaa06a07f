"""What of a run is secret, and the port to what seals that for the store.

May import the standard library, msgspec and `model` only. It stands in the model as the ports of
`model.ports`.
"""

from typing import Any, Protocol

import msgspec

from aura_aio.model import json


class PassedOn(msgspec.Struct, frozen=True, omit_defaults=True):
    """Secrets of a parent that are in inputs of its child: the names of these, and the secrets."""

    inputs: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()


class Hidden(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a run must not be shown: the inputs that hold a secret, whole, and what is known of
    the secrets in those that its parent has passed on.
    """

    inputs: dict[str, Any] = {}
    passed_on: PassedOn = PassedOn()


_hidden = msgspec.json.Decoder(Hidden)


def hidden_text(hidden: Hidden) -> bytes:
    """As the JSON text that is sealed."""
    return json.dumps(hidden)


def hidden_from(text: bytes) -> Hidden:
    """What `hidden_text` was made of."""
    return _hidden.decode(text)


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
