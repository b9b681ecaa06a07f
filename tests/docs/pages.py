"""The Markdown pages of the project, and what stands in them.

Imports the standard library only.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^ {0,3}(```+|~~~+) *(.*?) *$")
_HEADING = re.compile(r"^ {0,3}(#{1,6}) +(.*?)(?: +#+)? *$")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]: *<?(\S+?)>? *$")
_HTML_LINK = re.compile(r"<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)=\"([^\"]+)\"")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


class Block(NamedTuple):
    """A fenced block: the words behind its fence, its lines, and the number of the first."""

    info: tuple[str, ...]
    lines: tuple[str, ...]
    line: int

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines) + "\n"


class Heading(NamedTuple):
    """A heading: how deep it is, what it says, and the anchor that it gets on GitHub."""

    level: int
    text: str
    anchor: str


class Link(NamedTuple):
    """Where a link goes, as written, and the line it stands on."""

    target: str
    line: int


class Page:
    """A page, read once: what its file says, or `text` in its place."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        self.name = path.relative_to(REPOSITORY).as_posix()
        self.blocks: list[Block] = []
        self.prose: list[tuple[int, str]] = []
        """The lines that are in no block, with their numbers."""
        self._read((path.read_text("utf-8") if text is None else text).splitlines())

    def _read(self, lines: list[str]) -> None:
        fence, info, start = "", "", 0
        for number, line in enumerate(lines, start=1):
            mark = _FENCE.match(line)
            if not fence and mark:
                fence, info, start = mark[1], mark[2], number
            elif fence and mark and mark[1].startswith(fence) and not mark[2]:
                self.blocks.append(
                    Block(tuple(info.split()), tuple(lines[start : number - 1]), start + 1)
                )
                fence = ""
            elif not fence:
                self.prose.append((number, line))
        assert not fence, f"{self.name}:{start}: the block is never closed"

    def headings(self) -> list[Heading]:
        """The headings, in order; a text that comes again gets a number in its anchor."""
        found: list[Heading] = []
        taken: dict[str, int] = {}
        for _, line in self.prose:
            mark = _HEADING.match(line)
            if mark is None:
                continue
            anchor = _anchor(mark[2])
            again = taken.get(anchor, 0)
            taken[anchor] = again + 1
            text = f"{anchor}-{again}" if again else anchor
            found.append(Heading(len(mark[1]), mark[2], text))
        return found

    def anchors(self) -> set[str]:
        """What a link can name in this page."""
        return {heading.anchor for heading in self.headings()}

    def links(self) -> Iterator[Link]:
        """Every link and picture, outside of code."""
        for number, line in self.prose:
            text = _CODE.sub("", line)
            for pattern in (_LINK, _HTML_LINK):
                for mark in pattern.finditer(text):
                    yield Link(mark[1], number)
            reference = _REFERENCE.match(text)
            if reference:
                yield Link(reference[1], number)


def all_pages() -> list[Path]:
    """Every page that a reader may come to, by name."""
    found = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]
    return sorted([*found, *REPOSITORY.glob("plans/*/README.md")])


def _anchor(text: str) -> str:
    """The anchor that GitHub makes of a heading."""
    shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")
    kept = re.sub(r"[^\w\- ]", "", shown.strip().lower())
    return kept.replace(" ", "-")
