"""The catalog: what is found, looked up, and refused without anything else being lost.

Imports pytest, and aura_aio's catalog and model.
"""

import inspect
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from aura_aio.catalog.action_types import type_of
from aura_aio.catalog.builtin_actions import BUILTIN_ACTIONS
from aura_aio.catalog.catalog import Catalog, load_catalog
from aura_aio.engine.builtin import BUILTIN
from aura_aio.engine.context import ActionContext
from aura_aio.model.errors import PlanNotFound, TaskNotFound
from aura_aio.model.plan import ActionSpec, LoadError, Signature

STEP = "{a: {action: log, params: {message: x}}}"
EXAMPLES = Path(__file__).resolve().parents[3] / "plans"


def write(root: Path, **files: str) -> Path:
    """Write files, named with `__` for a slash, below `root`."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}"
        path = path.with_name(f"{path.name}.yaml") if "." not in path.name else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def errors(catalog: Catalog, plan: str = "p") -> list[tuple[str, str]]:
    return [(error.file, error.message) for error in catalog.plan(plan).errors]


def test_the_example_plans_load_without_errors() -> None:
    catalog = load_catalog([EXAMPLES])
    assert {"hello", "csv_report", "site_check", "log_digest"} <= catalog.plans.keys()
    assert {name: plan.errors for name, plan in catalog.plans.items() if plan.errors} == {}
    assert catalog.errors == ()


def test_every_built_in_action_is_known() -> None:
    """What tasks are checked against is what the functions take."""
    assert BUILTIN.keys() == BUILTIN_ACTIONS.keys()
    for name, action in BUILTIN.items():
        signature = BUILTIN_ACTIONS[name]
        hints = get_type_hints(action.function)
        taken = {
            parameter: each
            for parameter, each in inspect.signature(action.function).parameters.items()
            if hints[parameter] is not ActionContext
        }
        more = [each for each in taken if taken[each].kind is inspect.Parameter.VAR_KEYWORD]
        named = [each for each in taken if each not in more]
        assert signature.takes_more == bool(more), name
        assert list(signature.types) == named, name
        for parameter, text in signature.types.items():
            assert type_of(str(text)) == hints[parameter], (name, parameter)
        required = tuple(each for each in named if taken[each].default is inspect.Parameter.empty)
        assert signature.required == required, name


def test_plans_of_several_roots_are_one_catalog(tmp_path: Path) -> None:
    write(tmp_path / "one" / "b", tasks__t=f"steps: {STEP}")
    write(tmp_path / "two" / "a", manifest="package: {name: first, version: 1.5, title: First}")
    catalog = load_catalog([tmp_path / "one", tmp_path / "two"])
    assert list(catalog.plans) == ["b", "first"]
    first = catalog.plan("first")
    assert (first.title, first.version, first.tasks) == ("First", "1.5", {})
    assert first.root == str((tmp_path / "two" / "a").resolve())


def test_what_is_no_plan_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "p", tasks__t=f"steps: {STEP}")
    write(tmp_path / ".hidden", tasks__t=f"steps: {STEP}")
    write(tmp_path / "__pycache__", tasks__t=f"steps: {STEP}")
    write(tmp_path / "docs", readme="a: b")
    (tmp_path / "file.yaml").write_text("a: b")
    assert list(load_catalog([tmp_path]).plans) == ["p"]


def test_a_missing_root_is_an_error_of_the_catalog(tmp_path: Path) -> None:
    catalog = load_catalog([tmp_path / "nowhere"])
    assert catalog.plans == {}
    assert catalog.errors == (
        LoadError(file=str(tmp_path / "nowhere"), message="There is no such folder of plans."),
    )


def test_names_that_are_mistyped_get_a_suggestion(tmp_path: Path) -> None:
    write(tmp_path / "hello", tasks__greet=f"steps: {STEP}")
    catalog = load_catalog([tmp_path])
    with pytest.raises(PlanNotFound, match="Did you mean 'hello'"):
        catalog.plan("helo")
    with pytest.raises(PlanNotFound, match="Did you mean 'hello'"):
        catalog.task("helo", "greet")
    with pytest.raises(TaskNotFound, match="Did you mean 'greet'"):
        catalog.task("hello", "great")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("single", "single"),
        ("tasks:single.yaml", "single"),
        ("several/a", "several/a"),
        ("tasks:several.yaml:a", "several/a"),
        ("own", "own/own"),
        ("own/own", "own/own"),
        ("tasks:own.yaml", "own/own"),
        ("tasks:own.yaml:own", "own/own"),
        ("tasks:deep:down:single.yaml", "deep/down/single"),
    ],
)
def test_a_task_is_found_by_all_its_names(tmp_path: Path, reference: str, name: str) -> None:
    write(
        tmp_path / "p",
        tasks__single=f"steps: {STEP}",
        tasks__several=f"a: {{steps: {STEP}}}\nseveral: {{steps: {STEP}}}",
        tasks__own=f"own: {{steps: {STEP}}}",
        tasks__deep__down__single=f"steps: {STEP}",
    )
    loaded = load_catalog([tmp_path]).task("p", reference)
    assert loaded.task.name == name
    assert loaded.definition.task() == loaded.task


@pytest.mark.parametrize(
    "reference", ["several", "tasks:single", "tasks:single.yaml:x:y", "Single", "", "../p/single"]
)
def test_nothing_else_names_a_task(tmp_path: Path, reference: str) -> None:
    write(
        tmp_path / "p",
        tasks__single=f"steps: {STEP}",
        tasks__several=f"a: {{steps: {STEP}}}\nseveral: {{steps: {STEP}}}",
    )
    with pytest.raises(TaskNotFound):
        load_catalog([tmp_path]).task("p", reference)


def test_the_same_text_gives_the_same_definition(tmp_path: Path) -> None:
    write(tmp_path / "p", tasks__a=f"steps: {STEP}", tasks__b=f"steps: {STEP}")
    first, second = load_catalog([tmp_path]), load_catalog([tmp_path])
    digest = first.task("p", "a").definition.digest
    assert digest == second.task("p", "a").definition.digest
    assert digest != first.task("p", "b").definition.digest


def test_a_catalog_cannot_be_changed(tmp_path: Path) -> None:
    write(tmp_path / "p", tasks__a=f"steps: {STEP}")
    catalog = load_catalog([tmp_path])
    with pytest.raises(TypeError):
        catalog.plans["q"] = catalog.plan("p")  # type: ignore[index]


def test_the_first_plan_of_a_name_stays(tmp_path: Path) -> None:
    write(tmp_path / "one" / "p", tasks__a=f"steps: {STEP}")
    write(tmp_path / "two" / "q", manifest="package: {name: '@plans/p'}")
    catalog = load_catalog([tmp_path / "one", tmp_path / "two"])
    assert list(catalog.plans) == ["p"]
    assert list(catalog.plan("p").tasks) == ["a"]
    message = f"The plan in {tmp_path / 'two' / 'q'} has this name too, and is not loaded."
    assert errors(catalog) == [("manifest.yaml", message)]


def test_two_folders_of_tasks_may_not_have_the_same_task(tmp_path: Path) -> None:
    write(
        tmp_path / "p",
        manifest="task_paths: [tasks, more]",
        tasks__a=f"steps: {STEP}",
        more__a=f"steps: {STEP}",
    )
    catalog = load_catalog([tmp_path])
    assert list(catalog.plan("p").tasks) == ["a"]
    assert errors(catalog) == [("manifest.yaml", "Two folders of 'task_paths' have a task 'a'.")]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_leave_the_plan_are_refused(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", tasks__a=f"steps: {STEP}") / "tasks" / "a.yaml"
    plan = write(tmp_path / "plans" / "p", tasks__good=f"steps: {STEP}", actions__ok="1")
    (plan / "tasks" / "inner.yaml").symlink_to(plan / "tasks" / "good.yaml")
    (plan / "tasks" / "outer.yaml").symlink_to(secret)
    (plan / "tasks" / "folder").symlink_to(secret.parent)
    (plan / "tasks" / "broken.yaml").symlink_to(plan / "nowhere")
    (plan / "actions" / "code.py").symlink_to(secret)
    catalog = load_catalog([tmp_path / "plans"])
    assert sorted(catalog.plan("p").tasks) == ["good", "inner"]
    assert dict(errors(catalog)) == {
        "actions/code.py": "It is a link that leaves the plan's folder.",
        "tasks/broken.yaml": "It cannot be read: No such file or directory.",
        "tasks/folder": "It is a link that leaves the plan's folder.",
        "tasks/outer.yaml": "It is a link that leaves the plan's folder.",
    }


def test_files_that_are_no_text_or_too_long_are_refused(tmp_path: Path) -> None:
    plan = write(tmp_path / "p", tasks__good=f"steps: {STEP}")
    (plan / "tasks" / "long.yaml").write_text("#" * (1024 * 1024 + 1))
    (plan / "tasks" / "nul.yaml").write_bytes(b"steps: \0")
    (plan / "tasks" / "latin.yaml").write_bytes(b"steps: \xfc")
    (plan / "tasks" / "bom.yaml").write_bytes(b"\xef\xbb\xbfsteps: " + STEP.encode())
    (plan / "tasks" / "folder.yaml").mkdir()
    catalog = load_catalog([tmp_path])
    assert sorted(catalog.plan("p").tasks) == ["bom", "good"]
    assert dict(errors(catalog)) == {
        "tasks/long.yaml": "It is longer than 1,048,576 bytes.",
        "tasks/nul.yaml": "It holds NUL bytes.",
        "tasks/latin.yaml": "It is no UTF-8 text (byte 7).",
    }


def test_actions_of_other_plans_can_be_called(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "actions.py").write_text(
        "from aura_aio import action\n@action\ndef mend():\n    'Mend it.'\n"
    )
    write(tmp_path / "p", tasks__t="steps: {a: {action: author/tools/mend}, b: {action: tools/x}}")
    catalog = load_catalog([tmp_path])
    assert catalog.plan("tools").actions == {
        "mend": ActionSpec("mend", "actions.py", "mend", doc="Mend it.", signature=Signature())
    }
    assert errors(catalog) == [
        ("tasks/t.yaml", "The plan 'tools' has no action 'x'. There is: 'mend'.")
    ]


def test_code_is_read_and_never_run(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "actions.py").write_text(
        "import aura_aio, sys\nsys.exit(1)\n"
        "@aura_aio.action(name='one')\nasync def f(): ...\n"
        "@staticmethod\n@aura_aio.action_info(timeout=5)\ndef two(): ...\n"
        "def no_action(): ...\n"
        "class C:\n    @aura_aio.action\n    def method(self): ...\n"
    )
    plan = load_catalog([tmp_path]).plan("p")
    assert plan.errors == ()
    assert plan.actions == {
        "one": ActionSpec("one", "actions.py", "f", signature=Signature()),
        "two": ActionSpec("two", "actions.py", "two", timeout_sec=5.0),
    }


def test_both_actions_py_and_a_folder_of_actions_are_one_too_many(tmp_path: Path) -> None:
    plan = write(tmp_path / "p", tasks__t=f"steps: {STEP}", actions__x="a: b")
    (plan / "actions.py").write_text("")
    assert errors(load_catalog([tmp_path])) == [
        ("actions.py", "There is a folder 'actions' too: Python would import only one of them.")
    ]


def test_an_event_may_be_the_end_of_another_plans_task(tmp_path: Path) -> None:
    events = "[{event: run.finished, plan: q, task: u}, {event: run.finished, plan: q, task: v}]"
    write(tmp_path / "p", tasks__t=f"on: {events}\nsteps: {STEP}")
    write(tmp_path / "q", tasks__u=f"steps: {STEP}", tasks__w="steps: 5")
    catalog = load_catalog([tmp_path])
    assert errors(catalog) == [
        ("tasks/t.yaml", "Plan 'q' has no task 'v'. There is: 'u'."),
    ]
    assert len(catalog.task("p", "t").task.on) == 2  # it can be run all the same


def test_a_schedule_does_not_run_the_tasks_of_other_plans(tmp_path: Path) -> None:
    write(tmp_path / "p", tasks__t=f"steps: {STEP}", schedule="a: {task: u, every: 60}")
    write(tmp_path / "q", tasks__u=f"steps: {STEP}", schedule="a: {task: u, every: 60}")
    catalog = load_catalog([tmp_path])
    assert errors(catalog) == [
        ("schedule.yaml", "Plan 'p' has no task 'u'. There is: 't'."),
    ]
    assert [schedule.id for schedule in catalog.plan("q").schedules] == ["q/a"]


def test_a_plan_may_have_nothing_but_schedules(tmp_path: Path) -> None:
    write(tmp_path / "p", schedule="a: {task: u, every: 60}")
    assert errors(load_catalog([tmp_path])) == [("schedule.yaml", "Plan 'p' has no task 'u'.")]
