"""Cursors: opaque to clients, and good for the list only that gave them out.

May import the standard library, msgspec and `model.errors` only.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import msgspec

from aura_aio.model.errors import BadCursor

T = TypeVar("T")


def encode_cursor(kind: str, position: Any) -> str:
    """The cursor of `position` in the list `kind`."""
    packed = msgspec.msgpack.encode((kind, position))
    return urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(kind: str, type_: type[T], cursor: str) -> T:
    """The position that `encode_cursor` was given.

    Raises:
        BadCursor: the text is no cursor, or one of another list.
    """
    try:
        packed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, position = msgspec.msgpack.decode(packed, type=tuple[str, type_])  # type: ignore[valid-type]
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise BadCursor from error
    if found != kind:
        raise BadCursor
    return position
