"""Check everything that can be checked without running the server; CI runs exactly this.

Imports the standard library and `environment` only.
"""

import os
import subprocess
import sys
import time

from environment import DEVELOPMENT, REPOSITORY

_PYTHON = str(DEVELOPMENT.python)
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"

CHECKS = {
    "ruff check": [_PYTHON, "-m", "ruff", "check"],
    "ruff format": [_PYTHON, "-m", "ruff", "format", "--check"],
    "mypy": [_PYTHON, "-m", "mypy"],
    "import-linter": [_PYTHON, "-c", _LINT_IMPORTS, "--no-logo"],
    "OpenAPI 3.1": [_PYTHON, "-m", "openapi_spec_validator", "openapi.yaml"],
    "spec lint": [sys.executable, str(REPOSITORY / "scripts" / "spec_lint.py")],
}


def main() -> int:
    """Run every check, also after one has failed; the answer is 1 when any has, else 0."""
    DEVELOPMENT.prepare()
    os.chdir(REPOSITORY)
    os.environ["PYTHONUTF8"] = "1"  # the tools print frames and ticks, also on a Windows console
    summary = []
    failed = False
    for name, command in CHECKS.items():
        print(f"\n── {name}", flush=True)
        start = time.monotonic()
        passed = subprocess.run(command, check=False).returncode == 0
        failed = failed or not passed
        seconds = time.monotonic() - start
        summary.append(f"{name:<14} {'passed' if passed else 'FAILED':<7} {seconds:6.1f} s")
    print("\n── summary", *summary, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
