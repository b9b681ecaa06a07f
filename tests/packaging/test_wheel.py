"""The wheel: everything is in it, and it runs a task where nothing else is installed.

Imports pytest and `waiting` only; what is under test is installed into an environment of its own.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import until_sync

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = "Scripts" if os.name == "nt" else "bin"

ACTIONS = """
from aura_aio import ActionContext, action

@action
def compose(name: str, context: ActionContext) -> str:
    context.log(f"composing for {name}")
    return f"Hello, {name}!"
"""

TASK = """
meta:
  inputs:
    - {name: who, type: string, default: world}
steps:
  greet:
    action: compose
    params: {name: "{{ inputs.who }}"}
returns:
  greeting: "{{ nodes.greet.output }}"
"""


def _run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    _run(sys.executable, "-m", "pip", *build, REPOSITORY, cwd=folder)
    return next(folder.glob("aura_aio-*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and what it depends on, nothing else; one
    for all processes of a test run.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, end = shared / "installed" / "venv", shared / "installed" / "end"
    try:
        folder.parent.mkdir()
    except FileExistsError:
        until_sync(end.exists, within=100)
        return folder / PROGRAMS
    try:
        _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        pins = (REPOSITORY / "constraints.txt").as_uri()
        pinned = {**os.environ, "PIP_CONSTRAINT": pins, "PIP_BUILD_CONSTRAINT": pins}
        pip = (sys.executable, "-m", "pip", "--python", folder)
        _run(*pip, "install", "--no-compile", wheel, cwd=folder.parent, env=pinned)
    finally:
        end.touch()
    return folder / PROGRAMS


def test_the_wheel_has_every_tracked_file_of_the_package(wheel: Path) -> None:
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("git is missing, or this is no clone: what belongs into the wheel is unknown")
    tracked = _run("git", "ls-files", "aura_aio", cwd=REPOSITORY).splitlines()
    there = [file for file in tracked if (REPOSITORY / file).exists()]
    packed = zipfile.ZipFile(wheel).namelist()
    missing = set(there) - set(packed)
    assert not missing, f"a pattern in .gitignore or pyproject.toml leaves out: {sorted(missing)}"
    assert "aura_aio/py.typed" in packed


def test_the_wheel_has_the_contract_and_nothing_beside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        contract = archive.read("aura_aio/contract/openapi.yaml")
    assert contract == (REPOSITORY / "openapi.yaml").read_bytes()
    folders = {name.partition("/")[0] for name in names}
    assert {folder.partition("-")[0] for folder in folders} == {"aura_aio"}
    assert not [name for name in names if name.endswith(".pyc")]


@pytest.fixture
def url(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of a server that runs from the wheel, with one plan."""
    plan = tmp_path / "plans" / "hello"
    (plan / "tasks").mkdir(parents=True)
    (plan / "actions.py").write_text(ACTIONS, "utf-8")
    (plan / "tasks" / "greet.yaml").write_text(TASK, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    folders = ["--plans", str(tmp_path / "plans"), "--data-dir", str(tmp_path / "data")]
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [installed / "aura", "serve", "--port", port, *folders],
            cwd=tmp_path,
            env=_outside(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        until_sync(lambda: process.poll() is not None or _answers(f"{url}/readyz"), within=30)
        assert process.poll() is None, log.read_text("utf-8")
        yield url
    finally:
        process.terminate()
        code = process.wait(30)
    assert os.name == "nt" or code == 0, log.read_text("utf-8")


def test_the_wheel_alone_runs_a_task(url: str, installed: Path, tmp_path: Path) -> None:
    env = {**_outside(), "AURA_URL": url}
    output = _run(
        installed / "aura",
        "run",
        "hello",
        "greet",
        "-i",
        "who=wheel",
        "--wait",
        "--json",
        cwd=tmp_path,
        env=env,
    )
    run = json.loads(output)
    assert run["status"] == "succeeded"
    assert run["result"] == {"greeting": "Hello, wheel!"}


def test_the_wheel_alone_makes_plans_and_says_what_their_tests_need(
    installed: Path, tmp_path: Path
) -> None:
    _run(installed / "aura", "plans", "new", "mine", cwd=tmp_path, env=_outside())
    assert "no load errors" in _run(
        installed / "aura", "plans", "check", cwd=tmp_path, env=_outside()
    )
    done = subprocess.run(
        [installed / "aura", "plans", "test", "mine"],
        cwd=tmp_path,
        env=_outside(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "-m pip install 'aura-aio[test]'" in done.stderr


def test_the_wheel_serves_its_contract(url: str) -> None:
    with urllib.request.urlopen(f"{url}/openapi.yaml", timeout=10) as answer:
        assert answer.read() == (REPOSITORY / "openapi.yaml").read_bytes()


def _outside() -> dict[str, str]:
    """The environment of this process, without what points to this tree or to settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AURA_", "PYTHON", "VIRTUAL_ENV"))
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False
