"""What a plan keeps between its runs: `context.state` in actions, `state` in templates.

May import msgspec and model.json only: it stands behind `import aura_aio`.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

import msgspec

from aura_aio.model import json

MAX_KEY: Final = 200
"""Characters of a key."""
MAX_VALUE_BYTES: Final = 64 * 1024
"""Bytes of a value's JSON."""
MAX_BYTES: Final = 1024 * 1024
"""Bytes of all keys and values of a plan."""

Changes = dict[str, bytes | None]
"""The JSON text of each key that was set; None for one that was deleted."""

_texts: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class StateRefused(ValueError):
    """A key or a value that a plan's state cannot take."""


class State(MutableMapping[str, Any]):
    """Values by key, over those of another State, which it leaves as they are until that takes its
    `changes`. The runs of a plan, the steps of a run, the calls of a step have one each.

    Values are JSON, and what is read is a copy: a change of it counts once it is set again. May be
    used from any thread.
    """

    def __init__(
        self, below: "State | None" = None, hide: Callable[[str], str] | None = None
    ) -> None:
        """`hide` takes the secrets of the run out of a text; it comes from `below` otherwise."""
        self.changes: Changes = {}
        """What was set and deleted here."""
        self._below = below
        self._hide: Callable[[str], str] = hide or (below._hide if below is not None else str)
        self._grown = 0

    @classmethod
    def of(cls, text: bytes | None, hide: Callable[[str], str] | None = None) -> "State":
        """The State whose values stand in the JSON text of an object."""
        state = cls(hide=hide)
        if text is not None:
            state.take({key: bytes(value) for key, value in _texts.decode(text).items()})
        return state

    def take(self, changes: Mapping[str, bytes | None]) -> None:
        """Make `changes` that were checked elsewhere here too."""
        for key, text in changes.items():
            self._put(key, text)

    def texts(self) -> dict[str, bytes]:
        """The JSON text of every value, by key."""
        texts: Changes = dict(self._below.texts()) if self._below is not None else {}
        texts |= self.changes.copy()
        return {key: text for key, text in texts.items() if text is not None}

    def __getitem__(self, key: str) -> Any:
        text = self._text(key)
        if text is None:
            raise KeyError(key)
        return json.loads(text)

    def __setitem__(self, key: object, value: Any) -> None:
        """Keep `value` under `key`.

        Raises:
            StateRefused: the key is no text of 1 to 200 characters, the value is no JSON, it has
                more than 64 KiB, all that the plan keeps would have more than 1 MiB, or there is a
                secret in it: state is stored as it is.
        """
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or not key.isprintable():
            raise StateRefused(
                f"A key of the state is a text of 1 to {MAX_KEY} printable characters, "
                f"not {_shown(key)}."
            )
        text = _encoded(key, value)
        if self._hide(key + text.decode()) != key + text.decode():
            raise StateRefused(
                "A secret cannot be kept in the state of the plan, which is stored as it is."
            )
        if len(text) > MAX_VALUE_BYTES:
            raise StateRefused(
                f"The value for the state's key {key!r} has {len(text):,} bytes of JSON, and "
                f"{MAX_VALUE_BYTES:,} are allowed: write it into a file, and keep its name."
            )
        if self._size() + _weight(key, text) - _weight(key, self._text(key)) > MAX_BYTES:
            raise StateRefused(
                f"With the key {key!r} the state of the plan would have more than {MAX_BYTES:,} "
                "bytes: delete keys that are not needed."
            )
        self._put(key, text)

    def __delitem__(self, key: str) -> None:
        if self._text(key) is None:
            raise KeyError(key)
        self._put(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def __len__(self) -> int:
        return len(self.texts())

    def __repr__(self) -> str:
        return f"<the state of the plan: {', '.join(map(repr, self)) or 'empty'}>"

    def _text(self, key: str) -> bytes | None:
        if key in self.changes:
            return self.changes[key]
        return self._below._text(key) if self._below is not None else None

    def _put(self, key: str, text: bytes | None) -> None:
        self._grown += _weight(key, text) - _weight(key, self._text(key))
        self.changes[key] = text

    def _size(self) -> int:
        return self._grown + (self._below._size() if self._below is not None else 0)


def _encoded(key: str, value: Any) -> bytes:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StateRefused(
            f"The value for the state's key {key!r} cannot be written as JSON: {error}"
        ) from error


def _weight(key: str, text: bytes | None) -> int:
    return 0 if text is None else len(key.encode()) + len(text)


def _shown(key: object) -> str:
    shown = repr(key)
    return shown if len(shown) <= 60 else shown[:60] + "…"
