"""What commands print where a person sits: colours, tables that fit, with rich.

May import `cli.pieces` and `cli.text`, rich and the standard library. Imported only where there is
a terminal: rich takes as long to import as a small command to run.
"""

from collections.abc import Iterable, Sequence
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aura_aio.cli.pieces import Column, Piece, plain
from aura_aio.cli.text import safe

LEAST_ELASTIC: Final = 16


def console(stream: IO[str]) -> Console:
    """What prints on the terminal `stream`."""
    return Console(file=stream, highlight=False)


def text(pieces: Iterable[Piece]) -> Text:
    """The pieces as one line, in their styles."""
    parts = ((each, "") if isinstance(each, str) else each for each in pieces)
    return Text.assemble(*((safe(text), style) for text, style in parts))


def wrapped(text: Text, console: Console, hang: int) -> list[Text]:
    """It as lines that fit, broken between words; all but the first are indented so far."""
    if text.cell_len <= console.width:
        return [text]
    first, *rest = text.wrap(console, max(20, console.width - hang))
    for line in rest:
        line.pad_left(hang)
    return [first, *rest]


def least_width(columns: Sequence[Column], rows: Sequence[Sequence[Piece]], gap: int) -> int:
    """How many columns a table takes if what is elastic is cut as far as it may be."""
    total = gap * (len(columns) - 1)
    for index, column in enumerate(columns):
        width = max((cell_len(safe(plain(row[index]))) for row in rows), default=0)
        total += min(width, LEAST_ELASTIC) if column.elastic else max(width, len(column.title))
    return total


def table(columns: Sequence[Column], rows: Iterable[Sequence[Piece]], gap: int) -> Table:
    """The rows under the titles of `columns`, so far apart."""
    made = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="")
    for column in columns:
        made.add_column(
            Text(column.title.upper(), style="dim", no_wrap=True, overflow="ellipsis"),
            no_wrap=not column.elastic,
            justify="right" if column.right else "left",
        )
    for row in rows:
        made.add_row(*map(_cell, row, columns))
    return made


def _cell(piece: Piece, column: Column) -> Text:
    cell = text([piece])
    if not column.wrap:
        cell.no_wrap, cell.overflow = True, "ellipsis"
    return cell
