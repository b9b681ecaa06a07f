"""JSON for everything that is stored or sent: one encoder, one decoder.

May import the standard library and msgspec only.
"""

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder()


def dumps(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON; datetimes become RFC 3339 text, sets lists, NaN null.

    Raises:
        TypeError: something in it has no JSON form; the message names the type.
        RecursionError: it is nested too deeply, or contains itself.
    """
    return _encoder.encode(value)


def loads(text: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        msgspec.DecodeError: it is no JSON.
    """
    return _decoder.decode(text)
