"""Run the tests: make `.venv-dev` when needed, then hand every option to pytest.

Tests run in twice as many processes as there are cores, unless an option says otherwise (`-n 0`).

Imports the standard library and `environment` only.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over

PARALLEL = ("-n", str(2 * (os.cpu_count() or 1)), "--dist", "worksteal")
"""Many tests wait for something, so twice as many as there are cores keep these busy. Each
process keeps to folders of its own, whose tests share servers, and at last helps another.
"""


def main(options: Sequence[str]) -> None:
    """Become pytest with `options`, in the root of the repository."""
    DEVELOPMENT.prepare()
    os.chdir(REPOSITORY)
    hand_over([str(DEVELOPMENT.python), "-m", "pytest", *PARALLEL, *options])


if __name__ == "__main__":
    main(sys.argv[1:])
