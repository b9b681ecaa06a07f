"""JSON for everything that is stored or sent: one encoder, one decoder.

May import the standard library and msgspec only.
"""

import json
from typing import Any, Final

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


def loads_strictly(text: bytes | str) -> Any:
    """The value of a JSON text that comes from outside: no object in it has a name twice.

    Of two, one reader takes the first and another the last; so who checks a request on its way
    could see another than we do.

    Raises:
        msgspec.DecodeError: it is no JSON, or has a name twice.
        RecursionError: it is nested too deeply.
    """
    value = _decoder.decode(text)
    _check_names(text, value)
    return value


def has_each_name_once(text: bytes, value: Any) -> bool:
    """Whether no object in a JSON text has a name twice; `value` is what was read from it."""
    if text.count(b":") == _names(value):
        return True
    try:
        _looker.decode(text.decode())
    except msgspec.DecodeError:
        return False
    return True


def _check_names(text: bytes | str, value: Any) -> None:
    # Each name has its colon. So if there are no more colons than names, none was lost, and that
    # costs a microsecond; the slow look is for who has colons in texts.
    if _count(text) != _names(value):
        _looker.decode(text if isinstance(text, str) else text.decode())


def _count(text: bytes | str) -> int:
    return text.count(":") if isinstance(text, str) else text.count(b":")


def _names(value: Any) -> int:
    """How many names all objects in `value` have."""
    names, left = 0, [value]
    for each in left:  # which grows meanwhile
        if type(each) is dict:
            names += len(each)
            left += each.values()
        elif type(each) is list:
            left += each
    return names


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise msgspec.DecodeError(f"an object has the name {name!r} twice")
        seen.add(name)


_looker: Final = json.JSONDecoder(object_pairs_hook=_once)
