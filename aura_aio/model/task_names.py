"""The names by which tasks are called.

May import the standard library only.
"""

from typing import Final

_CANONICAL: Final = "tasks:"
_EXTENSION: Final = ".yaml"


def task_name(reference: str) -> str:
    """The name of a task within its plan: `tasks:reports:daily.yaml` is `reports/daily`, and
    `tasks:auth.yaml:logout` is `auth/logout`; anything else is returned as it is.
    """
    if not reference.startswith(_CANONICAL):
        return reference
    parts = reference.removeprefix(_CANONICAL).split(":")
    files = [index for index, part in enumerate(parts) if part.endswith(_EXTENSION)]
    if len(files) != 1 or len(parts) - files[0] > 2:
        return reference
    parts[files[0]] = parts[files[0]].removesuffix(_EXTENSION)
    return "/".join(parts)
