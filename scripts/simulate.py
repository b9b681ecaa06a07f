"""Simulate many hosts on one database: make `.venv-dev` when needed, then hand every option over.

Imports the standard library and `environment` only.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over


def main(options: Sequence[str]) -> None:
    """Become the simulation with `options`."""
    DEVELOPMENT.prepare()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY / "scripts"), str(REPOSITORY)])
    hand_over([str(DEVELOPMENT.python), "-m", "simulation", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
