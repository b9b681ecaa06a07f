"""Actions as callables: every plan a world of its own.

Imports pytest, and aura_aio's catalog.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aura_aio.catalog.actions import LoadedAction, load_actions
from aura_aio.catalog.catalog import load_catalog


@pytest.fixture(autouse=True)
def _modules_as_before() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("aura_plan_"):
            del sys.modules[name]


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from aura_aio import action\n" + text)
    return folder


def load(folder: Path) -> dict[str, LoadedAction]:
    plan = load_catalog([folder.parent]).plan(folder.name)
    assert plan.errors == ()
    return load_actions(folder, plan.actions.values())


def call(action: LoadedAction) -> Any:
    assert action.failure is None
    return action.function()


def test_plans_with_modules_of_the_same_name_do_not_meet(tmp_path: Path) -> None:
    text = "from ._shared import NAME\n@action\ndef who():\n    return NAME\n"
    plans = [
        write(tmp_path / name, actions__main=text, actions___shared=f"NAME = {name!r}")
        for name in ("one", "two")
    ]
    loaded = [load(plan) for plan in plans]
    assert [call(actions["who"]) for actions in loaded] == ["one", "two"]


def test_the_folder_of_a_plan_may_have_any_name(tmp_path: Path) -> None:
    plan = write(tmp_path / "my-plan.v2", actions__main="@action\ndef f():\n    return 1\n")
    assert call(load(plan)["f"]) == 1


def test_plans_are_loaded_side_by_side(tmp_path: Path, hasty_threads: None) -> None:
    """As a worker does for a task with actions of several plans. `import` forgets then what led
    nowhere, and one thread must not stumble over what another has forgotten.
    """
    imports = "".join(f"from . import _part{n}\n" for n in range(30))
    files = {f"actions___part{n}": "" for n in range(30)}
    files["actions__main"] = f"{imports}@action\ndef f():\n    return 1\n"
    plans = [write(tmp_path / name, **files) for name in ("one", "two", "three")]
    catalog = load_catalog([tmp_path])
    specs = [tuple(catalog.plan(plan.name).actions.values()) for plan in plans]
    with ThreadPoolExecutor(len(plans)) as threads:
        for _ in range(15):
            sys.path_importer_cache.update(dict.fromkeys(map(str, range(2_000))))
            for actions in threads.map(load_actions, plans, specs):
                assert call(actions["f"]) == 1


def test_loading_again_sees_changed_code(tmp_path: Path) -> None:
    text = "from .inner import X\n@action\ndef f():\n    return X\n"
    plan = write(tmp_path / "p", actions__main=text, actions__inner="X = 1")
    first = load(plan)["f"]
    (plan / "actions" / "inner.py").write_text("X = 22\n")
    assert call(load(plan)["f"]) == 22
    assert call(first) == 1


def test_a_module_is_imported_once_for_all_its_actions(tmp_path: Path) -> None:
    text = (
        "state = []\n@action\ndef f():\n    state.append(1)\n@action\ndef g():\n    return state\n"
    )
    loaded = load(write(tmp_path / "p", actions__main=text))
    call(loaded["f"])
    assert call(loaded["g"]) == [1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(1)", "SystemExit"),
    ],
)
def test_an_import_that_fails_is_told_with_the_plans_frames(
    tmp_path: Path, text: str, kind: str
) -> None:
    plan = write(
        tmp_path / "p",
        actions__bad=f"def load():\n    {text}\nload()\n@action\ndef f(): ...\n",
        actions__good="@action\ndef g():\n    return 1\n",
    )
    loaded = load(plan)
    assert call(loaded["g"]) == 1
    failure = loaded["f"].failure
    assert failure is not None
    assert failure.type == kind
    assert failure.message.startswith("The module actions/bad.py cannot be imported: ")
    assert failure.traceback is not None
    assert str(plan / "actions" / "bad.py") in failure.traceback
    assert "in load" in failure.traceback
    assert "importlib" not in failure.traceback
    assert "catalog/actions.py" not in failure.traceback


def test_a_syntax_error_behind_a_relative_import_is_told(tmp_path: Path) -> None:
    plan = write(tmp_path / "p", actions__main="from . import lib\n@action\ndef f(): ...\n")
    (plan / "actions" / "more").mkdir()
    catalog_sees = load_catalog([tmp_path]).plan("p").actions.values()
    (plan / "actions" / "lib.py").write_text("def (:\n")
    failure = load_actions(plan, catalog_sees)["f"].failure
    assert failure is not None
    assert failure.type == "SyntaxError"
    assert failure.traceback is not None
    assert "lib.py" in failure.traceback


def test_a_function_that_is_gone_after_the_import_is_told(tmp_path: Path) -> None:
    plan = write(tmp_path / "p", actions__main="@action\ndef f(): ...\ndel f\n")
    failure = load(plan)["f"].failure
    assert failure is not None
    assert failure.message == "The module actions/main.py has no function 'f' after its import."


def test_a_plan_may_import_its_modules_as_the_earlier_aura_did(tmp_path: Path) -> None:
    text = (
        "import plans.p.src.services.numbers as by_name\n"
        "from plans.p.src.services import numbers\n"
        "from plans.p.src.services.numbers import ONE\n"
        "from ..services import numbers as relative\n"
        "@action\n"
        "def same():\n"
        "    names = numbers.__name__, numbers.__spec__.name\n"
        "    return [by_name is numbers is relative, ONE, *names]\n"
    )
    plan = write(
        tmp_path / "p", src__actions__main=text, src__services__numbers="ONE = 1", src____init__=""
    )
    found = call(load(plan)["same"])
    assert found[:2] == [True, 1]
    assert found[2] == found[3]
    (plan / "src" / "services" / "numbers.py").write_text("ONE = 2\n")
    assert call(load(plan)["same"])[:2] == [True, 2]


def test_what_no_plan_has_is_not_found_there(tmp_path: Path) -> None:
    plan = write(tmp_path / "p", actions__main="import plans.q.src\n@action\ndef f(): ...\n")
    failure = load(plan)["f"].failure
    assert failure is not None
    assert failure.type == "ModuleNotFoundError"
    assert "plans.q" in failure.message
