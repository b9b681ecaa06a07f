"""Links between the documents go somewhere: to a file that is there, and to a heading in it.

Imports pytest and tests/docs/pages.py.
"""

from collections.abc import Iterator, Set
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import REPOSITORY, Page, all_pages

PAGES = {path.relative_to(REPOSITORY).as_posix(): path for path in all_pages()}
each_page = pytest.mark.parametrize("name", PAGES)


@cache
def anchors_of(path: Path) -> Set[str]:
    """What a link can name in the page that is there."""
    return Page(path).anchors()


def broken(page: Page) -> Iterator[str]:
    """What is wrong with the links of a page."""
    for link in page.links():
        parts = urlsplit(link.target)
        if parts.scheme or parts.netloc:
            continue
        target = page.path.parent / unquote(parts.path) if parts.path else page.path
        where = f"{page.name}:{link.line}: {link.target}"
        if not target.exists():
            yield f"{where}: there is no such file"
        elif not target.resolve().is_relative_to(REPOSITORY):
            yield f"{where}: leaves the repository"
        elif parts.fragment and unquote(parts.fragment) not in anchors_of(target):
            yield f"{where}: there is no such heading"


@each_page
def test_every_link_goes_somewhere(name: str) -> None:
    assert list(broken(Page(PAGES[name]))) == []


@cache
def reached_from_the_readme() -> Set[Path]:
    """The pages that a reader comes to who follows links."""
    reached: set[Path] = set()
    waiting = [REPOSITORY / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for link in Page(path).links():
            parts = urlsplit(link.target)
            target = (path.parent / unquote(parts.path)).resolve()
            if not parts.scheme and parts.path and target.suffix == ".md":
                waiting.append(target)
    return reached


@each_page
def test_every_page_can_be_reached_from_the_readme(name: str) -> None:
    assert PAGES[name] in reached_from_the_readme()


@each_page
def test_a_page_has_one_title_and_leaves_out_no_level(name: str) -> None:
    levels = [heading.level for heading in Page(PAGES[name]).headings()]
    assert levels[:1] == [1]
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_a_broken_link_is_seen() -> None:
    page = Page(REPOSITORY / "README.md")
    page.prose = [
        (1, "[gone](docs/gone.md), [here](README.md), `[code](gone.md)`"),
        (2, "[no heading](README.md#no-such-heading) ![picture](gone.png)"),
        (3, '<img src="gone.svg"> <a href="https://example.org/">elsewhere</a>'),
    ]
    assert [line.split(": ")[1] for line in broken(page)] == [
        "docs/gone.md",
        "README.md#no-such-heading",
        "gone.png",
        "gone.svg",
    ]


def test_anchors_are_those_of_github() -> None:
    page = Page(REPOSITORY / "README.md")
    texts = ["# A `b`, c!", "## 1. Start it", "## 1. Start it", "## 启动服务器", "## What's _new_"]
    page.prose = list(enumerate(texts))
    assert [heading.anchor for heading in page.headings()] == [
        "a-b-c",
        "1-start-it",
        "1-start-it-1",
        "启动服务器",
        "whats-_new_",
    ]
