"""Places in a file.

May import the standard library only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; both count from 1."""

    line: int
    column: int
