"""Check everything that can be checked without running the server; CI runs exactly this.

Imports the standard library and `environment` only.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from environment import DEVELOPMENT, REPOSITORY

_PYTHON = str(DEVELOPMENT.python)
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"

CHECKS = {
    "ruff check": [_PYTHON, "-m", "ruff", "check"],
    "ruff format": [_PYTHON, "-m", "ruff", "format", "--check"],
    "mypy": [_PYTHON, "-m", "mypy"],
    # What ships, from medium on; of what is less ruff's rules S say the same.
    "bandit": [_PYTHON, "-m", "bandit", "--quiet", "-ll", "-ii", "--recursive", "aura_aio"],
    "import-linter": [_PYTHON, "-c", _LINT_IMPORTS, "--no-logo"],
    "OpenAPI 3.1": [_PYTHON, "-m", "openapi_spec_validator", "openapi.yaml"],
    # Every test can be found; and what pytest makes of their modules is kept, so that the processes
    # of the test run do not each make it.
    "collect tests": [_PYTHON, "-m", "pytest", "--collect-only", "-qq", "-n", "0"],
    "spec lint": [sys.executable, str(REPOSITORY / "scripts" / "spec_lint.py")],
    "page types": [sys.executable, str(REPOSITORY / "scripts" / "page_types.py")],
}


class Done(NamedTuple):
    """A check that has come to its end."""

    name: str
    passed: bool
    seconds: float
    told: bytes


def main() -> int:
    """Run every check, also after one has failed; the answer is 1 when any has, else 0."""
    DEVELOPMENT.prepare()
    os.chdir(REPOSITORY)
    os.environ["PYTHONUTF8"] = "1"  # the tools print frames and ticks, also on a Windows console
    summary = []
    failed = False
    # One takes as long as all the others, and keeps a single processor busy: they run beside it.
    with ThreadPoolExecutor(len(CHECKS)) as running:
        for done in running.map(_check, CHECKS):
            print(f"\n── {done.name}", flush=True)
            sys.stdout.buffer.write(done.told)
            failed = failed or not done.passed
            verdict = "passed" if done.passed else "FAILED"
            summary.append(f"{done.name:<14} {verdict:<7} {done.seconds:6.1f} s")
    print("\n── summary", *summary, sep="\n")
    return int(failed)


def _check(name: str) -> Done:
    start = time.monotonic()
    done = subprocess.run(
        CHECKS[name], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return Done(name, done.returncode == 0, time.monotonic() - start, done.stdout)


if __name__ == "__main__":
    sys.exit(main())
