"""The records of a CSV file, one after the other, in constant memory. Standard library only."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from ._dialect import LONGEST_FIELD, Format, csv_dialect

#: A file without line ends is read up to here, in characters, and then refused.
LONGEST_LINE: Final = 4 * LONGEST_FIELD


class Record(NamedTuple):
    """One record: the line of the file that it starts on (from 1), and its cells, stripped."""

    line: int
    cells: list[str]


class CsvReader:
    """Reads the records below the header of one file, once, and counts what it had to overlook."""

    def __init__(self, source: Format) -> None:
        self.blank_lines = 0
        self.nul_characters = 0
        self.undecodable_characters = 0
        #: The line of the quote that nothing closes, or 0.
        self.unclosed_quote_line = 0
        self._source = source
        self._file: TextIO | None = None
        self._quotes_in_record = 0

    @property
    def fraction_read(self) -> float:
        """How much of the file has been read, 0 to 1. May be asked while the records are read."""
        if self._file is None:
            return 0.0
        if self._file.closed:
            return 1.0
        return min(1.0, self._file.buffer.tell() / max(1, self._source["size_bytes"]))

    def __iter__(self) -> Iterator[Record]:
        """The records. Raises ValueError where the file can't be a CSV file any more."""
        source = self._source
        with Path(source["path"]).open(
            encoding=source["encoding"], errors="replace", newline=""
        ) as file:
            self._file = file
            for _ in range(source["skip_lines"]):
                file.readline(LONGEST_LINE)
            yield from self._records(file)

    def _records(self, file: TextIO) -> Iterator[Record]:
        source = self._source
        skipped, lines_before = source["skip_lines"], 0
        csv.field_size_limit(LONGEST_FIELD)
        dialect = csv_dialect(source["delimiter"], source["quote"], source["escape"])
        reader = csv.reader(self._lines(file), dialect)
        header_is_ahead = source["has_header"]
        try:
            for row in reader:
                line, lines_before = skipped + lines_before + 1, reader.line_num
                self._note_quotes(line, skipped + reader.line_num)
                if not row:
                    self.blank_lines += 1
                elif header_is_ahead:
                    header_is_ahead = False
                else:
                    yield Record(line, [cell.strip() for cell in row])
        except csv.Error as error:
            raise ValueError(
                f"Line {skipped + lines_before + 1} of {source['path']} begins a record that can't "
                f"be read ({error}). If a quote there never closes, run with quote: none."
            ) from error

    def _lines(self, file: TextIO) -> Iterator[str]:
        quote = self._source["quote"]
        while line := file.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise ValueError(f"{self._source['path']} has no line ends: it is no CSV file")
            if "\0" in line:
                self.nul_characters += line.count("\0")
                line = line.replace("\0", "")
            if not line.isascii():
                self.undecodable_characters += line.count("\ufffd")
            if quote:
                self._quotes_in_record += line.count(quote)
            yield line

    def _note_quotes(self, first_line: int, last_line: int) -> None:
        """An odd number of quotes in a record of several lines: only the last one can be like that.

        The csv module takes such a record as it is, up to the end of the file.
        """
        is_open = self._quotes_in_record % 2 == 1 and last_line > first_line
        self.unclosed_quote_line = first_line if is_open else 0
        self._quotes_in_record = 0
