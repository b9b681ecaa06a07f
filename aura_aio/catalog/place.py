"""A cursor on a document that reads typed values and collects what is wrong with them.

May import model, the standard library, and of `catalog` `document` and `marks`.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from aura_aio.catalog.marks import Mark
from aura_aio.model.plan import LoadError
from aura_aio.model.suggestions import close_names, did_you_mean

if TYPE_CHECKING:  # workers, which read no documents, come up sooner without YAML
    from aura_aio.catalog.document import Node

MAX_SECONDS: Final = 366 * 86_400.0
MAX_FAULTS: Final = 100
MAX_MESSAGE: Final = 1000
MAX_PATH: Final = 300
_MAX_NUMBER: Final = 10**300


class Faults:
    """What was found wrong in one file, or in a part of it; at the most `most` faults are kept."""

    def __init__(self, file: str, *, most: int = MAX_FAULTS) -> None:
        self.file = file
        self._most = most
        self._found: dict[LoadError, None] = {}

    def add(self, message: str, mark: Mark | None = None, path: str | None = None) -> None:
        """Keep a fault at `mark`, and at `path` in the document."""
        self._keep(
            LoadError(
                file=self.file,
                message=_cut(message, MAX_MESSAGE),
                line=mark.line if mark else None,
                column=mark.column if mark else None,
                path=_cut(path, MAX_PATH) if path else None,
            )
        )

    def extend(self, other: "Faults") -> None:
        """Keep what was found in a part, too."""
        for fault in other.in_order():
            self._keep(fault)

    @property
    def full(self) -> bool:
        """Whether looking on is in vain, since no more faults are kept."""
        return len(self._found) > self._most

    def __len__(self) -> int:
        return len(self._found)

    def in_order(self) -> list[LoadError]:
        """The faults by the place in the file."""
        return sorted(self._found, key=lambda fault: (fault.line or 0, fault.column or 0))

    def _keep(self, fault: LoadError) -> None:
        if len(self._found) == self._most:
            message = f"More is wrong from here on: mend the first {self._most} faults."
            fault = replace(fault, message=message)
        if not self.full:
            self._found[fault] = None


class Place:
    """A value in a document. A value of the wrong type is a fault, and reads as None or empty."""

    __slots__ = ("_faults", "_meant", "node", "path")

    def __init__(self, node: "Node", faults: Faults, path: str = "") -> None:
        self.node = node
        self.path = path
        self._faults = faults
        self._meant: set[str] = set()

    @property
    def value(self) -> Any:
        """The value as plain data."""
        return self.node.plain()

    @property
    def is_hopeless(self) -> bool:
        """Whether so much is wrong already that no more faults are kept."""
        return self._faults.full

    def fault(self, message: str) -> None:
        """Note that something is wrong with this value."""
        self._faults.add(message, self.node.mark, self.path)

    def fault_at_key(self, key: str, message: str) -> None:
        """Note that something is wrong with a key of this mapping."""
        self._faults.add(message, self.node.keys[key], self._below(key))

    def lacks(self, keys: str | Collection[str], message: str) -> None:
        """Note that this mapping has none of `keys`, unless one that `fields` has found unknown may
        be it, or it is no mapping: then that has been said, and one mistake is one fault.
        """
        wanted = {keys} if isinstance(keys, str) else set(keys)
        if self.is_mapping() and not wanted & self._meant:
            self.fault(message)

    def moved_to(self, faults: Faults) -> "Place":
        """The same place, whose faults are collected elsewhere."""
        return Place(self.node, faults, self.path)

    def is_mapping(self) -> bool:
        """Whether there are keys."""
        return isinstance(self.node.value, dict)

    def is_list(self) -> bool:
        """Whether there are elements."""
        return isinstance(self.node.value, list)

    def is_text(self) -> bool:
        """Whether it is text."""
        return isinstance(self.node.value, str)

    def entries(self, expected: str = "a mapping") -> dict[str, "Place"]:
        """What stands under each key."""
        if not isinstance(self.node.value, dict):
            self.expected(expected)
            return {}
        for key, mark in self.node.repeated:
            self._faults.add(f"The key {key!r} is given twice.", mark, self._below(key))
        return {
            key: Place(node, self._faults, self._below(key))
            for key, node in self.node.value.items()
        }

    def fields(
        self,
        known: Iterable[str],
        *,
        expected: str = "a mapping",
        elsewhere: Mapping[str, str] | None = None,
    ) -> dict[str, "Place"]:
        """What stands under each key that is not null; keys must be `known`.

        `elsewhere` says under which key a word belongs that is known, but not here.
        """
        allowed = set(known)
        entries = self.entries(expected)
        for key in [each for each in entries if each not in allowed]:
            if elsewhere and key in elsewhere:
                self.fault_at_key(key, f"{key!r} belongs under {elsewhere[key]!r}.")
            else:
                self._meant.update(close_names(key, allowed))
                self.fault_at_key(key, f"{key!r} is not known here.{did_you_mean(key, allowed)}")
        return {
            key: place
            for key, place in entries.items()
            if key in allowed and place.node.value is not None
        }

    def items(self, expected: str = "a list") -> list["Place"]:
        """The elements of a list."""
        if not isinstance(self.node.value, list):
            self.expected(expected)
            return []
        return [
            Place(node, self._faults, f"{self.path}[{index}]")
            for index, node in enumerate(self.node.value)
        ]

    def text(self, expected: str = "text") -> str | None:
        """A text that is not empty."""
        value = self.node.value
        if isinstance(value, str) and value.strip():
            return value
        self.expected(expected)
        return None

    def texts(self, expected: str = "a text or a list of texts") -> tuple[str, ...]:
        """A list of texts; a single text stands for a list of one."""
        places = [self] if self.is_text() else self.items(expected)
        return tuple(filter(None, (place.text(expected) for place in places)))

    def boolean(self) -> bool | None:
        """True or false."""
        value = self.node.value
        if isinstance(value, bool):
            return value
        self.expected("true or false")
        return None

    def integer(self, *, minimum: int) -> int | None:
        """A whole number that is not below `minimum`."""
        value = self.node.value
        if isinstance(value, int) and not isinstance(value, bool) and value >= minimum:
            return value
        self.expected(f"a whole number, at least {minimum}")
        return None

    def number(self, *, minimum: float = -math.inf) -> float | None:
        """A number that is not below `minimum`."""
        number = self._number()
        if number is not None and number >= minimum:
            return number
        self.expected("a number" if minimum == -math.inf else f"a number, at least {minimum:g}")
        return None

    def seconds(self, *, zero: bool) -> float | None:
        """A duration in seconds, of at the most a year; `zero` if none at all is fine too."""
        number = self._number()
        if number is not None and number > MAX_SECONDS:
            self.fault(f"{self.node.value} seconds are more than a year.")
            return None
        if number is not None and (number > 0 or (zero and number == 0)):
            return number
        self.expected(f"a number of seconds, {'not below' if zero else 'above'} 0")
        return None

    def choice(self, known: Iterable[str]) -> str | None:
        """One of the words in `known`."""
        words = list(known)
        if self.node.value in words:
            return str(self.node.value)
        self.expected("one of " + ", ".join(words))
        return None

    def expected(self, expected: str) -> None:
        """Note that `expected` should stand here."""
        if self.node.value is None:
            self.fault(f"Expected {expected}, but nothing stands here.")
        else:
            self.fault(f"Expected {expected}, not {describe(self.node.value)}.")

    def _number(self) -> float | None:
        value = self.node.value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value) if abs(value) < _MAX_NUMBER else None
        return None

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def describe(value: object) -> str:
    """What a value is, for the end of a sentence: `the text 'x'`, `a list`."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            shown = value if len(value) <= 60 else value[:60] + "…"
            return f"the text {shown!r}"
        case dict():
            return "a mapping"
        case _:
            return "a list"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
