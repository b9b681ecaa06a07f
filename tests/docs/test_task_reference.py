"""The reference of the task language: its examples load, and no word is missing from it.

Imports pytest, tests/docs/pages.py, and aura_aio's catalog.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aura_aio.catalog import task_words
from aura_aio.catalog.catalog import Catalog, load_catalog
from aura_aio.catalog.document import read_document
from tests.docs.pages import REPOSITORY, Page

PAGE = Page(REPOSITORY / "docs" / "reference" / "tasks.md")
WORDS: Mapping[str, Mapping[str, Any]] = {
    name: table for name, table in vars(task_words).items() if name.endswith("_WORDS")
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The plan of the page."""
    root = tmp_path_factory.mktemp("reference")
    for block in PAGE.blocks:
        path = root / block.info[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
    (root / "plans" / "shop" / "more").mkdir()
    return load_catalog([root / "plans"])


def test_the_examples_load(catalog: Catalog) -> None:
    plan = catalog.plan("shop")
    assert plan.errors == ()
    files = [block for block in PAGE.blocks if "tasks" in Path(block.info[1]).parts]
    assert len(plan.tasks) == len(files) + 1  # one holds two


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def test_every_word_is_in_an_example_or_beside_its_other_form() -> None:
    used = {
        key
        for block in PAGE.blocks
        if block.info[0] == "yaml"
        for key in _keys(read_document(block.text).plain())
    }
    wanted = {word for table in WORDS.values() for word in table}
    assert len(WORDS) > 8
    assert wanted - used == {"timeout_sec"}


@pytest.mark.parametrize("table", WORDS)
def test_every_word_is_told(table: str) -> None:
    prose = "\n".join(line for _, line in PAGE.prose)
    missing = [
        word for word in WORDS[table] if f"`{word}`" not in prose and f".{word}`" not in prose
    ]
    assert missing == []
