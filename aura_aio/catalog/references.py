"""How plans, steps and actions are named, and what the names stand for.

May import the standard library only.
"""

import re
from typing import Final

_NAME: Final = re.compile(r"\w[\w.-]{0,99}\Z")

NAME_RULE: Final = "letters, digits, '_', '-' and '.', not more than 100, and no '-' or '.' first"


def is_name(text: str) -> bool:
    """Whether `text` can name a plan, a step or a part of a task's name (`NAME_RULE`)."""
    return _NAME.match(text) is not None


def plan_of_package(package_name: str) -> str:
    """The plan that a package of the earlier layout is: `@plans/hello` is `hello`."""
    return package_name.rsplit("/", 1)[-1]


def split_action(reference: str) -> tuple[str | None, str]:
    """The plan (None: the task's own, or built in) and the name of an action.

    `hello/greet` and `author/hello/greet` are `greet` of the plan `hello`.
    """
    plan, slash, name = reference.rpartition("/")
    return (plan_of_package(plan), name) if slash else (None, name)
