"""What commands print: rich on a terminal, plain aligned text in a pipe, JSON when asked for.

May import `cli.pieces` and `cli.text`, msgspec and the standard library; where there is a terminal
`cli.terminal`, and where a table is printed what rich knows of the width of texts.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from aura_aio.cli.pieces import Column, Piece, plain
from aura_aio.cli.text import safe, safe_json, safe_lines

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "STATUS_STYLES",
    "Column",
    "Output",
    "Piece",
    "Screen",
    "brief_value",
    "status",
    "value_lines",
]

STATUS_STYLES: Final[Mapping[str, str]] = {
    "queued": "blue",
    "running": "cyan",
    "cancelling": "yellow",
    "succeeded": "green",
    "failed": "red",
    "timed_out": "red",
    "cancelled": "yellow",
    "ready": "green",
    "starting": "yellow",
    "retiring": "yellow",
    "draining": "yellow",
    "stopped": "red",
    "ok": "green",
    "warning": "yellow",
    "wrong": "red",
}


class Output:
    """One of the two streams: pieces of text in a line, with styles where it is a terminal."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.console: Console | None = None
        if stream.isatty():
            from aura_aio.cli import terminal  # noqa: PLC0415 - see there

            self.console = terminal.console(stream)

    def line(self, *pieces: Piece, hang: int | None = None) -> None:
        """Print one line. With `hang`, one that is too long for the terminal is broken between
        words, and goes on indented so far; otherwise that is left to the terminal, so that it can
        be copied.
        """
        if self.console is not None:
            from aura_aio.cli import terminal  # noqa: PLC0415 - see there

            text = terminal.text(pieces)
            for line in [text] if hang is None else terminal.wrapped(text, self.console, hang):
                self.console.print(line, soft_wrap=True)
        else:
            self._stream.write("".join(safe(plain(piece)) for piece in pieces) + "\n")
            self._stream.flush()


class Screen:
    """Where a command prints: `out` is for what was asked for, `notes` (stderr) for the rest."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = Output(sys.stdout)
        self.notes = Output(sys.stderr)

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads what is printed with `out`."""
        return self.out.console is not None

    @property
    def width(self) -> int:
        """The columns of the terminal; 80 where there is none."""
        return 80 if self.out.console is None else self.out.console.width

    def json(self, body: bytes) -> None:
        """Print the document `body`: as it is, but indented on a terminal."""
        document = msgspec.json.format(body, indent=2) if self.is_terminal else body
        sys.stdout.flush()
        sys.stdout.buffer.write(safe_json(document.decode()).encode() + b"\n")
        sys.stdout.buffer.flush()

    def answer(self, body: bytes, *pieces: Piece) -> None:
        """Print what a server has answered: `body` where JSON is asked for, else one line."""
        if self.as_json:
            self.json(body)
        else:
            self.out.line(*pieces)

    def value(self, value: Any) -> None:
        """Print a JSON value for a person: a text as it is, anything else indented."""
        for line in value_lines(value):
            self.out.line(line)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Piece]]) -> None:
        """Print rows under the titles of `columns`."""
        if self.out.console is None:
            titles = [column.title.upper() for column in columns]
            for line in _aligned([titles, *(list(map(plain, row)) for row in rows)], columns):
                self.out.line(line)
            return
        from aura_aio.cli import terminal  # noqa: PLC0415 - see there

        listed = list(rows)
        gap = 2 if terminal.least_width(columns, listed, gap=2) <= self.width else 1
        self.out.console.print(terminal.table(columns, listed, gap))

    def fields(self, pairs: Iterable[tuple[str, Piece | Sequence[Piece]]]) -> None:
        """Print names with their values, aligned; a value may have several lines."""
        listed = list(pairs)
        width = max((len(name) for name, _ in listed), default=0)
        for name, value in listed:
            lines = value if isinstance(value, list) else [value]
            for index, line in enumerate(lines):
                self.out.line(("" if index else name).ljust(width + 2), line)


def value_lines(value: Any) -> list[str]:
    """A JSON value as lines for a person."""
    if isinstance(value, str):
        return safe_lines(value)
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return safe_json(text).split("\n")


def brief_value(value: Any) -> str:
    """A value in one line of JSON; what has no JSON form as its `repr`."""
    return safe_json(msgspec.json.encode(value, enc_hook=repr).decode())


def status(word: str) -> Piece:
    """A status, of a run, worker or system, in its colour."""
    return word, STATUS_STYLES.get(word, "")


def _aligned(rows: Sequence[Sequence[str]], columns: Sequence[Column]) -> Iterable[str]:
    from rich.cells import cell_len  # noqa: PLC0415 - the server prints no tables

    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[index]) for row in cells) for index in range(len(columns))]
    for row in cells:
        padded = []
        for cell, width, column in zip(row, widths, columns, strict=True):
            gap = " " * (width - cell_len(cell))
            padded.append(gap + cell if column.right else cell + gap)
        yield "  ".join(padded).rstrip()
