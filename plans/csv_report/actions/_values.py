"""What one cell of a CSV file means: nothing, a number, a date, or text.

Imports the standard library only. Cells come in with the white space around them already removed.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

Mark = Literal[".", ","]

CellKind = Literal[
    "missing",
    "number",  # a number that says nothing about the decimal mark: 12, or 1.234
    "number with dot",  # proves that the decimal mark is a dot: 12.5, or 1,234.50
    "number with comma",  # proves that it is a comma: 12,5, or 1.234,50
    "code",  # digits that are a name rather than a quantity: 00123, or a card's number
    "date",  # a date that says nothing about the order of day and month: 2026-03-01, 01/02/2026
    "day first",  # proves day before month: 31/12/2026
    "month first",  # proves month before day: 12/31/2026
    "text",
]

#: What people and programs write for "no value", in lower case.
MISSING: Final = frozenset(
    {"", "-", "--", ".", "?", "\\n", "#n/a", "n/a", "na", "nan", "nil", "none", "null"}
)

#: A cell longer than this is text, whatever it holds; nothing longer is ever parsed or cached.
LONGEST_VALUE: Final = 64
#: So many different cells are remembered with their meaning; most columns repeat themselves.
_CACHED: Final = 16_384
#: Whole numbers with more digits than a float keeps exactly are identifiers.
MOST_DIGITS: Final = 15
#: Beyond this the square of a number, which the standard deviation needs, could overflow.
LARGEST_NUMBER: Final = 1e150

_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_DIGIT: Final = re.compile(r"[0-9]")
_NO_MARKS: Final = re.compile(r"[^0-9.,]")
_NUMBER: Final = re.compile(
    r"""
    [$€£¥]?\ ? (?P<sign>[+\-\u2212]?) [$€£¥]?\ ?
    (?P<digits> \d (?:[\d.,'\u2019\ \u00a0\u202f]*[\d.,])? | [.,]\d+ )
    (?P<power>[eE][+-]?\d{1,3})?
    [\ \u00a0]?[$€£¥]?
    """,
    re.ASCII | re.VERBOSE,
)
_SPACE: Final = re.compile(r"['\u2019 \u00a0\u202f]")
_SPACED: Final = re.compile(r"\d{1,3}(?:['\u2019 \u00a0\u202f]\d{3})+(?=[.,]|$)", re.ASCII)
_GROUPS: Final = {
    ",": re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII),
    ".": re.compile(r"\d{1,3}(?:\.\d{3})+", re.ASCII),
}

_TIME: Final = (
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<half>[AaPp][Mm])?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)
_DATES: Final = tuple(
    re.compile(pattern + _TIME, re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<one>\d{1,2})(?P<mark>[-/])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})",
        r"(?P<one>\d{1,2})/(?P<two>\d{1,2})/(?P<year>\d\d)",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<day>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})[ -](?P<year>\d{4})",
        r"(?P<name>[A-Za-z]{3,9}) (?P<day>\d{1,2}),? (?P<year>\d{4})",
    )
)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def classify(cell: str) -> CellKind:
    """The kind of `cell` on its own, before anything is known about its column."""
    return "text" if len(cell) > LONGEST_VALUE else _classify(cell)


@lru_cache(maxsize=_CACHED)
def _classify(cell: str) -> CellKind:
    if cell.lower() in MISSING:
        return "missing"
    if _WHOLE.fullmatch(cell):
        return "number"
    if not _DIGIT.search(cell):
        return "text"
    return _number_kind(cell) or _date_kind(cell) or ("code" if _is_code(cell) else "text")


def _number_kind(cell: str) -> CellKind | None:
    value = read_number(cell, ".")
    if value is None:
        return None
    if value != read_number(cell, ","):
        return "number"
    match _proven_mark(_NO_MARKS.sub("", cell)):
        case ".":
            return "number with dot"
        case ",":
            return "number with comma"
        case None:
            return "number"


def _date_kind(cell: str) -> CellKind | None:
    day_first, month_first = read_date(cell, day_first=True), read_date(cell, day_first=False)
    if day_first is None:
        return None if month_first is None else "month first"
    return "day first" if month_first is None else "date"


def is_missing(cell: str) -> bool:
    """Whether `cell` is one of the ways to write "no value" (`MISSING`)."""
    return len(cell) <= LONGEST_VALUE and cell.lower() in MISSING


@lru_cache(maxsize=_CACHED)
def read_number(cell: str, decimal_mark: Mark) -> float | None:
    """The number that `cell` writes, or None.

    A cell that can be read one way only is read that way: the last of two different marks is the
    decimal mark (1.234,50), a repeated one groups thousands (1,234,567), and one that is not
    followed by three digits is a decimal mark (12,5). `decimal_mark`, what the column uses, decides
    about the rest (1,234). Currency signs and spaces or apostrophes between thousands are allowed;
    identifiers (00123, or more than `MOST_DIGITS` digits) are not numbers.
    """
    if _WHOLE.fullmatch(cell):
        return float(cell)
    match = _NUMBER.fullmatch(cell)
    if match is None or _is_code(cell):
        return None
    digits = _ungroup_spaces(match["digits"])
    plain = None if digits is None else _with_dot(digits, decimal_mark)
    if plain is None:
        return None
    value = float(plain + (match["power"] or ""))
    if value > LARGEST_NUMBER:
        return None
    return -value if match["sign"] in {"-", "\u2212"} else value


def _is_code(cell: str) -> bool:
    digits = cell.lstrip("+-")
    if not (digits.isascii() and digits.isdigit()):
        return False
    return len(digits) > MOST_DIGITS or (len(digits) > 1 and digits[0] == "0")


def _ungroup_spaces(digits: str) -> str | None:
    """`digits` without spaces or apostrophes between thousands; None if those stand elsewhere."""
    if not _SPACE.search(digits):
        return digits
    match = _SPACED.match(digits)
    if match is None:
        return None
    rest = digits[match.end() :]
    if any(not (letter.isdigit() or letter in ".,") for letter in rest):
        return None
    return re.sub(r"\D", "", match[0]) + rest


def _with_dot(digits: str, decimal_mark: Mark) -> str | None:
    """`digits` in Python's spelling; None if its marks make no number."""
    mark = _proven_mark(digits) or decimal_mark
    grouping: Mark = "," if mark == "." else "."
    whole, _, fraction = digits.partition(mark)
    if mark in fraction or grouping in fraction:
        return None
    if grouping in whole:
        if not _GROUPS[grouping].fullmatch(whole):
            return None
        whole = whole.replace(grouping, "")
    return f"{whole or '0'}.{fraction or '0'}"


def _proven_mark(digits: str) -> Mark | None:
    """The decimal mark that `digits` can only have been written with, if that is certain."""
    dots, commas = digits.count("."), digits.count(",")
    if dots and commas:
        return "." if digits.rfind(".") > digits.rfind(",") else ","
    if dots + commas == 0:
        return None
    mark: Mark = "." if dots else ","
    if dots + commas > 1:
        return "," if dots else "."
    whole, _, fraction = digits.partition(mark)
    ambiguous = _GROUPS[mark].fullmatch(digits) is not None and not whole.startswith("0")
    return None if ambiguous and len(fraction) == 3 else mark


@lru_cache(maxsize=_CACHED)
def read_date(cell: str, *, day_first: bool) -> datetime | None:
    """The moment that `cell` writes, or None.

    Understood are 2026-03-01, 2026/3/1, 1.3.2026, 1/3/2026 and 1-3-2026 (where `day_first` says
    which number is the day), 1/3/26, 1 Mar 2026 and March 1, 2026, each with a time of day or
    without. A time with an offset is converted to UTC; one without is taken as UTC.
    """
    for pattern in _DATES:
        match = pattern.fullmatch(cell)
        if match is not None:
            return _moment(match.groupdict(), day_first=day_first)
    return None


def _moment(parts: dict[str, str | None], *, day_first: bool) -> datetime | None:
    if parts.get("one"):
        order = ("day", "month") if day_first else ("month", "day")
        parts[order[0]], parts[order[1]] = parts["one"], parts["two"]
    written_year = parts["year"] or ""
    year = int(written_year)
    month = _month_named(parts["name"]) if parts.get("name") else int(parts["month"] or 0)
    if len(written_year) == 2:
        year += 1900 if year >= 69 else 2000  # as POSIX reads %y
    zone = "+00:00" if parts["zone"] in {None, "Z"} else parts["zone"]
    time = f"{_hour(parts):02}:{parts['minute'] or '00'}:{parts['second'] or '00'}"
    fraction = (parts["fraction"] or "0")[:6]
    try:
        local = f"{year:04}-{month:02}-{int(parts['day'] or 0):02}T{time}.{fraction:0<6}{zone}"
        return datetime.fromisoformat(local).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _month_named(name: str | None) -> int:
    """1 to 12 for an English month's name, or its beginning; 0 if there is no such month."""
    wanted = (name or "").lower()
    wanted = "sep" if wanted == "sept" else wanted
    found = [number for number, month in enumerate(_MONTHS, 1) if wanted in {month, month[:3]}]
    return found[0] if found else 0


def _hour(parts: dict[str, str | None]) -> int:
    hour = int(parts["hour"] or 0)
    if not parts["half"]:
        return hour
    if not 1 <= hour <= 12:
        return 99  # 13 PM: no such hour, which makes it no date
    return hour % 12 + (12 if parts["half"].lower() == "pm" else 0)
