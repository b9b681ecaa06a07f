"""Write the reference that is made from the program: commands, settings, actions, task files.

Imports the standard library and `environment`; the pages come from `aura_aio.cli.reference`.
"""

import subprocess
import sys

from environment import DEVELOPMENT, REPOSITORY

_WRITE = """
from pathlib import Path
from aura_aio.cli.reference import pages
for path, text in pages().items():
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8", newline="\\n")
    print("written:", path)
"""


def main() -> int:
    """Write every page; the answer is the exit code."""
    DEVELOPMENT.prepare()
    command = [str(DEVELOPMENT.python), "-c", _WRITE]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
