"""How much values hold: what looking at them, or writing them out, would cost a template.

May import jinja2 and the standard library only.
"""

from collections.abc import Collection
from types import NoneType
from typing import Any, Final, NamedTuple

from jinja2.exceptions import SecurityError

MAX_VALUES: Final = 2_000_000
"""Within a structure that a template uses, at all depths; what it holds twice counts twice."""

_FEW: Final = 8
_FIXED: Final = frozenset({float, bool, NoneType})
_ALONE: Final = _FIXED | {int}
_FIXED_CHARACTERS: Final = 24
_BETWEEN: Final = 4


class Weight(NamedTuple):
    """How much a value holds, itself included; characters are about those of its text."""

    values: int
    characters: int

    @property
    def units(self) -> int:
        """Units of work of looking at all of it."""
        return self.values + self.characters // 16


def too_large(what: str) -> SecurityError:
    """The error for something that is or would become too large."""
    return SecurityError(f"The template makes {what} that is too large.")


def weigh(value: Any) -> Weight:
    """How much `value` holds.

    Raises:
        SecurityError: too many values. A small structure that holds a part many times is told from
            its parts, without going through all of it.
    """
    if isinstance(value, (list, tuple, dict)):
        return Weight(*_weigh(value, {}))
    return Weight(1, _length(value))


def _weigh(value: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """(values, characters) of a list, tuple or dict; those that are `known` are not looked into."""
    found = known.get(id(value))
    if found is not None:
        return found
    if len(value) > MAX_VALUES:
        raise too_large("a value")
    if isinstance(value, dict):
        values, characters = _weigh_all(value.values(), known)
        values += len(value)
        characters += sum(map(_length, value))
    else:
        values, characters = _weigh_all(value, known)
    if values > MAX_VALUES:
        raise too_large("a value")
    known[id(value)] = values, characters
    return values, characters


def _weigh_all(inner: Collection[Any], known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    count = len(inner)
    values, characters = 1 + count, 2 + _BETWEEN * count
    if count > _FEW:  # those that are alike are weighed in a fraction of the time
        kinds = set(map(type, inner))
        if kinds == {str}:
            return values, characters + sum(map(len, inner))
        if kinds == {int}:
            return values, characters + count * max(_digits(max(inner)), _digits(min(inner)))
        if kinds <= _FIXED:
            return values, characters + count * _FIXED_CHARACTERS
    for each in inner:
        kind = type(each)
        if kind is str:
            characters += len(each)
        elif kind in _ALONE or not isinstance(each, (list, tuple, dict)):
            characters += _length(each)
        else:
            more = _weigh(each, known)
            values += more[0]
            characters += more[1]
    return values, characters


def _length(value: Any) -> int:
    """About how many characters a text, a number, or anything has that is no structure."""
    if isinstance(value, str):
        return len(value)
    return _digits(value) if isinstance(value, int) else _FIXED_CHARACTERS


def _digits(number: int) -> int:
    return number.bit_length() // 3 + 2
