"""How plans, steps and actions are named, and what the names stand for.

May import the standard library only.
"""

import re
import unicodedata
from typing import Final

_NAME: Final = re.compile(r"\w[\w.-]{0,99}\Z")
_WORD: Final = re.compile(r"[^\W\d_]+")
_ALIKE: Final = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE"})
"""Scripts whose letters are taken for one another."""
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters, as Unicode has them, that show nothing."""

NAME_RULE: Final = (
    "letters, digits, '_', '-' and '.', not more than 100, no '-' or '.' first, and each word in "
    "the plain letters of one alphabet"
)


def is_name(text: str) -> bool:
    """Whether `text` can name a plan, a step or a part of a task's name (`NAME_RULE`)."""
    if _NAME.match(text) is None:
        return False
    return text.isascii() or not _can_be_mistaken(text)


def _can_be_mistaken(text: str) -> bool:
    """Whether it has letters that are shown as others are, or not at all: `hello` with a Cyrillic
    e, `ﬁle` with a ligature.
    """
    if unicodedata.normalize("NFKC", text) != text or not _UNSEEN.isdisjoint(text):
        return True
    return any(len(_ALIKE & _scripts(word)) > 1 for word in _WORD.findall(text))


def _scripts(word: str) -> set[str]:
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in word}


def plan_of_package(package_name: str) -> str:
    """The plan that a package of the earlier layout is: `@plans/hello` is `hello`."""
    return package_name.rsplit("/", 1)[-1]


def split_action(reference: str) -> tuple[str | None, str]:
    """The plan (None: the task's own, or built in) and the name of an action.

    `hello/greet` and `author/hello/greet` are `greet` of the plan `hello`.
    """
    plan, slash, name = reference.rpartition("/")
    return (plan_of_package(plan), name) if slash else (None, name)
