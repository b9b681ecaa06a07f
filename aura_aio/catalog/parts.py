"""Takes a file of several tasks apart where it cannot be read as a whole.

May import the standard library, and of `catalog` `document` and `marks`.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from aura_aio.catalog.document import DocumentError, Node, UnknownAnchor, read_document
from aura_aio.catalog.marks import Mark

_KEY: Final = re.compile(r"""(\w[\w.-]*|'[^'\n]*'|"[^"\n]*")[ \t]*:(?=\s|\Z)""")


class BrokenPart(NamedTuple):
    """A task that is no YAML: its key, and what is wrong where in the file."""

    key: str
    error: DocumentError


def read_in_parts(
    text: str, single: Collection[str]
) -> tuple[Node | None, tuple[BrokenPart, ...]] | None:
    """The tree of `text`, which cannot be read as a whole, without those of its topmost keys whose
    text is broken, and what is wrong with these. None if it has no such parts.

    A text with a topmost key in `single` is one task, which has no parts.
    """
    parts = list(_parts(text))
    if len(parts) < 2 or any(key in single for key, _, _ in parts):
        return None
    lines = text.split("\n")
    broken: list[BrokenPart] = []
    for key, start, end in parts:
        fault = _fault("\n".join(lines[start:end]), text)
        if fault is not None:
            mark = Mark(fault.mark.line + start, fault.mark.column)
            broken.append(BrokenPart(key, DocumentError(str(fault), mark)))
            lines[start:end] = [""] * (end - start)
    if not broken:
        return None
    try:
        return read_document("\n".join(lines)), tuple(broken)
    except DocumentError:
        return None, tuple(broken)


def _parts(text: str) -> Iterator[tuple[str, int, int]]:
    """Each topmost key with the first line that is its own, and the first that is not."""
    lines = text.split("\n")
    starts = [(number, found) for number, line in enumerate(lines) if (found := _KEY.match(line))]
    ends = [*(number for number, _ in starts[1:]), len(lines)]
    for (start, found), end in zip(starts, ends, strict=False):
        yield found[1].strip("'\""), start, end


def _fault(part: str, text: str) -> DocumentError | None:
    try:
        read_document(part)
    except UnknownAnchor as error:  # unless it stands in another part
        return None if f"&{error.anchor}" in text else error
    except DocumentError as error:
        return error
    return None
