"""The scripts, in a repository of their own whose `aura_aio` only says how it was called.

Imports pytest only.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

PROJECT = """
[build-system]
requires = ["hatchling==1.33.0"]
build-backend = "hatchling.build"

[project]
name = "aura-aio"
version = "0"

[project.optional-dependencies]
test = []

[tool.hatch.build.targets.wheel]
packages = ["aura_aio"]
"""

SAYS_HOW = """
import json, os, sys
print(json.dumps({"options": sys.argv[1:], "folder": os.getcwd()}))
sys.exit(7)
"""

NOTHING: Mapping[str, str] = {}
# pip finds nothing with these.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}


def make_repository(root: Path) -> Path:
    shutil.copytree(REPOSITORY / "scripts", root / "scripts")
    shutil.copy(REPOSITORY / "constraints.txt", root)
    (root / "pyproject.toml").write_text(PROJECT, "utf-8")
    (root / "aura_aio").mkdir()
    (root / "aura_aio" / "__init__.py").touch()
    (root / "aura_aio" / "__main__.py").write_text(SAYS_HOW, "utf-8")
    return root


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A small repository with our scripts, in which nothing has been started yet."""
    return make_repository(tmp_path / "a repository")


@pytest.fixture(scope="module")
def first_starts(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Such a repository after its first start, and what it said when nothing could be installed
    before. The tests share it, and leave it started.
    """
    repository = make_repository(tmp_path_factory.mktemp("started") / "a repository")
    failed = serve(repository, env=OFFLINE)
    assert not (repository / ".venv" / "aura-stamp").exists()
    assert serve(repository).returncode == 7
    return repository, failed


@pytest.fixture
def started(first_starts: tuple[Path, subprocess.CompletedProcess[str]]) -> Path:
    """The repository after its first start."""
    return first_starts[0]


@pytest.fixture
def no_venv(tmp_path: Path) -> Mapping[str, str]:
    """An environment can not be made with this, so that it is quick to see that one would be."""
    (tmp_path / "no venv").mkdir()
    (tmp_path / "no venv" / "venv.py").write_text(
        "raise ImportError('No module named ensurepip')", "utf-8"
    )
    return {"PYTHONPATH": str(tmp_path / "no venv")}


def serve(
    repository: Path, *options: str, cwd: Path | None = None, env: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AURA_")}
    return subprocess.run(
        [sys.executable, repository / "scripts" / "serve.py", *options],
        cwd=cwd or repository,
        env={**own, **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def options_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 7, done.stderr  # the exit code of aura, handed through
    options: list[str] = json.loads(done.stdout.splitlines()[-1])["options"]
    return options


def test_a_failed_installation_says_what_to_do_and_is_tried_again(
    first_starts: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    started, failed = first_starts
    assert failed.returncode == 1
    assert "The packages could not be installed" in failed.stderr
    assert "Traceback" not in failed.stderr.rpartition("The packages")[2]
    assert options_of(serve(started))[0] == "serve"


def test_an_interrupted_installation_is_begun_anew(started: Path) -> None:
    (started / ".venv" / "aura-stamp").write_text("installing", "utf-8")  # as a kill leaves it
    left_over = started / ".venv" / "half-installed"
    left_over.touch()
    assert options_of(serve(started))[0] == "serve"
    assert not left_over.exists()


def test_a_missing_venv_module_is_explained(fresh: Path, no_venv: Mapping[str, str]) -> None:
    failed = serve(fresh, env=no_venv)
    assert failed.returncode == 1
    assert "apt install python3-venv" in failed.stderr


def test_the_second_start_installs_nothing(started: Path) -> None:
    again = serve(started, env=OFFLINE)
    assert options_of(again)[0] == "serve"
    assert "Preparing" not in again.stdout


def test_new_pins_are_installed(started: Path) -> None:
    with (started / "constraints.txt").open("a", encoding="utf-8") as pins:
        pins.write("# changed\n")
    assert "Preparing" in serve(started).stdout
    assert "Preparing" not in serve(started).stdout


def test_an_environment_that_has_been_moved_is_made_anew(
    started: Path, no_venv: Mapping[str, str], tmp_path: Path
) -> None:
    moved = shutil.copytree(started, tmp_path / "moved", symlinks=True)
    (moved / ".venv" / "of the old place").touch()
    assert "Preparing" in serve(moved, env=no_venv).stdout
    assert not (moved / ".venv" / "of the old place").exists()


def test_from_any_folder_the_plans_and_data_of_the_repository_are_used(
    started: Path, tmp_path: Path
) -> None:
    done = serve(started, "--port", "0", cwd=tmp_path)
    folders = [f"--plans={started / 'plans'}", f"--data-dir={started / '.aura'}"]
    assert options_of(done) == ["serve", *folders, "--port", "0"]
    assert Path(json.loads(done.stdout)["folder"]) == tmp_path.resolve()


def test_folders_that_somebody_has_set_stay_theirs(started: Path, tmp_path: Path) -> None:
    data = f"--data-dir={started / '.aura'}"
    by_option = serve(started, "--plans", "x", cwd=tmp_path)
    assert options_of(by_option) == ["serve", data, "--plans", "x"]
    by_variable = serve(started, cwd=tmp_path, env={"AURA_PLANS": "x"})
    assert options_of(by_variable) == ["serve", data]
    (tmp_path / "aura.toml").write_text("[plans]\nplans = ['x']\n[store]\ndata_dir = 'y'", "utf-8")
    assert options_of(serve(started, cwd=tmp_path)) == ["serve"]


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_the_script_becomes_the_server_so_that_signals_reach_it(started: Path) -> None:
    (started / "aura_aio" / "__main__.py").write_text("import os; print(os.getpid())", "utf-8")
    try:
        script = subprocess.Popen(
            [sys.executable, started / "scripts" / "serve.py"], stdout=subprocess.PIPE, text=True
        )
        output, _ = script.communicate(timeout=30)
        assert int(output) == script.pid
    finally:
        (started / "aura_aio" / "__main__.py").write_text(SAYS_HOW, "utf-8")
