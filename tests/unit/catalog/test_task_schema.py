"""The schema of task files beside the loader: what loads fits it, and much of what does not is
refused by it.

Imports pytest, PyYAML, jsonschema, and aura_aio's catalog.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from aura_aio.catalog import task_words
from aura_aio.catalog.document import DocumentError, read_document
from aura_aio.catalog.task_schema import task_schema

REPOSITORY = Path(__file__).resolve().parents[3]
CASES = REPOSITORY / "tests" / "language" / "cases"
MISTAKES = Path(__file__).with_name("mistakes.yaml")
SCHEMA = task_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
Refused = tuple[str, str, list[str]]
SHAPES = re.compile(
    r"(?:^|: )(?:'\w+' is not known here|'\w+' belongs under|Expected (?!`)|A \w+ needs )"
)
"""What the loader says of shapes, which the schema must see, too: unknown keys, wrong types."""


def is_valid(text: str) -> bool:
    return VALIDATOR.is_valid(read_document(text).plain())


def _tasks(case: dict[str, Any]) -> dict[str, str]:
    files = dict(case.get("files", {}))
    if "task" in case:
        files["tasks/t.yaml"] = case["task"]
    return {file: text for file, text in files.items() if file.startswith("tasks/")}


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(CASES.rglob("*.yaml")):
        yield (
            path.relative_to(CASES).with_suffix("").as_posix(),
            yaml.load(path.read_text(), Loader=yaml.CSafeLoader),
        )


def good_files() -> Iterator[tuple[str, str]]:
    for folder in (REPOSITORY / "plans", REPOSITORY / "tests"):
        for path in sorted(folder.glob("**/tasks/**/*.yaml")):
            if "broken" not in path.parts:
                yield path.relative_to(REPOSITORY).as_posix(), path.read_text("utf-8")
    for name, case in _cases():
        if "refused" not in case:
            for file, text in _tasks(case).items():
                yield f"{name}:{file}", text


def refused_files() -> Iterator[Refused]:
    for name, case in _cases():
        if "refused" in case and not case.get("files"):
            yield name, case["task"], [each["message"] for each in case["refused"]]
    for mistake in yaml.load(MISTAKES.read_text("utf-8"), Loader=yaml.CSafeLoader):
        yield mistake["said"][0], mistake["text"], mistake["said"]


def readable(refused: Iterator[Refused]) -> Iterator[Refused]:
    for name, text, said in refused:
        try:
            root = read_document(text)
        except DocumentError:
            continue
        if not root.repeated:
            yield name, text, said


GOOD = dict(good_files())
REFUSED = list(readable(refused_files()))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", GOOD)
def test_what_loads_fits(name: str) -> None:
    document = read_document(GOOD[name]).plain()
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_every_wrong_shape_is_seen() -> None:
    wrong = [(name, text) for name, text, said in REFUSED if any(map(SHAPES.search, said))]
    assert len(wrong) > 50
    assert [name for name, text in wrong if is_valid(text)] == []


def test_a_good_share_of_all_that_is_refused_is_seen() -> None:
    seen = [name for name, text, _ in REFUSED if not is_valid(text)]
    assert len(REFUSED) > 120
    assert len(seen) > len(REFUSED) / 2


def test_every_word_has_a_meaning_and_none_is_left_over() -> None:
    tables = {
        "task": task_words.TASK_WORDS,
        "meta": task_words.META_WORDS,
        "input": task_words.INPUT_WORDS,
        "event": task_words.EVENT_WORDS,
        "step": task_words.STEP_WORDS,
        "loop": task_words.LOOP_WORDS,
        "on_exception": task_words.ON_EXCEPTION_WORDS,
        "on_result": task_words.ON_RESULT_WORDS,
        "retry": task_words.RETRY_WORDS,
    }
    for name, words in tables.items():
        properties = SCHEMA["$defs"][name]["properties"]
        assert properties.keys() == words.keys()
        assert all(each["description"].endswith((".", "}.")) for each in properties.values()), name
    limits = SCHEMA["$defs"]["concurrency"]["anyOf"][-1]["properties"]
    assert limits.keys() == task_words.CONCURRENCY_WORDS.keys()
