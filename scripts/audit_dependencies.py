"""Look every pinned package up among known vulnerabilities, with pip-audit in its own environment.

Imports the standard library and `environment` only. The exit code is 1 when one is known, and 0
when none is, or when nothing could be looked up: that is said, and is no result.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from environment import REPOSITORY, Environment

_OWN = REPOSITORY / "scripts" / "audit"
_PINS = (
    REPOSITORY / "constraints.txt",
    REPOSITORY / "scripts" / "sdks" / "constraints.txt",
    _OWN / "constraints.txt",
)
_FOUND, _NOTHING_FOUND = 1, 0

AUDITOR = Environment(REPOSITORY / ".venv-audit", ["pip-audit"], _OWN / "constraints.txt")


def main(files: Sequence[Path] = _PINS) -> int:
    """Look up what is pinned in `files`."""
    AUDITOR.prepare()
    known, unknown, looked_up = [], 0, 0
    for file in files:
        done = subprocess.run(_command(file), capture_output=True, encoding="utf-8", check=False)
        if done.returncode not in (_FOUND, _NOTHING_FOUND) or not done.stdout.strip():
            print(done.stderr.strip()[-500:])
            print(f"{file.name} was NOT looked up: the service of vulnerabilities does not answer.")
            continue
        for package in json.loads(done.stdout)["dependencies"]:
            unknown += "skip_reason" in package
            looked_up += "skip_reason" not in package
            known += [_told(package, each) for each in package.get("vulns", ())]
    print(*known, sep="\n", end="\n" if known else "")
    print(f"{looked_up} packages looked up, {len(known)} vulnerabilities; {unknown} NOT looked up.")
    return int(bool(known))


def _command(file: Path) -> list[str]:
    options = ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    return [str(AUDITOR.python), "-m", "pip_audit", *options, "--requirement", str(file)]


def _told(package: dict[str, Any], found: dict[str, Any]) -> str:
    fixed = ", ".join(found["fix_versions"]) or "no version yet"
    return f"{package['name']} {package['version']}: {found['id']}, mended in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
