"""`aura plans check`: the load errors of plans on disk, where there is no server.

Imports pytest and tests/cli/command.py.
"""

import os
from pathlib import Path

import pytest

from tests.cli.command import Aura

STEPS = "steps: {a: {action: log, params: {message: hi}}}\n"
TYPO = "steps:\n  a: {action: lgo}\n"
CALL = "steps: {a: {action: tools/mend}}\n"
ACTIONS = (
    "from aura_aio import action\nimport sys\nsys.exit('never run')\n@action\ndef mend(): ...\n"
)
NO_SERVER = "http://127.0.0.1:9"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path = path.with_suffix(".py" if path.name == "actions" else ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.fixture
def offline(tmp_path: Path) -> Aura:
    """`aura` in a folder with the plans `good`, `tools`, and `bad` with two faults."""
    write(tmp_path / "plans" / "good", tasks__t=STEPS, tasks__call=CALL)
    write(tmp_path / "plans" / "tools", actions=ACTIONS)
    write(tmp_path / "plans" / "bad", tasks__t=TYPO, tasks__fine=STEPS, manifest="pakage: {}\n")
    return Aura(NO_SERVER, tmp_path)


MANIFEST = "manifest.yaml:1:1: pakage: 'pakage' is not known here. Did you mean 'package'?"
TASK = "tasks/t.yaml:2:15: steps.a.action: There is no action 'lgo'. Did you mean 'log'?"


def test_all_plans_of_a_folder(offline: Aura) -> None:
    done = offline("plans", "check", "plans")
    assert done.code == 1
    assert [line.replace(os.sep, "/") for line in done.out.splitlines()] == [
        f"plans/bad/{MANIFEST}",
        f"plans/bad/{TASK}",
    ]
    assert done.err == "3 plans, 3 tasks, 2 load errors.\n"


def test_a_plan_without_faults(offline: Aura) -> None:
    done = offline("plans", "check", "plans/good")
    assert (done.code, done.out, done.err) == (0, "1 plan, 2 tasks, no load errors.\n", "")


def test_one_plan_whatever_its_folder_is_called(offline: Aura, tmp_path: Path) -> None:
    hidden = tmp_path / "plans" / ".work"
    (tmp_path / "plans" / "bad").rename(hidden)
    done = offline("plans", "check", "plans/.work")
    assert len(done.out.splitlines()) == 3  # a plan can not be called .work
    within = Aura(NO_SERVER, tmp_path / "plans" / "good")
    assert within("plans", "check", ".").out == "1 plan, 2 tasks, no load errors.\n"
    elsewhere = Aura(NO_SERVER, tmp_path / "plans" / "tools")
    place = str(hidden / "tasks" / "t.yaml")
    assert place in elsewhere("plans", "check", str(hidden)).out


def test_without_a_path_the_folders_of_the_settings(offline: Aura, tmp_path: Path) -> None:
    assert offline("plans", "check").code == 1
    write(tmp_path / "more" / "p", tasks__t=STEPS)
    assert offline("plans", "check", AURA_PLANS="more").out == "1 plan, 1 task, no load errors.\n"
    both = offline("plans", "check", AURA_PLANS=os.pathsep.join(["more", "plans"]))
    assert both.err == "4 plans, 4 tasks, 2 load errors.\n"


def test_json(offline: Aura) -> None:
    done = offline("plans", "check", "plans/bad", "--json")
    assert done.code == 1
    assert done.json.keys() == {"valid", "plan_count", "task_count", "errors"}
    assert (done.json["valid"], done.json["plan_count"], done.json["task_count"]) == (False, 1, 1)
    error = done.json["errors"][1]
    assert error == {
        "file": str(Path("plans/bad/tasks/t.yaml")),
        "line": 2,
        "column": 15,
        "path": "steps.a.action",
        "message": "There is no action 'lgo'. Did you mean 'log'?",
    }
    good = offline("plans", "check", "plans/good", "--json")
    assert (good.code, good.json["valid"], good.json["errors"]) == (0, True, [])


def test_where_there_is_no_plan_nothing_is_right(offline: Aura, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = offline("plans", "check", "empty")
    assert (done.code, done.out, done.err) == (1, "", "Error: There is no plan in empty.\n")
    assert offline("plans", "check", "nowhere").code == 2
    missing = offline("plans", "check", AURA_PLANS="nowhere")
    assert (missing.code, missing.out) == (1, "nowhere: There is no such folder of plans.\n")


def test_a_name_that_two_plans_have(offline: Aura, tmp_path: Path) -> None:
    write(tmp_path / "plans" / "again", manifest="package: {name: good}\n", tasks__x=STEPS)
    done = offline("plans", "check", "plans/good")
    assert done.code == 1
    assert "again has this name too, and is not loaded." in done.out
