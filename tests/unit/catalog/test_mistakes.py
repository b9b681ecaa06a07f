"""What the authors of plans are told: `mistakes.yaml` has documents with what is said of each.

Imports pytest, PyYAML (another reader than ours), and aura_aio's catalog.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from aura_aio.catalog.catalog import load_catalog
from aura_aio.model.errors import TaskNotFound
from aura_aio.model.plan import LoadError

MISTAKES = yaml.load(
    Path(__file__).with_name("mistakes.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
)
OPEN_END = "…"
"""Ends what is compared only so far: lists of names grow."""
ACTIONS = """
from aura_aio import action

@action
def fetch_page(url: str): ...

@action
def send_mail(to: str): ...
"""
STEPS = "steps: {a: {action: log, params: {message: x}}}\n"


def plan(root: Path, name: str, **files: str) -> Path:
    for file, text in files.items():
        path = root / name / file.replace("__", "/")
        path = path.with_suffix(".py" if file == "actions" else ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def said(error: LoadError) -> str:
    place = f"{error.path}: " if error.path else ""
    return f"{error.line}:{error.column}: {place}{error.message}"


def test_there_are_many_mistakes_and_none_comes_twice() -> None:
    texts = [mistake["text"] for mistake in MISTAKES]
    assert len(texts) >= 80
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["said"][0][:70])
def test_a_mistake_is_told_once_and_in_its_place(tmp_path: Path, mistake: dict[str, Any]) -> None:
    plan(tmp_path, "p", actions=ACTIONS, tasks__t=mistake["text"])
    found = [said(error) for error in load_catalog([tmp_path]).plan("p").errors]
    assert len(found) == len(mistake["said"]), found
    for sentence, expected in zip(found, mistake["said"], strict=True):
        if expected.endswith(OPEN_END):
            assert sentence.startswith(expected.removesuffix(OPEN_END))
        else:
            assert sentence == expected


def test_an_action_of_another_plan_is_found_by_its_bare_name(tmp_path: Path) -> None:
    plan(tmp_path, "tools", actions=ACTIONS)
    plan(tmp_path, "p", tasks__t="steps: {a: {action: fetch_page}}")
    (error,) = load_catalog([tmp_path]).plan("p").errors
    assert error.message == "There is no action 'fetch_page'. Did you mean 'tools/fetch_page'?"


def test_a_task_that_is_no_yaml_hides_no_other_of_its_file(tmp_path: Path) -> None:
    broken = "  steps:\n    a: {action: log, params: {message: 'x}}\n"
    text = f"one:\n  {STEPS}two:\n{broken}three:\n  {STEPS}"
    plan(tmp_path, "p", tasks__t=text)
    loaded = load_catalog([tmp_path]).plan("p")
    assert list(loaded.tasks) == ["t/one", "t/three"]
    assert [said(error) for error in loaded.errors] == [
        "5:40: two: This is no YAML: the quote that opens here is never closed."
    ]


def test_parts_may_share_an_anchor_beside_a_broken_one(tmp_path: Path) -> None:
    text = f"one: &one\n  {STEPS}two: {{\nthree: *one\n"
    plan(tmp_path, "p", tasks__t=text)
    assert list(load_catalog([tmp_path]).plan("p").tasks) == ["t/one", "t/three"]


def test_what_is_left_of_a_file_has_no_short_name(tmp_path: Path) -> None:
    plan(tmp_path, "p", tasks__t=f"t:\n  {STEPS}other: {{\n")
    catalog = load_catalog([tmp_path])
    assert list(catalog.plan("p").tasks) == ["t/t"]
    assert catalog.task("p", "t/t").task.name == "t/t"
    with pytest.raises(TaskNotFound):
        catalog.task("p", "t")


def test_a_single_task_that_is_no_yaml_is_told_once(tmp_path: Path) -> None:
    plan(tmp_path, "p", tasks__t=f"meta: {{title: 'x}}\n{STEPS}")
    (error,) = load_catalog([tmp_path]).plan("p").errors
    assert said(error) == "1:15: This is no YAML: the quote that opens here is never closed."
