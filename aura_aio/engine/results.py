"""What actions and `returns` give, as JSON.

May import msgspec, model.json, run_settings and `engine.failures`.
"""

import os
from typing import Any, Final

import msgspec

from aura_aio.engine.failures import ResultNotJson
from aura_aio.model import json
from aura_aio.run_settings import RunSettings

_MOST_BYTES: Final = RunSettings().max_result_bytes

_SCALARS: Final = frozenset({str, int, bool, type(None)})


def to_json(value: Any, what: str, most_bytes: int = _MOST_BYTES) -> bytes:
    """`value` as JSON text; `what` it is stands in the message.

    Raises:
        ResultNotJson: something in it has no JSON form, or it is longer than `most_bytes`.
    """
    try:
        text = _encoder.encode(value)
    except RecursionError as error:
        raise ResultNotJson(f"{what} is nested too deeply, or contains itself.") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise ResultNotJson(f"{what} cannot be written as JSON: {error}") from error
    if len(text) > most_bytes:
        raise ResultNotJson(
            f"{what} has {len(text):,} bytes of JSON, and {most_bytes:,} are allowed "
            "(max_result_bytes): write it into a file, and give its name."
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
