"""Which characters the bytes of a file stand for. Imports the standard library only.

The whole file is looked at, a block at a time: the one byte that decides may stand at its end.
"""

import codecs
from pathlib import Path
from typing import BinaryIO, Final

_BLOCK: Final = 1 << 20

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its first two bytes are UTF-16's mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: How files begin that are often taken for CSV files.
OTHER_FORMATS: Final = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)

_UNDEFINED_IN_CP1252: Final = b"\x81\x8d\x8f\x90\x9d"
_C1_BYTES: Final = bytes(range(0x80, 0xA0))


def detect_encoding(path: Path) -> str:
    """The encoding of `path`, as Python names it.

    A byte order mark decides; then UTF-16 without one (every other byte a NUL); then UTF-8, also
    with some broken bytes in it as long as most characters are right. What remains is Windows-1252
    or Latin-1; only the first has curly quotes and a euro sign.

    Raises ValueError for a file that is something else altogether, such as an Excel workbook.
    """
    with path.open("rb") as file:
        start = file.read(_BLOCK)
        for signature, what in OTHER_FORMATS:
            if start.startswith(signature):
                raise ValueError(f"{path.name} is {what}, not a CSV file: export it as CSV first")
        for mark, encoding in _BYTE_ORDER_MARKS:
            if start.startswith(mark):
                return encoding
        if wide := _utf16_without_mark(start):
            return wide
        file.seek(0)
        return _utf8_or_single_byte(file)


def _utf16_without_mark(start: bytes) -> str:
    """UTF-16's name if the bytes look like it: Western text has a NUL in each pair then."""
    pairs = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > 0.7 * pairs and even < 0.1 * pairs:
        return "utf-16-le"
    if even > 0.7 * pairs and odd < 0.1 * pairs:
        return "utf-16-be"
    return ""


def _utf8_or_single_byte(file: BinaryIO) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    beyond_ascii = broken = 0
    high_bytes: set[int] = set()
    while block := file.read(_BLOCK):
        text = decoder.decode(block)
        if block.isascii() and text.isascii():
            continue
        beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
        broken += text.count("\ufffd")
        high_bytes.update(byte for byte in set(block) if byte >= 0x80)
    rest = decoder.decode(b"", final=True)  # a character cut off at the end of the file
    beyond_ascii, broken = beyond_ascii + len(rest), broken + len(rest)
    if beyond_ascii - broken >= 3 * broken:
        return "utf-8"
    is_windows = not high_bytes.isdisjoint(_C1_BYTES)
    return "cp1252" if is_windows and high_bytes.isdisjoint(_UNDEFINED_IN_CP1252) else "latin-1"
