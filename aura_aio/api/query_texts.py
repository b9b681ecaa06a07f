"""Values as a query spells them: each is text.

May import the standard library only.
"""

import re
from collections.abc import Mapping
from typing import Final

_INTEGER: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}


def integer_of(text: str) -> int | None:
    """The whole number; None if it is none."""
    return int(text) if _INTEGER.fullmatch(text) else None


def number_of(text: str) -> float | None:
    """The number, which may be too large to be finite; None if it is none."""
    return float(text) if _NUMBER.fullmatch(text) else None


def flag_of(text: str) -> bool | None:
    """What `true`, `1`, `false` or `0` says; None for any other text."""
    return _FLAGS.get(text)
