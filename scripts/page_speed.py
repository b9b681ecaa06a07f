"""Measure the dashboard in a browser: make `.venv-dev` when needed, then hand every option on.

Imports the standard library and `environment` only.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over


def main(options: Sequence[str]) -> None:
    """Become what measures, with `options`."""
    DEVELOPMENT.prepare()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "scripts")])
    os.chdir(REPOSITORY)
    hand_over([str(DEVELOPMENT.python), "-m", "pagespeed", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
