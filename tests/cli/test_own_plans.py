"""`aura plans new` and `aura plans test`: a plan of one's own, without a server and with one.

Imports pytest, tests/cli/command.py and the catalog.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aura_aio.catalog.catalog import load_catalog
from tests.aura_forks import AURA
from tests.cli.command import REPOSITORY, Aura, environment
from tests.cli.conftest import StartServer
from tests.waiting import until_sync

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def aura(tmp_path: Path) -> Aura:
    """`aura` in an empty folder, and no server."""
    return Aura(NOWHERE, tmp_path)


def test_a_new_plan_has_no_fault_and_its_tests_pass(aura: Aura, tmp_path: Path) -> None:
    said = aura.ok("plans", "new", "disk-space")
    folder = tmp_path / "plans" / "disk-space"
    for file in folder.rglob("*.*"):
        assert file.relative_to(folder).as_posix() in said
    catalog = load_catalog([tmp_path / "plans"])
    plan = catalog.plan("disk-space")
    assert (plan.title, plan.errors, list(plan.tasks)) == ("Disk space", (), ["example"])
    done = aura.process("plans", "test", "disk-space")
    assert done.code == 0, done
    assert "2 passed" in done.out
    assert not list(folder.rglob("*cache*")), "a server may watch the folder"


@pytest.mark.parametrize("name", ["a", "Größe_2", "1.0", "null", "x" * 100])
def test_any_name_that_a_plan_may_have_will_do(aura: Aura, tmp_path: Path, name: str) -> None:
    aura.ok("plans", "new", name)
    plan = load_catalog([tmp_path / "plans"]).plan(name)
    assert plan.errors == ()
    assert plan.title is not None


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "two words", "_private", "x" * 101])
def test_other_names_are_refused(aura: Aura, tmp_path: Path, name: str) -> None:
    done = aura("plans", "new", "--", name)
    assert done.code == 2
    assert f"A plan cannot be called {name!r}" in done.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(aura: Aura, tmp_path: Path) -> None:
    (tmp_path / "plans" / "mine").mkdir(parents=True)
    done = aura("plans", "new", "mine")
    assert (done.code, done.out) == (1, "")
    assert f"{Path('plans', 'mine')} is there already" in done.err
    assert list((tmp_path / "plans" / "mine").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(aura: Aura, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = aura("plans", "new", "mine", "--into", "file/plans")
    assert done.code == 1
    assert "cannot be made: Not a directory" in done.err


def test_the_first_folder_of_the_settings_is_meant_or_the_one_that_is_named(
    aura: Aura, tmp_path: Path
) -> None:
    (tmp_path / "aura.toml").write_text('[plans]\nplans = ["one", "two"]\n', "utf-8")
    aura.ok("plans", "new", "mine")
    assert (tmp_path / "one" / "mine" / "manifest.yaml").is_file()
    said = aura.ok("plans", "new", "mine", "--into", "more")
    assert f"aura plans test {Path('more', 'mine')}\n" in said
    assert aura.process("plans", "test", str(Path("more", "mine"))).code == 0


def test_a_new_plan_runs_on_a_server(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server("--plans", str(tmp_path / "own"))
    aura = Aura(server.url, tmp_path, {"AURA_PLANS": str(tmp_path / "own")})
    aura.ok("plans", "new", "mine")
    aura.ok("system", "reload")
    done = aura("run", "mine", "example", "-i", "name=Ada", "-i", "times=2", "--wait")
    assert done.code == 0, done
    assert '"greeting": "Hello, Ada! Hello, Ada!"' in done.out


def test_the_code_of_a_new_plan_is_as_ours(aura: Aura, tmp_path: Path) -> None:
    aura.ok("plans", "new", "mine")
    rules = ["--config", str(REPOSITORY / "pyproject.toml"), "--no-cache"]
    for command in (["check", *rules, "--ignore", "S101,INP"], ["format", "--check", *rules]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, tmp_path / "plans"],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_tests_that_fail_are_code_1_and_options_go_to_pytest(aura: Aura, tmp_path: Path) -> None:
    aura.ok("plans", "new", "mine")
    file = tmp_path / "plans" / "mine" / "tests" / "test_mine.py"
    file.write_text(file.read_text("utf-8").replace("times: must", "what: must"), "utf-8")
    done = aura.process("plans", "test", "mine")
    assert (done.code, "1 failed, 1 passed" in done.out) == (1, True)
    done = aura.process("plans", "test", "mine", "-k", "greets", "-v")
    assert done.code == 0, done
    assert "1 passed, 1 deselected" in done.out
    done = aura.process("plans", "test", "mine", "--no-such-option")
    assert done.code == 2
    assert "--no-such-option" in done.err
    done = aura.process("plans", "test", "mine", "-k", "nothing")
    assert done.code == 1


def test_settings_of_pytest_above_the_plan_do_not_count_and_its_own_do(
    aura: Aura, tmp_path: Path
) -> None:
    aura.ok("plans", "new", "mine")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", "utf-8")
    (tmp_path / "plans" / "conftest.py").write_text("raise SystemExit(9)", "utf-8")
    assert aura.process("plans", "test", "mine").code == 0
    own = tmp_path / "plans" / "mine" / "pytest.ini"
    own.write_text("[pytest]\npython_functions = nothing_*\n", "utf-8")
    assert "no tests ran" in aura.process("plans", "test", "mine").out


def test_a_plan_that_is_not_there_is_told_with_those_that_are(aura: Aura, tmp_path: Path) -> None:
    aura.ok("plans", "new", "mine")
    done = aura("plans", "test", "mime")
    assert done.code == 1
    assert "There is no plan 'mime'. Did you mean 'mine'?\nLooked for in plans, " in done.err


def test_a_plan_without_tests_is_told(aura: Aura, tmp_path: Path) -> None:
    (tmp_path / "plans" / "bare" / "tasks").mkdir(parents=True)
    done = aura("plans", "test", "bare")
    assert done.code == 1
    assert "The plan has no tests: there is no folder " in done.err


def test_without_pytest_it_is_told_how_to_install_it(aura: Aura, tmp_path: Path) -> None:
    aura.ok("plans", "new", "mine")
    code = (
        "import sys, importlib.util as util; found = util.find_spec; "
        "util.find_spec = lambda name: None if name == 'pytest' else found(name); "
        "import aura_aio.cli as cli; cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "plans", "test", "mine"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "need pytest, which is not installed here" in done.stderr
    assert f"{sys.executable} -m pip install 'aura-aio[test]'" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_ctrl_c_ends_the_tests_with_130(aura: Aura, tmp_path: Path) -> None:
    aura.ok("plans", "new", "mine")
    file = tmp_path / "plans" / "mine" / "tests" / "test_mine.py"
    file.write_text(
        "import pathlib, threading\ndef test_it():\n    pathlib.Path('begun').touch()\n"
        "    threading.Event().wait(60)\n",
        "utf-8",
    )
    with subprocess.Popen(
        [*AURA, "plans", "test", "mine"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        start_new_session=True,  # a terminal sends its Ctrl-C to all processes of a group
    ) as command:
        until_sync((tmp_path / "begun").exists, 30)
        os.killpg(command.pid, signal.SIGINT)
        output, _ = command.communicate(timeout=30)
    assert command.returncode == 130
    assert b"KeyboardInterrupt" in output
