"""How large what a template makes may get: checked before it is made.

May import jinja2 and the standard library only.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from jinja2.exceptions import SecurityError

MAX_SIZE: Final = 16 * 1024 * 1024
"""Characters of a text, or elements of one list."""
MAX_VALUES: Final = 2_000_000
"""Within a structure that a template makes, at all depths; what it holds twice counts twice."""
MAX_WIDTH: Final = 100_000
"""Of padding, indentation, columns."""
MAX_BITS: Final = 4096
"""Of a whole number."""
MAX_TURNS: Final = 250_000
"""Of all loops of a template together."""
MAX_SECONDS: Final = 1.0

_TURNS_PER_LOOK: Final = 64
_WIDE: Final = re.compile(r"%(\([^)]*\))?[^%a-zA-Z]*(\d{5}|\*)")


class Budget:
    """What one rendering may still use; called once in each turn of each loop."""

    __slots__ = ("_deadline", "_monotonic", "_turns")

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._deadline = monotonic() + MAX_SECONDS
        self._turns = 0

    def __call__(self) -> None:
        """Count a turn.

        Raises:
            SecurityError: there were too many, or they took too long.
        """
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise SecurityError(f"The template loops more than {MAX_TURNS:,} times.")
        if self._turns % _TURNS_PER_LOOK == 0 and self._monotonic() > self._deadline:
            raise SecurityError(f"The template takes longer than {MAX_SECONDS:g} s.")


def too_large(what: str) -> SecurityError:
    """The error for something that would become too large."""
    return SecurityError(f"The template makes {what} that is too large.")


def check_size(size: int, what: str = "a text") -> None:
    """Refuse a text of `size` characters, or a list of so many elements, if that is too many."""
    if size > MAX_SIZE:
        raise too_large(what)


def check_width(width: object) -> None:
    """Refuse a number of columns that is too large."""
    if isinstance(width, int) and abs(width) > MAX_WIDTH:
        raise SecurityError(f"The template asks for a width above {MAX_WIDTH:,}.")


def weigh(value: Any) -> int:
    """How long a text is, or how many values a structure holds.

    Raises:
        SecurityError: too many. A small structure that holds a part many times is told from its
            parts, without going through all of it.
    """
    return _weigh(value, {})


def _weigh(value: Any, known: dict[int, int]) -> int:
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, (list, tuple, Mapping)):
        return 1
    weight = known.get(id(value))
    if weight is None:
        parts = chain(value, value.values()) if isinstance(value, Mapping) else value
        weight = 1 + sum(1 if isinstance(part, str) else _weigh(part, known) for part in parts)
        known[id(value)] = weight
        if weight > MAX_VALUES:
            raise too_large("a value")
    return weight


def text_of(value: Any) -> str:
    """`value` as text, if that is not too large."""
    if isinstance(value, (list, tuple, Mapping)):
        weigh(value)
    return str(value)


def joined(values: Iterable[Any], separator: str = "") -> str:
    """The texts of `values` with `separator` between them, if that is not too large."""
    parts: list[str] = []
    size = 0
    for value in values:
        part = text_of(value)
        parts.append(part)
        size += len(part) + len(separator)
        check_size(size)
    return separator.join(parts)


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    """`text` with `new` in place of `old`, if that is not too large."""
    found = text.count(old) if count < 0 else min(count, text.count(old))
    check_size(len(text) + found * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def check_format(text: str, values: Any) -> None:
    """Refuse `text % values` if it is too large."""
    if _WIDE.search(text):
        raise SecurityError("The template formats with a width that is too large.")
    if isinstance(values, (tuple, list)):
        weight = sum(map(weigh, values))
    elif isinstance(values, Mapping):
        weight = text.count("%") * max(map(weigh, values.values()), default=0)
    else:
        weight = text.count("%") * weigh(values)
    check_size(len(text) + weight)


def check_add(left: Any, right: Any) -> None:
    """Refuse `left + right` if it is too large."""
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        check_size(len(left) + len(right))


def check_multiply(left: Any, right: Any) -> None:
    """Refuse `left * right` if it is too large."""
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MAX_BITS:
            raise too_large("a number")
    elif isinstance(left, Sequence) and isinstance(right, int):
        check_size(len(left) * max(0, right))
    elif isinstance(left, int) and isinstance(right, Sequence):
        check_size(max(0, left) * len(right))


def check_power(left: Any, right: Any) -> None:
    """Refuse `left ** right` if it is too large."""
    if isinstance(left, int) and isinstance(right, int):
        bits = max(1, left.bit_length()) * max(0, right)
        if bits > MAX_BITS:
            raise too_large("a number")


def check_modulo(left: Any, right: Any) -> None:
    """Refuse `left % right` if it formats to something too large."""
    if isinstance(left, str):
        check_format(left, right)


def call_method(method: Callable[..., Any], args: Sequence[Any]) -> None:
    """Refuse a call of a text's method whose result would be too large."""
    text: str = method.__self__  # type: ignore[attr-defined]
    match method.__name__:
        case "center" | "ljust" | "rjust" | "zfill":
            check_width(args[0] if args else 0)
        case "replace" if len(args) >= 2:
            replaced(text, *args[:3])
        case "join" if args:
            joined(args[0], text)
        case _:
            pass
