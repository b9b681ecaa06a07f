"""A translation has what its original has: blocks, headings, links, lists, tables, figures.

Imports pytest and tests/docs/pages.py.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import pytest

from tests.docs.pages import REPOSITORY, Page

TRANSLATIONS = {"README.zh-CN.md": "README.md"}

_CODE = re.compile(r"`[^`]+`")
_TARGET = re.compile(r"\]\([^)]*\)")
_FIGURE = re.compile(r"[0-9][0-9.,]*[0-9]|[0-9]")
_ITEM = re.compile(r" *(?:[-*+]|\d+\.) ")


def blocks(page: Page) -> Iterator[str]:
    """The fenced blocks, word by word, with what stands behind their fences."""
    for block in page.blocks:
        yield f"{' '.join(block.info)}\n{block.text}"


def headings(page: Page) -> Iterator[str]:
    """How deep each heading is, with its number, if it has one."""
    for heading in page.headings():
        yield "#" * heading.level + " ".join(_FIGURE.findall(heading.text))


def links(page: Page) -> Iterator[str]:
    """Where the links go, section by section: another language has another order of words. Links
    between the two languages do not count, and those to another translation are to its original.
    """
    ends = [number for number, line in page.prose if line.startswith("#")]
    found = [(sum(link.line > end for end in ends), link.target) for link in page.links()]
    for section, target in sorted(found):
        file, hash_, anchor = target.partition("#")
        original = TRANSLATIONS.get(file, file)
        if original not in TRANSLATIONS.values():
            yield f"{section}: {original}{hash_}{anchor}"


def lists(page: Page) -> Iterator[str]:
    """How many items each list has."""
    count = 0
    for _, line in page.prose:
        if _ITEM.match(line):
            count += 1
        elif count and not line.startswith(" "):
            yield f"a list of {count}"
            count = 0


def tables(page: Page) -> Iterator[str]:
    """The rows of the tables: their cells, and the code and the figures in each of them."""
    for _, line in page.prose:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield " | ".join(" ".join(sorted(_marks(cell))) for cell in cells)


def _marks(cell: str) -> Sequence[str]:
    text = _TARGET.sub("", cell)
    return [*_CODE.findall(text), *_FIGURE.findall(_CODE.sub("", text))]


PARTS = {each.__name__: each for each in (blocks, headings, links, lists, tables)}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", TRANSLATIONS)
def test_a_translation_has_what_its_original_has(name: str, part: str) -> None:
    original, translation = (Page(REPOSITORY / each) for each in (TRANSLATIONS[name], name))
    pairs = zip_longest(PARTS[part](original), PARTS[part](translation))
    assert next((pair for pair in pairs if pair[0] != pair[1]), None) is None


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_a_translation_and_its_original_name_each_other(name: str) -> None:
    original, translation = (Page(REPOSITORY / each) for each in (TRANSLATIONS[name], name))
    assert next(original.links()).target == name
    assert next(translation.links()).target == TRANSLATIONS[name]


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("blocks", "$ aura plans", "$ aura  plans"),
        ("blocks", "```sh\n", "```bash\n"),
        ("headings", "### 1. ", "## 1. "),
        ("headings", "### 1. ", "### 2. "),
        ("links", "docs/reference/settings.md", "docs/reference/cli.md"),
        ("lists", "- It is", "It is"),
        ("tables", "| `/ws/logs`", "| `/ws/log`"),
        ("tables", "10,000", "1,000"),
        ("tables", "`/readyz` |", "`/readyz` | |"),
    ],
)
def test_a_difference_is_seen(part: str, before: str, after: str) -> None:
    page = Page(REPOSITORY / "README.md")
    text = page.path.read_text("utf-8")
    assert before in text
    changed = Page(page.path, text.replace(before, after, 1))
    assert list(PARTS[part](page)) != list(PARTS[part](changed))
