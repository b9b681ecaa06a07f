"""The audit of dependencies says what was found, and what could not be looked up.

Imports pytest and the script; what pip-audit answers is played here, as it needs the network.
"""

import json
import sys
from pathlib import Path
from typing import Any

import audit_dependencies
import pytest

BAD = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
GOOD = {"name": "b", "version": "1", "vulns": []}
SKIPPED = {"name": "c", "skip_reason": "not found"}


class Auditor:
    """An environment whose pip-audit answers so."""

    def __init__(self, python: Path) -> None:
        self.python = python

    def prepare(self) -> None:
        """It is there."""


@pytest.mark.skipif(sys.platform == "win32", reason="a script there is no program")
@pytest.mark.parametrize(
    ("packages", "ends", "code", "said"),
    [
        ([GOOD], 0, 0, "1 packages looked up, 0 vulnerabilities; 0 NOT looked up."),
        ([GOOD, BAD], 1, 1, "a 1: CVE-1, mended in 2"),
        ([SKIPPED], 0, 0, "0 packages looked up, 0 vulnerabilities; 1 NOT looked up."),
        (None, 2, 0, "was NOT looked up: the service of vulnerabilities does not answer."),
    ],
)
def test_what_is_said(
    packages: list[Any] | None,
    ends: int,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    python = tmp_path / "python"
    answer = "" if packages is None else json.dumps({"dependencies": packages})
    lines = f"#!{sys.executable}", "import sys", f"print({answer!r})", f"sys.exit({ends})"
    python.write_text("\n".join(lines), "utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(audit_dependencies, "AUDITOR", Auditor(python))
    assert audit_dependencies.main([tmp_path / "pins.txt"]) == code
    assert said in capsys.readouterr().out
