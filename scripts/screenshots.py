"""Take pictures of the dashboard: make `.venv-dev` when needed, then hand every option on.

Imports the standard library and `environment` only.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over


def main(options: Sequence[str]) -> None:
    """Become the photographer with `options`."""
    DEVELOPMENT.prepare()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "scripts")])
    os.chdir(REPOSITORY)
    hand_over([str(DEVELOPMENT.python), "-m", "pictures", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
