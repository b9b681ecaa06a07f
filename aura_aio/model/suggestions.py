"""Names that somebody may have meant who wrote another one.

May import the standard library only.
"""

from collections.abc import Iterable, Sequence
from typing import Final

MAX_COMPARED: Final = 200


def did_you_mean(name: str, known: Iterable[str], *, most: int = 10) -> str:
    """A sentence, with a leading space, that suggests close names, or lists what there is.

    Empty when nothing is known. At the most `most` names are listed.
    """
    names = sorted(known)
    close = close_names(name, names)
    if close:
        return " Did you mean " + " or ".join(repr(each) for each in close) + "?"
    if not names:
        return ""
    shown = ", ".join(repr(each) for each in names[:most])
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return f" There is: {shown}{more}."


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the `known` names that `name` may have been meant to be, the closest first."""
    from difflib import get_close_matches  # noqa: PLC0415 - most names are right

    return get_close_matches(name, _comparable(name, sorted(known)), n=3, cutoff=0.6)


def _comparable(name: str, names: Sequence[str]) -> Sequence[str]:
    """The names to compare with: comparing takes 4 µs each, and 40 µs where they are much alike."""
    if len(name) > MAX_COMPARED:
        return ()
    if len(names) > MAX_COMPARED:
        names = [each for each in names if each[:1] == name[:1]]
    return names[:MAX_COMPARED]
