"""What a page tells its reader to type is typed here, and must print what the page says.

Imports pytest, tests/docs/pages.py and, on POSIX, tests/docs/guides.py.
"""

import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import REPOSITORY, Block, Page, all_pages

if sys.platform == "win32":
    pytest.skip("needs the pseudo-terminals of POSIX", allow_module_level=True)

from tests.docs.guides import Guide, Masks, commands, same
from tests.docs.shell import on_screen

TRANSLATED = {"README.zh-CN.md"}
"""Has the blocks of another page (tests/docs/test_translation.py)."""


def guides() -> list[str]:
    """The pages that tell their reader what to type. Those of the plans show no output."""
    pages = [Page(path) for path in all_pages() if "plans" not in path.parts]
    typed = [page for page in pages if any(block.info[:1] == ("console",) for block in page.blocks)]
    return [page.name for page in typed if page.name not in TRANSLATED]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short and plain name, as a reader has it: reports cut long ones, and escape
    what Markdown would read as something else.
    """
    path = Path("/tmp", f"aura-{secrets.token_hex(4)}").resolve()  # noqa: S108 - nobody knows it
    path.mkdir(mode=0o700)
    yield path
    shutil.rmtree(path)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", guides())
def test_what_a_page_says_is_what_happens(name: str, folder: Path) -> None:
    missing = [each for each in ("bash", "curl", "pgrep") if shutil.which(each) is None]
    if missing:
        pytest.skip(f"The commands of the page need {', '.join(missing)}.")
    assert Guide(Page(REPOSITORY / name), folder).follow() > 0


def test_commands_and_what_they_print_are_told_apart() -> None:
    lines = ("$ one \\", "    more", "says", "$ two", "$ three", "says", "", "again")
    found = [(each.command, each.shown) for each in commands(Block(("console",), lines, 7))]
    assert found == [
        ("one \\\n    more", ("says",)),
        ("two", ()),
        ("three", ("says", "", "again")),
    ]


def test_what_differs_from_day_to_day_does_not_count_and_all_else_does() -> None:
    def lines(cid: str, time: str, took: str, tail: str = "") -> list[str]:
        return [f"{cid}  {took}  done", f"{time} INFO  b", f"{time} INFO  a", f"x-{tail or cid}"]

    first, second = "01a20aeb-f067-7262-a670-84e873e8e575", "01a20aeb-f067-7262-a670-84e873e8e576"
    shown = Masks().lines(lines(first, "00:19:14.897", "12 ms", first[-12:]))
    assert shown == Masks().lines(lines(second, "2026-11-24 10:19:14", "1 m 02 s", second[-12:]))
    assert shown == Masks().lines([*lines(first, "00:00:01", "1.5s")[:3], f"x-{first[-12:]}"])
    assert shown != Masks().lines(lines(first, "00:19:14.897", "12 ms", second[-12:]))
    both = Masks().lines([first, second, first])
    assert both == Masks().lines([second, first, second])
    assert both != Masks().lines([second, first, first])


def test_a_log_line_that_was_wrapped_is_whole() -> None:
    narrow = Masks().lines(["00:00:01 INFO  a", "    b", "  {"])
    assert narrow == Masks().lines(["00:00:01 INFO  a b", "{"])
    assert narrow != Masks().lines(["00:00:01 INFO  a", "b", "{"])


def test_dots_stand_for_lines() -> None:
    assert same(["a", "…", "c"], ["a", "b", "b", "c"])
    assert same(["a", "…"], ["a"])
    assert same(["a b…", "c"], ["a", "b… c"])
    assert not same(["a", "…", "c"], ["a", "b"])
    assert not same(["a…", "c"], ["a", "b", "c"])
    assert not same([], ["a"])


def test_the_screen_shows_what_was_not_written_over() -> None:
    spinner = "\x1b[32m⠋\x1b[0m run   \r\x1b[2K"
    assert on_screen(f"a\r\n{spinner}b\r\n{spinner}\r\n\x1b[1A\x1b[2Kc\r\n") == "a\nb\nc"
    assert on_screen("12345\rab") == "ab345"
