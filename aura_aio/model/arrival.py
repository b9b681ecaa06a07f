"""Texts that stand between two others: where a run goes that is moved between its neighbours.

May import the standard library only. Pure.
"""

from typing import Final

_LETTERS: Final = "-0123456789abcdefghijklmnopqrstuvwxyz"
"""In the order of their bytes; those of a cid, and more."""
_FIRST, _LAST = _LETTERS[0], len(_LETTERS)


def between(before: str, after: str | None) -> str:
    """A text that sorts after `before`, and before `after`; without that, before every text that
    is not made from `before`: so what arrives later comes behind it.

    Both are cids or what this function gave (so neither ends in `-`), `before` may be empty.
    """
    if after is None:
        return before + _LETTERS[_LAST // 2]
    same = 0
    while after[same] == (before[same] if same < len(before) else _FIRST):
        same += 1
    low = _LETTERS.index(before[same]) if same < len(before) else 0
    high = _LETTERS.index(after[same])
    head = after[:same]
    if high - low > 1:
        return head + _LETTERS[(low + high) // 2]
    if len(after) > same + 1:
        return after[: same + 1]
    return head + _LETTERS[low] + _above(before[same + 1 :])


def _above(before: str) -> str:
    """A text that sorts after `before`."""
    low = _LETTERS.index(before[0]) if before else 0
    if _LAST - low > 1:
        return _LETTERS[(low + _LAST) // 2]
    return before[0] + _above(before[1:])
