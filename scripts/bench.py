"""Measure: make `.venv-dev` when needed, then hand every option to the benchmarks.

Imports the standard library and `environment` only.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over


def main(options: Sequence[str]) -> None:
    """Become the benchmarks with `options`."""
    DEVELOPMENT.prepare()
    os.environ["PYTHONPATH"] = str(REPOSITORY / "scripts")
    hand_over([str(DEVELOPMENT.python), "-m", "benchmarks", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
