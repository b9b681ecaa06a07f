"""The fixtures as pytest gives them to the tests of a plan, in sessions of pytest of their own.

Imports pytest and tests/programs.py; what is under test runs in processes of its own.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.programs import REPOSITORY, WITHOUT_OURS

TASK = """
meta: {inputs: [{name: url, type: string, default: "https://api.example/"}]}
steps:
  wait: {action: sleep, params: {seconds: 3600}}
  get: {action: http.get, depends_on: wait, params: {url: "{{ inputs.url }}"}}
  keep:
    action: file.write
    depends_on: get
    params: {path: page, content: "{{ nodes.get.output.text }}"}
returns: "{{ nodes.get.output.json }}"
"""

TESTS = """
from datetime import timedelta

def test_all_of_it(run_task, run_action, clock, http, data_dir):
    begin = clock.time
    http.answer("https://api.example/", json=[1, 2])
    run = run_task("fetch")
    assert run.result == [1, 2]
    assert clock.time - begin == timedelta(hours=1)
    assert (data_dir / "page").read_text() == "[1,2]"
    assert run_action("file.read", path="page").result == "[1,2]"

def test_of_its_own(clock, http, data_dir):
    assert clock.monotonic() == 0
    assert http.requests == []
    assert list(data_dir.iterdir()) == []
"""


def write_plan(folder: Path, tests: str) -> Path:
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "fetch.yaml").write_text(TASK, "utf-8")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_it.py").write_text(tests, "utf-8")
    return folder / "tests"


def run_pytest(
    cwd: Path, *words: str | Path, path: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    packages = os.pathsep.join(map(str, [*path, REPOSITORY]))
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-W", "ignore::pytest.PytestDeprecationWarning"]
        + [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": packages, "PYTEST_ADDOPTS": WITHOUT_OURS},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def entry_point(tmp_path: Path) -> Path:
    """A folder for the path of imports, that says what an installation of this tree would."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    (found,) = project["entry-points"]["pytest11"].items()
    info = tmp_path / "path" / "aura_aio_again-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: aura-aio-again\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[pytest11]\n{} = {}\n".format(*found), "utf-8")
    return info.parent


def test_plain_pytest_has_the_fixtures_where_aura_is_installed(
    tmp_path: Path, entry_point: Path
) -> None:
    tests = write_plan(tmp_path / "tried", TESTS)
    done = run_pytest(tmp_path, tests, path=[entry_point])
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    both = run_pytest(tmp_path, "-p", "aura_aio.testing.plugin", tests, path=[entry_point])
    assert both.returncode == 0, both.stdout


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_any_mode_of_imports_will_do(tmp_path: Path, mode: str) -> None:
    tests = write_plan(tmp_path / "tried", TESTS)
    done = run_pytest(
        tmp_path, "-p", "aura_aio.testing.plugin", f"--import-mode={mode}", tests.parent
    )
    assert done.returncode == 0, done.stdout


def test_a_request_without_an_answer_fails_the_test(tmp_path: Path) -> None:
    tests = write_plan(
        tmp_path / "tried", "def test_it(run_task):\n    assert run_task('fetch').result == []\n"
    )
    done = run_pytest(tmp_path, "-p", "aura_aio.testing.plugin", tests)
    assert done.returncode == 1
    assert "The test has no answer for GET https://api.example/." in done.stdout


def test_what_a_run_logged_is_in_the_report_of_a_failure(tmp_path: Path) -> None:
    tests = write_plan(
        tmp_path / "tried",
        "def test_it(run_task):\n    assert run_task('fetch', {'url': 'ftp://x'}).status == 1\n",
    )
    done = run_pytest(tmp_path, "-p", "aura_aio.testing.plugin", tests)
    assert done.returncode == 1
    assert "Captured run of tried/fetch call" in done.stdout
    assert "3600.000 s  error    get  Step 'get' failed: ValueError: 'ftp://x'" in done.stdout


def test_a_test_outside_of_any_plan_says_so(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text("def test_it(run_task): ...\n")
    done = run_pytest(tmp_path, "-p", "aura_aio.testing.plugin", file)
    assert done.returncode == 1
    assert "test_it.py is in no plan" in done.stdout


def test_the_plugin_is_light_for_sessions_without_plans(tmp_path: Path) -> None:
    code = "import aura_aio.testing.plugin, sys; print('aura_aio.engine.runner' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout == "False\n"
