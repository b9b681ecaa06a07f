"""Run the tests: make `.venv-dev` when needed, then hand every option to pytest.

Imports the standard library and `environment` only.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over


def main(options: Sequence[str]) -> None:
    """Become pytest with `options`, in the root of the repository."""
    DEVELOPMENT.prepare()
    os.chdir(REPOSITORY)
    hand_over([str(DEVELOPMENT.python), "-m", "pytest", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
