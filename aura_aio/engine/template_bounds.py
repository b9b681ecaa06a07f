"""How much a template may do: what it makes is checked before it is made, what it does is counted.

May import jinja2, the standard library, run_settings and `engine.template_weights`.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, Final, NamedTuple

from jinja2.exceptions import SecurityError

from aura_aio.engine.template_weights import too_large, weigh
from aura_aio.run_settings import RunSettings

MAX_SIZE: Final = 16 * 1024 * 1024
"""Characters of a text, or elements of one list."""
MAX_SHOWN: Final = 4 * 1024 * 1024
"""Characters of a text that is made of a structure."""
MAX_WIDTH: Final = 100_000
"""Of padding, indentation, columns; characters of a format."""
MAX_BITS: Final = 4096
"""Of a whole number."""
MAX_TURNS: Final = 100_000
"""Of all loops of a rendering together."""
WORK_PER_SEC: Final = 40_000_000
"""Units of work of a rendering for each second that it may take; one takes some 25 ns."""
USUAL_SECONDS: Final = RunSettings().template_timeout_sec
"""Of a rendering, so that what began shortly before its end is over within a second, too."""

TURN: Final = 60
"""Units of work of a turn of a loop, a call, or an element that a filter makes."""
JOINED: Final = 6
"""Units of work of each element that is joined."""
_SPEC: Final = re.compile(r"%(?:\([^)]{0,200}\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?")
_LONG_KEY: Final = re.compile(r"%\([^)]{201}")


class Clocks(NamedTuple):
    """What the time of a rendering is taken by, in seconds.

    Only that of the processor counts: a template waits for nothing, so whatever else passes was
    taken from it, by a busy or a halted machine. It costs ten times as much to ask for, and cannot
    be over before as much of the other one is.
    """

    monotonic: Callable[[], float] = time.monotonic
    processor: Callable[[], float] = time.thread_time


CLOCKS: Final = Clocks()
"""The machine's."""


class Budget:
    """What one rendering may still use; the methods but `begin` count what is done, or about to be.

    Raises (from all of these):
        SecurityError: it was too much, or took too long.
    """

    __slots__ = ("_began", "_clocks", "_look_again", "_most_work", "_seconds", "_turns", "_work")

    def __init__(self) -> None:
        self._clocks: Clocks | None = None
        self._seconds = self._began = self._look_again = self._most_work = 0.0
        self._turns = 0
        self._work = 0

    def begin(self, clocks: Clocks, seconds: float) -> None:
        """Let the time run, if it does not yet: so many seconds of a processor, with the work of as
        many.
        """
        if self._clocks is None:
            self._clocks = clocks
            self._seconds = seconds
            self._began = clocks.processor()
            self._look_again = clocks.monotonic() + seconds
            self._most_work = seconds * WORK_PER_SEC

    def turn(self) -> None:
        """A turn of a loop, or a call of a macro."""
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise SecurityError(f"The template loops more than {MAX_TURNS:,} times.")
        self.spend(TURN)

    def spend(self, units: int) -> None:
        """So many units of work."""
        self._work += units
        if self._work > self._most_work:
            raise SecurityError(
                "The template does too much (template_timeout_sec): let an action do it."
            )
        if self._clocks is None or self._clocks.monotonic() > self._look_again:
            self._check_time(self._clocks)

    def _check_time(self, clocks: Clocks | None) -> None:
        left = self._seconds - (clocks.processor() - self._began) if clocks else 0.0
        if clocks is None or left <= 0:
            raise SecurityError(
                f"The template takes longer than {self._seconds:g} s (template_timeout_sec)."
            )
        self._look_again = clocks.monotonic() + left

    def made(self, value: Any) -> Any:
        """`value`, which was just made, if it is not too large; of an iterator, each element is
        counted when it is taken.
        """
        if isinstance(value, str):
            self.spend(TURN + len(value) // 2)
        elif isinstance(value, int):
            check_number(value)
        elif isinstance(value, (list, tuple, dict)):
            self.spend(TURN + len(value))
        elif isinstance(value, Iterator):
            return self._each(value)
        return value

    def _each(self, values: Iterator[Any]) -> Iterator[Any]:
        spend = self.spend
        for value in values:
            spend(TURN + len(value) if type(value) is list else TURN)
            yield value


def check_size(size: int, what: str = "a text") -> None:
    """Refuse a text of `size` characters, or a list of so many elements, if that is too many."""
    if size > MAX_SIZE:
        raise too_large(what)


def check_width(width: object) -> None:
    """Refuse a number of columns that is too large."""
    if isinstance(width, int) and abs(width) > MAX_WIDTH:
        raise SecurityError(f"The template asks for a width above {MAX_WIDTH:,}.")


def check_number(value: Any) -> None:
    """Refuse a whole number that is too large."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise too_large("a number")


def bounded_range(*args: int) -> range:
    """`range(*args)`, if that is not too long."""
    numbers = range(*args)
    try:
        length = len(numbers)
    except OverflowError:
        length = MAX_TURNS + 1
    if length > MAX_TURNS:
        raise too_large("a range")
    return numbers


def text_of(value: Any) -> str:
    """`value` as text, if that is not too large."""
    if isinstance(value, (list, tuple, dict)):
        weight = weigh(value)
        if weight.values + weight.characters > MAX_SHOWN:
            raise too_large("a text")
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


def formatted(text: str, values: Any) -> str:
    """`text % values`, if that is not too large."""
    check_width(len(text))
    if _LONG_KEY.search(text):
        raise SecurityError("The template formats by a name that is too long.")
    specs = _SPEC.findall(text)
    size = len(text)
    for number in (number for spec in specs for number in spec if number):
        if number == "*" or len(number) > 5:
            raise SecurityError("The template formats with a width that is too large.")
        size += int(number)
    if isinstance(values, tuple):
        weight = sum(_characters(value) for value in values)
    elif isinstance(values, dict):
        weight = len(specs) * max(map(_characters, values.values()), default=0)
    else:
        weight = len(specs) * _characters(values)
    check_size(size + weight)
    return str(text % values)


def _characters(value: Any) -> int:
    weight = weigh(value)
    return weight.values + weight.characters


def check_add(left: Any, right: Any) -> None:
    """Refuse `left + right` if it is too large."""
    if isinstance(left, str) and isinstance(right, str):
        check_size(len(left) + len(right))
    elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        check_size(weigh(left).values + weigh(right).values, "a list")


def check_multiply(left: Any, right: Any) -> None:
    """Refuse `left * right` if it is too large."""
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MAX_BITS:
            raise too_large("a number")
    elif isinstance(left, int):
        check_multiply(right, left)
    elif isinstance(right, int) and isinstance(left, str):
        check_size(len(left) * max(0, right))
    elif isinstance(right, int) and isinstance(left, (list, tuple)):
        check_size(weigh(left).values * max(0, right), "a list")


def check_power(left: Any, right: Any) -> None:
    """Refuse `left ** right` if it is too large."""
    if isinstance(left, int) and isinstance(right, int):
        bits = max(1, left.bit_length()) * max(0, right)
        if bits > MAX_BITS:
            raise too_large("a number")


def check_numbers(left: Any, right: Any) -> None:
    """Refuse an operator on whole numbers that are too large."""
    check_number(left)
    check_number(right)


def call_text_method(
    budget: Budget, method: Callable[..., Any], args: Sequence[Any], more: Mapping[str, Any]
) -> Any:
    """What a method of a text gives, if that is not too large."""
    text: str = method.__self__  # type: ignore[attr-defined]
    match method.__name__:
        case "center" | "ljust" | "rjust" | "zfill":
            check_width(args[0] if args else 0)
        case "replace" if len(args) >= 2 and not more:
            return replaced(text, *args[:3])
        case "join" if len(args) == 1:
            if isinstance(args[0], Sized):
                budget.spend(JOINED * len(args[0]))
            return joined(args[0], text)
        case _:
            pass
    return method(*args, **more)
