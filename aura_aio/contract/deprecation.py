"""Since when an operation is deprecated, and until when it is there; what must hold of that.

May import the standard library, msgspec and the rest of `contract` only.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from aura_aio.contract.references import Json

DEPRECATED: Final = "deprecated"
DEPRECATED_AT: Final = "x-deprecated-at"
SUNSET: Final = "x-sunset"

Fault = tuple[str, str]


class Deprecation(msgspec.Struct, frozen=True):
    """That an operation will go: announced at a time, and gone at another, if that is known."""

    at: datetime
    sunset: datetime | None


def deprecation_of(operation: Json) -> Deprecation | None:
    """The deprecation of an operation that has passed the checks; None when it stays."""
    if not operation.get(DEPRECATED, False):
        return None
    return Deprecation(
        at=datetime.fromisoformat(operation[DEPRECATED_AT]), sunset=_time(operation.get(SUNSET))
    )


def deprecation_faults(place: str, operation: Json) -> Iterator[Fault]:
    """Every fault of one operation, as (place, message)."""
    if operation.get(DEPRECATED, True) is not True:
        yield place, f"{DEPRECATED} is true or absent"
    elif DEPRECATED in operation and DEPRECATED_AT not in operation:
        yield place, f"is {DEPRECATED}, but {DEPRECATED_AT} does not say since when"
    times = {word: operation[word] for word in (DEPRECATED_AT, SUNSET) if word in operation}
    for word, text in times.items():
        if DEPRECATED not in operation:
            yield place, f"has {word}, but is not {DEPRECATED}"
        elif _time(text) is None:
            yield place, f"{word} is no time like '2027-01-31T00:00:00Z': {text!r}"
    at, sunset = (_time(times.get(word)) for word in (DEPRECATED_AT, SUNSET))
    if at is not None and sunset is not None and sunset <= at:
        yield place, f"{SUNSET} is not after {DEPRECATED_AT}"


def _time(text: object) -> datetime | None:
    """The moment; None when it is none, or leaves open in which time zone."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
