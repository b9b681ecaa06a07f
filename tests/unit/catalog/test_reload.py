"""Plans loaded again after an edit: what is good now, and what was good before.

Imports pytest, and aura_aio's catalog and model.
"""

import os
import sys
from pathlib import Path

import pytest

from aura_aio.catalog.catalog import Catalog, load_catalog, reload_catalog
from aura_aio.catalog.changes import changed_plans, differ, new_errors, workers_must_change
from aura_aio.model.errors import TaskNotFound

STEP = "steps: {a: {action: set, params: {x: %s}}}\n"
CALL = "steps: {a: {action: %s}}\n"
ACTION = "from aura_aio import action\n\n@action\ndef %s(): ...\n"
BROKEN = "steps: {a: {action: st}}\n"


class Plans:
    """A folder of plans that is edited and loaded again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.loaded = Catalog()

    def write(self, **files: str) -> list[Path]:
        """Write files, named with `__` for a slash; their paths."""
        paths: list[Path] = []
        for name, text in files.items():
            path = self.root / name.replace("__", "/")
            path = path.with_suffix(".py" if path.name in {"actions", "helper"} else ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            stamp = path.stat().st_mtime_ns + len(paths) + id(text)  # no two edits look the same
            os.utime(path, ns=(stamp, stamp))
            paths.append(path)
        return paths

    def load(self) -> Catalog:
        """Load all anew."""
        self.loaded = load_catalog([self.root])
        return self.loaded

    def edit(self, **files: str) -> Catalog:
        """Write files, and load the plans again that they are in."""
        return self.reload(*self.write(**files))

    def reload(self, *changed: Path) -> Catalog:
        """Load the plans again in which these paths are."""
        self.before = self.loaded
        self.loaded = reload_catalog(self.loaded, [self.root], changed)
        return self.loaded

    def x(self, task: str, plan: str = "p") -> object:
        """What is set in the step of a task."""
        return self.loaded.task(plan, task).task.steps[0].params["x"]

    def errors(self, plan: str = "p") -> list[str]:
        """What is wrong with a plan."""
        return [f"{each.file}: {each.message}" for each in self.loaded.plan(plan).errors]


@pytest.fixture
def plans(tmp_path: Path) -> Plans:
    found = Plans(tmp_path)
    found.write(p__tasks__t=STEP % 1, p__tasks__u=STEP % 1, q__tasks__t=STEP % 1)
    found.load()
    return found


def test_only_the_plan_that_changed_is_read(plans: Plans) -> None:
    before = plans.loaded.plan("q")
    plans.write(q__tasks__t=STEP % 2)  # and nobody says so
    plans.edit(p__tasks__t=STEP % 2)
    assert (plans.x("t"), plans.x("t", "q")) == (2, 1)
    assert plans.loaded.task("q", "t") is plans.before.task("q", "t")
    assert plans.loaded.plan("q") == before
    assert changed_plans(plans.before, plans.loaded) == ["p"]


def test_without_paths_all_plans_are_read(plans: Plans) -> None:
    plans.write(p__tasks__t=STEP % 2, q__tasks__t=STEP % 2)
    plans.loaded = reload_catalog(plans.loaded, [plans.root], None)
    assert (plans.x("t"), plans.x("t", "q")) == (2, 2)


def test_nothing_differs_when_nothing_does(plans: Plans) -> None:
    plans.reload(plans.root / "p" / "README.md")
    assert not differ(plans.before, plans.loaded)
    assert not workers_must_change(plans.before, plans.loaded)


@pytest.mark.parametrize("text", [BROKEN, "steps: {", "", "- a", "\0", "stps: {}"])
def test_a_broken_task_stays_as_it_was(plans: Plans, text: str) -> None:
    plans.edit(p__tasks__t=text, p__tasks__u=STEP % 2)
    assert (plans.x("t"), plans.x("u")) == (1, 2)
    assert len(plans.errors()) == 1
    definition = plans.loaded.task("p", "t").definition
    plans.edit(p__tasks__u=STEP % 3)
    assert (plans.x("t"), plans.x("u")) == (1, 3)
    assert plans.loaded.task("p", "t").definition is definition
    assert len(plans.errors()) == 1
    plans.edit(p__tasks__t=STEP % 4)
    assert plans.x("t") == 4
    assert plans.errors() == []


def test_a_task_that_is_deleted_is_gone_also_while_it_is_broken(plans: Plans) -> None:
    plans.edit(p__tasks__t=BROKEN)
    file = plans.root / "p" / "tasks" / "t.yaml"
    file.unlink()
    plans.reload(file)
    with pytest.raises(TaskNotFound):
        plans.x("t")
    assert plans.errors() == []
    assert plans.x("u") == 1


def test_a_file_that_gets_another_name_is_another_task(plans: Plans) -> None:
    file = plans.root / "p" / "tasks" / "t.yaml"
    plans.reload(file, file.rename(file.with_name("s.yaml")))
    assert sorted(plans.loaded.plan("p").tasks) == ["s", "u"]


def test_of_several_tasks_in_a_file_the_broken_one_stays(plans: Plans) -> None:
    plans.edit(p__tasks__m=f"a: {{{STEP.strip() % 1}}}\nb: {{{STEP.strip() % 1}}}\n")
    plans.edit(p__tasks__m=f"a: {{{BROKEN.strip()}}}\nb: {{{STEP.strip() % 2}}}\n")
    assert (plans.x("m/a"), plans.x("m/b")) == (1, 2)
    plans.edit(p__tasks__m=f"a:\n  steps: {{\nb: {{{STEP.strip() % 3}}}\n")
    assert (plans.x("m/a"), plans.x("m/b")) == (1, 3)
    plans.edit(p__tasks__m=f"b: {{{STEP.strip() % 4}}}\n")
    assert sorted(plans.loaded.plan("p").tasks) == ["m/b", "t", "u"]


def test_a_short_name_stays_with_its_task(plans: Plans) -> None:
    plans.edit(p__tasks__own=f"own: {{{STEP.strip() % 1}}}\n")
    plans.edit(p__tasks__own="own: {steps: {\n")
    assert plans.x("own") == plans.x("own/own") == 1


def test_a_broken_manifest_stays_as_it_was(plans: Plans) -> None:
    plans.edit(p__manifest="package: {name: other}\ntask_paths: [jobs]\n", p__jobs__t=STEP % 5)
    assert plans.x("t", "other") == 5
    plans.edit(p__manifest="package: {name: another\n", p__jobs__t=STEP % 6)
    assert plans.x("t", "other") == 6
    assert len(plans.errors("other")) == 1
    plans.edit(p__manifest="package: {name: another}\n")
    assert plans.x("t", "another") == 1


def test_broken_python_keeps_its_actions(plans: Plans) -> None:
    plans.edit(p__actions=ACTION % "mend", p__tasks__c=CALL % "mend", q__tasks__c=CALL % "p/mend")
    assert plans.errors() == plans.errors("q") == []
    plans.edit(p__actions="def (:\n")
    assert plans.errors() == ["actions.py: This is no Python: invalid syntax."]
    assert plans.errors("q") == []
    assert "mend" in plans.loaded.plan("p").actions
    assert not workers_must_change(plans.before, plans.loaded)


def test_a_task_stays_though_its_action_is_gone(plans: Plans) -> None:
    plans.edit(p__actions=ACTION % "mend", p__tasks__c=CALL % "mend", q__tasks__c=CALL % "p/mend")
    plans.edit(p__actions=ACTION % "men")
    for plan in "pq":
        assert plans.loaded.task(plan, "c").task.steps[0].action.endswith("mend")
        assert ["Did you mean" in error for error in plans.errors(plan)] == [True]
    assert workers_must_change(plans.before, plans.loaded)


def test_an_exported_action_is_not_missed_in_a_file_that_is_no_python(plans: Plans) -> None:
    exports = "exports: {actions: [{name: m, module: helper.py, function: m}]}\n"
    plans.edit(p__manifest=exports, p__helper="def (:\n")
    assert plans.errors() == ["helper.py: This is no Python: invalid syntax."]


def test_broken_schedules_stay_as_they_were(plans: Plans) -> None:
    def ids() -> list[str]:
        return [each.id for each in plans.loaded.plan("p").schedules]

    plans.edit(p__schedule="[{id: a, task: t, every: 5}, {id: b, task: u, every: 5}]")
    assert ids() == ["p/a", "p/b"]
    plans.edit(p__schedule="[{id: a, task: t, every: 5}, {id: b, task: u, evry: 5}]")
    assert ids() == ["p/a", "p/b"]
    plans.edit(p__schedule="[{id: a, task: t, every: 5}]")
    assert ids() == ["p/a"]
    plans.edit(p__schedule="[{")
    assert ids() == ["p/a"]
    (plans.root / "p" / "tasks" / "t.yaml").unlink()
    plans.reload(plans.root / "p" / "tasks" / "t.yaml")
    assert ids() == []


def test_plans_come_and_go(plans: Plans) -> None:
    plans.edit(r__tasks__t=STEP % 9)
    assert plans.x("t", "r") == 9
    assert workers_must_change(plans.before, plans.loaded)
    (plans.root / "r" / "tasks" / "t.yaml").unlink()
    (plans.root / "r" / "tasks").rmdir()
    plans.reload(plans.root / "r" / "tasks")
    assert sorted(plans.loaded.plans) == ["p", "q"]


def test_two_plans_of_one_name_are_told_each_time_once(plans: Plans) -> None:
    plans.edit(r__manifest="package: {name: p}\n")
    for _ in range(3):
        assert plans.errors() == [
            f"manifest.yaml: The plan in {plans.root / 'r'} has this name too, and is not loaded."
        ]
        plans.edit(p__tasks__t=STEP % 2)
    plans.edit(r__manifest="package: {name: r}\n")
    assert plans.errors() == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_plan_behind_a_link_is_seen_by_both_its_paths(plans: Plans, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    Plans(elsewhere).write(real__tasks__t=STEP % 1)
    (plans.root / "linked").symlink_to(elsewhere / "real")
    plans.reload(plans.root / "linked")
    Plans(elsewhere).write(real__tasks__t=STEP % 2)
    plans.reload(elsewhere / "real" / "tasks" / "t.yaml")
    assert plans.x("t", "linked") == 2
    Plans(elsewhere).write(real__tasks__t=STEP % 3)
    plans.reload(plans.root / "linked" / "tasks" / "t.yaml")
    assert plans.x("t", "linked") == 3


def test_workers_change_with_the_code_and_with_nothing_else(plans: Plans) -> None:
    def after(**files: str) -> bool:
        plans.edit(**files)
        return workers_must_change(plans.before, plans.loaded)

    assert after(p__actions=ACTION % "one")
    assert after(p__actions=ACTION % "two")
    assert after(p__actions=f"{ACTION % 'two'}#\n")
    assert after(p__lib__helper="X = 1\n")
    assert after(p__lib__helper="X = 2\n")
    assert not after(p__tasks__t=STEP % 2)
    assert not after(p__manifest="package: {title: T}\n")
    assert not after(p__actions="def (:\n")
    assert not after(p__tasks__t=STEP % 3)
    assert after(p__actions=f"{ACTION % 'two'}# mended\n")


def test_only_new_errors_are_new(plans: Plans) -> None:
    plans.edit(p__tasks__t=BROKEN)
    assert [plan for plan, _ in new_errors(plans.before, plans.loaded)] == ["p"]
    plans.edit(p__tasks__u=STEP % 2, q__tasks__t=BROKEN)
    assert [plan for plan, _ in new_errors(plans.before, plans.loaded)] == ["q"]
    assert [plan for plan, _ in new_errors(Catalog(), plans.loaded)] == ["p", "q"]


def test_a_file_whose_text_is_the_same_is_not_read_again(plans: Plans) -> None:
    plans.edit(p__tasks__t=STEP % 2)
    assert plans.loaded.task("p", "u") is plans.before.task("p", "u")
    assert plans.loaded.task("p", "t") is not plans.before.task("p", "t")
    plans.edit(p__actions=ACTION % "own")
    plans.edit(p__tasks__u=CALL % "own")
    assert plans.errors() == []
    plans.edit(p__actions="from aura_aio import action\n\n@action\ndef own(needed): ...\n")
    assert plans.errors() == ["tasks/u.yaml: The action 'own' needs the parameter 'needed'."]


def test_a_task_of_another_plan_is_read_again_when_what_it_calls_has_changed(plans: Plans) -> None:
    plans.edit(p__actions=ACTION % "mend", q__tasks__t=CALL % "p/mend")
    assert plans.errors("q") == []
    plans.edit(p__actions="from aura_aio import action\n\n@action\ndef mend(what): ...\n")
    assert plans.errors("q") == ["tasks/t.yaml: The action 'p/mend' needs the parameter 'what'."]
