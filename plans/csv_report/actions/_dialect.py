"""How a CSV file is written: its delimiter, its quotes, where its header stands.

Decided on the first quarter of a megabyte. Imports the standard library only.
"""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypedDict

from ._encoding import detect_encoding
from ._header import column_names, is_header

#: How much of a file is looked at to find its dialect, in characters, and in records.
SAMPLE_CHARACTERS: Final = 256 * 1024
SAMPLE_RECORDS: Final = 1_000
#: A field of the file may be this long, in characters; the limit is the whole process's.
LONGEST_FIELD: Final = 16 * 1024 * 1024

DELIMITERS: Final = (",", ";", "\t", "|")
#: Stands for "there is no delimiter": a control character that separates nothing in practice.
ONE_COLUMN: Final = "\x1f"
#: So many lines may stand above the header: a title, the date of the export.
MOST_TITLE_LINES: Final = 20

_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?(?:\r\n?|\n|$)', re.IGNORECASE)
_BACKSLASH_QUOTE: Final = re.compile(r'[^\\]\\"[^,;\t|\r\n]')
_DOUBLED_QUOTE: Final = re.compile(r'[^",;\t|\r\n]""[^",;\t|\r\n]')
_SINGLE_QUOTED: Final = re.compile(r"(?:^|[,;\t|])'[^'\r\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
#: A delimiter in a cell, but for the comma of running text.
_FOREIGN: Final = re.compile(r",(?! )|[;\t|]")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[\d.]*\d,\d+")


class Format(TypedDict):
    """What is known about a CSV file before its rows are read. Travels between steps as JSON."""

    path: str
    size_bytes: int
    encoding: str
    delimiter: str
    quote: str  # '"', "'", or "" when quotes are ordinary characters
    escape: str  # "\\" when a quote within quotes is written \", else ""
    skip_lines: int  # lines above the header or the first row: a title, Excel's "sep=;"
    has_header: bool
    columns: list[str]


class Wishes(NamedTuple):
    """What the caller knows better than the detection; "auto" leaves it to the detection."""

    encoding: str = "auto"
    delimiter: str = "auto"
    quote: str = "auto"
    header: Literal["auto", "yes", "no"] = "auto"


class Sampled(NamedTuple):
    """A record of the sample, and the line of the sample that it ends on, from 1."""

    last_line: int
    cells: list[str]


def detect_format(path: Path, wishes: Wishes) -> Format:
    """The format of the CSV file `path`.

    Raises ValueError for a file that is no CSV, and LookupError for an encoding unknown to Python.
    """
    encoding = detect_encoding(path) if wishes.encoding == "auto" else wishes.encoding
    sample = read_sample(path, encoding)
    quote = quote_of(sample) if wishes.quote == "auto" else wishes.quote
    escape = "\\" if quote == '"' and _escapes_with_backslash(sample) else ""
    excel_hint = _SEPARATOR_LINE.match(sample)
    skip_lines, body = (1, sample[excel_hint.end() :]) if excel_hint else (0, sample)
    delimiter = excel_hint[1] if excel_hint else delimiter_of(sample, quote, escape)
    if wishes.delimiter != "auto":
        delimiter = wishes.delimiter
    records = _sampled(body, csv_dialect(delimiter, quote, escape))
    width = _usual_width(records)
    title_lines = _title_lines(records, width)
    rows = [record.cells for record in records if record.cells and record.last_line > title_lines]
    has_header = is_header(rows) if wishes.header == "auto" else wishes.header == "yes"
    return Format(
        path=str(path),
        size_bytes=path.stat().st_size,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        escape=escape,
        skip_lines=skip_lines + title_lines,
        has_header=has_header,
        columns=column_names(rows[0] if has_header and rows else [], width),
    )


def csv_dialect(delimiter: str, quote: str, escape: str) -> csv.Dialect:
    """The dialect with which the csv module reads such a file."""
    dialect = csv.excel()
    dialect.delimiter = delimiter
    dialect.quotechar = quote or '"'
    dialect.quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    dialect.escapechar = escape or None
    dialect.doublequote = not escape
    return dialect


def read_sample(path: Path, encoding: str) -> str:
    """The file's beginning without NULs, cut after its last whole line."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE_CHARACTERS)
        is_cut = file.read(1) != ""
    last_end = max(sample.rfind("\n"), sample.rfind("\r"))
    return (sample[: last_end + 1] if is_cut and last_end >= 0 else sample).replace("\0", "")


def quote_of(sample: str) -> str:
    """The quote character of the sample: " unless fields are plainly quoted with '."""
    return "'" if '"' not in sample and len(_SINGLE_QUOTED.findall(sample)) > 1 else '"'


def delimiter_of(sample: str, quote: str, escape: str) -> str:
    """The delimiter that cuts the sample into the most even, most sensible table.

    `ONE_COLUMN` if none cuts it at all.
    """
    scores = {
        delimiter: _evenness(_sampled(sample, csv_dialect(delimiter, quote, escape)), delimiter)
        for delimiter in DELIMITERS
    }
    best = max(DELIMITERS, key=scores.__getitem__)
    return best if scores[best] > 0 else ONE_COLUMN


def _evenness(records: list[Sampled], delimiter: str) -> float:
    """0 to 1: the share of records of the usual width, times that of cells that look whole."""
    width = _usual_width(records)
    if width < 2:
        return 0.0
    rows = [record.cells for record in records if record.cells]
    even = sum(len(row) == width for row in rows) / len(rows)
    cells = [cell for row in rows for cell in row]
    whole = sum(_is_whole(cell, delimiter) for cell in cells) / len(cells)
    return even * whole


def _is_whole(cell: str, delimiter: str) -> bool:
    """Whether no other delimiter is left in `cell`; the comma of a number does not count."""
    if _DECIMAL_COMMA.fullmatch(cell):
        return True
    return _FOREIGN.search(cell.replace(delimiter, "")) is None


def _escapes_with_backslash(sample: str) -> bool:
    return bool(_BACKSLASH_QUOTE.search(sample)) and not _DOUBLED_QUOTE.search(sample)


def _sampled(text: str, dialect: csv.Dialect) -> list[Sampled]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), dialect)
    return [
        Sampled(reader.line_num, [cell.strip() for cell in row])
        for row, _ in zip(reader, range(SAMPLE_RECORDS), strict=False)
    ]


def _usual_width(records: list[Sampled]) -> int:
    """How many cells most records have; the larger number if two are as frequent."""
    widths = Counter(len(record.cells) for record in records if record.cells)
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _title_lines(records: list[Sampled], width: int) -> int:
    """The number of the last line above the table: lines with at most one cell filled."""
    if width < 3:
        return 0
    last_line = 0
    for record in records[: MOST_TITLE_LINES + 1]:
        filled = sum(cell != "" for cell in record.cells)
        if filled > 1:
            return last_line if filled >= width / 2 else 0
        last_line = record.last_line
    return 0
