"""Regular expressions of plans: checked when a plan is loaded, bounded in time where they are used.

May import the standard library and regex only.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import regex

MAX_MATCH_SEC: Final = 0.05
"""How long one value may be compared with a pattern: that is done on the way of a request."""
MAX_REPEATS: Final = 100_000
"""How often a pattern may repeat a part, over all its counts: each is spelled out in memory."""

_COUNT: Final = re.compile(r"\{(\d*),?(\d*)\}")


class PatternTooSlow(Exception):
    """A text was compared with a pattern for longer than it may be."""


def pattern_fault(pattern: str) -> str | None:
    """What is wrong with a pattern; None if nothing is."""
    repeats = 1
    for count in _COUNT.finditer(pattern):
        digits = max(count.groups(), key=len)
        repeats *= int(digits[:7] or 1) or 1
    if repeats > MAX_REPEATS:
        return f"This regular expression repeats a part more than {MAX_REPEATS:,} times."
    import regex  # noqa: PLC0415 - few plans have patterns, and each start would pay for it

    try:
        regex.compile(pattern)
    except regex.error as error:
        return f"This is no regular expression: {error}."
    except RecursionError:
        return "This regular expression is nested too deeply."
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found somewhere in `text`.

    Raises:
        PatternTooSlow: that could not be told in `MAX_MATCH_SEC`.
    """
    try:
        return _compiled(pattern).search(text, timeout=MAX_MATCH_SEC) is not None
    except TimeoutError as error:
        raise PatternTooSlow from error


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    """Remembered: to ask `regex` for what it remembers takes longer than to search."""
    import regex  # noqa: PLC0415 - as above

    return regex.compile(pattern)
