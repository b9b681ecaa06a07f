"""Change the Scheduler and the Store a little, thousands of times, and see whether a test notices.

Options and names go to mutmut: `python scripts/mutate.py run "aura_aio.store.*"`. What is changed
and which tests look stands in pyproject.toml, `[tool.mutmut]`; results are in `mutants/`.

Imports the standard library and `environment` only. Not on Windows, where mutmut does not run.
"""

import os
import sys
from collections.abc import Sequence

from environment import REPOSITORY, Environment, hand_over

MUTATION = Environment(REPOSITORY / ".venv-mutation", ["--editable", f"{REPOSITORY}[dev,mutation]"])


def main(options: Sequence[str]) -> None:
    """Become mutmut with `options`, or with `run`: what was tried before is not tried again."""
    MUTATION.prepare()
    os.chdir(REPOSITORY)
    hand_over([str(MUTATION.python), "-m", "mutmut", *(options or ["run"])])


if __name__ == "__main__":
    main(sys.argv[1:])
