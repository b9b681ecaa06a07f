"""What RQ's workers do.

Imports its neighbour `talk` only.
"""

from benchmarks.peers import talk


def noop() -> None:
    """Return at once."""


def say() -> None:
    """Tell that it has begun."""
    talk.ring()
