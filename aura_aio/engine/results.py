"""What actions and `returns` give, as JSON.

May import msgspec, model.json and `engine.failures`.
"""

import os
from typing import Any, Final

import msgspec

from aura_aio.engine.failures import ResultNotJson
from aura_aio.model import json

MAX_RESULT_BYTES: Final = 16 * 1024 * 1024

_SCALARS: Final = frozenset({str, int, bool, type(None)})


def to_json(value: Any, what: str) -> bytes:
    """`value` as JSON text; `what` it is stands in the message.

    Raises:
        ResultNotJson: something in it has no JSON form, or it is longer than `MAX_RESULT_BYTES`.
    """
    try:
        text = _encoder.encode(value)
    except RecursionError as error:
        raise ResultNotJson(f"{what} is nested too deeply, or contains itself.") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise ResultNotJson(f"{what} cannot be written as JSON: {error}") from error
    if len(text) > MAX_RESULT_BYTES:
        raise ResultNotJson(
            f"{what} has {len(text):,} bytes of JSON, and {MAX_RESULT_BYTES:,} are allowed: write "
            "it into a file, and give its name."
        )
    return text


def as_stored(value: Any, text: bytes) -> Any:
    """What is read back from `text`, the JSON of `value`: what other steps see is the same whether
    the step ran just now, or before a crash.
    """
    return value if type(value) in _SCALARS else json.loads(text)


def _plain(value: Any) -> Any:
    for kind in (str, int, float):  # of numpy's numbers, for example, one is a float
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "model_dump"):  # a model of pydantic
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__} has no JSON form.")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)
