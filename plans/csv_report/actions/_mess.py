"""Writes orders as a CSV file, with what goes wrong in exports of such data.

Imports the standard library only. The same seed gives the same file.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from random import Random
from typing import Final, Literal, NamedTuple

from ._orders import HEADER, Order, orders

Mess = Literal["none", "light", "heavy"]


class Style(NamedTuple):
    """How a file is written."""

    encoding: str
    delimiter: str
    decimal_mark: str
    date_format: str
    line_end: str
    byte_order_mark: bytes = b""


class Mischief(NamedTuple):
    """How often what goes wrong: shares of all rows, or of all cells that it can happen to."""

    missing_cell: float = 0.0
    wrong_cell: float = 0.0
    padded_cell: float = 0.0
    other_number: float = 0.0
    line_break: float = 0.0
    nul: float = 0.0
    short_row: float = 0.0
    long_row: float = 0.0
    blank_line: float = 0.0
    huge_note_at_row: int = -1


_ISO: Final = "%Y-%m-%d"
_STYLES: Final[dict[Mess, tuple[Style, ...]]] = {
    "none": (Style("utf-8", ",", ".", _ISO, "\n"),),
    "light": (
        Style("utf-8", ",", ".", _ISO, "\r\n", codecs.BOM_UTF8),
        Style("utf-8", ";", ",", "%d.%m.%Y", "\r\n"),
    ),
    "heavy": (
        Style("cp1252", ";", ",", "%d.%m.%Y", "\r\n"),
        Style("latin-1", ";", ",", "%d/%m/%Y", "\n"),
        Style("utf-16-le", "\t", ".", "%m/%d/%Y", "\r\n", codecs.BOM_UTF16_LE),
        Style("utf-8", "|", ".", _ISO, "\n", codecs.BOM_UTF8),
    ),
}
_MISCHIEF: Final[dict[Mess, Mischief]] = {
    "none": Mischief(),
    "light": Mischief(
        missing_cell=0.02,
        wrong_cell=0.003,
        padded_cell=0.01,
        line_break=0.01,
        short_row=0.002,
        long_row=0.002,
        blank_line=0.002,
    ),
    "heavy": Mischief(
        missing_cell=0.05,
        wrong_cell=0.02,
        padded_cell=0.05,
        other_number=0.1,
        line_break=0.03,
        nul=0.005,
        short_row=0.01,
        long_row=0.01,
        blank_line=0.01,
        huge_note_at_row=7,
    ),
}
_NOTHING: Final = ("", "", "", "N/A", "null", "-")
_WRONG: Final = ("unknown", "see note", "#REF!", "??", "12a")
_HUGE_NOTE: Final = "lorem ipsum, " * 20_000


def style_of(seed: int, mess: Mess) -> Style:
    """How the file of that seed is written."""
    styles = _STYLES[mess]
    return styles[seed % len(styles)]


def file_pieces(count: int, seed: int, mess: Mess) -> Iterator[bytes]:
    """The bytes of a file of `count` orders: the header, then one piece for each row."""
    random = Random(seed)  # noqa: S311 - made-up data is to be repeatable, not secret
    style, mischief = style_of(seed, mess), _MISCHIEF[mess]
    yield style.byte_order_mark + _line(list(HEADER), style)
    for number, order in enumerate(orders(count, random)):
        cells = _with_wrong_cells(_written(order, style), mischief, random)
        if number == mischief.huge_note_at_row:
            cells["note"] = _HUGE_NOTE
        row = _with_wrong_width(list(cells.values()), mischief, random)
        blank = style.line_end if random.random() < mischief.blank_line else ""
        yield _line(row, style) + blank.encode(style.encoding)


def _line(cells: list[str], style: Style) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=style.delimiter, lineterminator=style.line_end).writerow(cells)
    return buffer.getvalue().encode(style.encoding, errors="replace")


def _written(order: Order, style: Style) -> dict[str, str]:
    """The order's cells by the column's name; what is missing is empty."""
    cells = {name: "" if value is None else str(value) for name, value in order._asdict().items()}
    cells["ordered_at"] = order.ordered_at.strftime(f"{style.date_format} %H:%M:%S")
    cells["unit_price"] = f"{order.unit_price:.2f}".replace(".", style.decimal_mark)
    cells["discount"] = f"{order.discount:g}".replace(".", style.decimal_mark)
    if order.shipped_on is not None:
        cells["shipped_on"] = order.shipped_on.strftime(style.date_format)
    return cells


def _with_wrong_cells(cells: dict[str, str], mischief: Mischief, random: Random) -> dict[str, str]:
    if random.random() < mischief.other_number:
        cells["unit_price"] = _otherwise_written(cells["unit_price"], random)
    if random.random() < mischief.line_break:
        cells["note"] += "\nsecond line"
    if random.random() < mischief.nul:
        cells["city"] += "\0"
    for name in HEADER[1:]:
        if random.random() < mischief.missing_cell:
            cells[name] = random.choice(_NOTHING)
        elif random.random() < mischief.padded_cell:
            cells[name] = f"  {cells[name]} "
    for name in ("quantity", "unit_price", "shipped_on"):
        if random.random() < mischief.wrong_cell:
            cells[name] = random.choice(_WRONG)
    return cells


def _with_wrong_width(row: list[str], mischief: Mischief, random: Random) -> list[str]:
    if random.random() < mischief.short_row:
        return row[: random.randrange(3, len(row))]
    if random.random() < mischief.long_row:
        return [*row, "one", "too many"]
    return row


def _otherwise_written(price: str, random: Random) -> str:
    """The same price as another program, or another country, writes it."""
    value = float(price.replace(",", "."))
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    return random.choice((english, german, f"{value:.2f}", f"$ {english}", f"{german} €"))
