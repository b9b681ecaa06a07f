"""Values as people read them: safe text, local times, durations, sizes of things.

May import the standard library only.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

# Control characters (C0, DEL, C1), what reorders text (bidi), line and paragraph separators, and
# lone surrogates: raw, they would let a log line or a name steer the terminal or fake other text.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_COLOUR: Final = re.compile("\x1b\\[[0-9;:]*m")
_NO_REST: Final = re.compile(r"\.0(?= s)| 00 [smh]$")
_LINE_END: Final = re.compile("\r\n|\n")


def safe(text: str) -> str:
    """`text` in one line, with nothing in it that steers a terminal.

    Colours (SGR sequences) are left out, a tab is a space, every other control character is shown
    as its escape, like `\\x1b`.
    """
    return _UNSAFE.sub(_escape, _COLOUR.sub("", text).replace("\t", " "))


def safe_lines(text: str) -> list[str]:
    """The lines of `text`, each `safe`; tabs become columns, the end of the text needs no \\n."""
    lines = _LINE_END.split(text.removesuffix("\n"))
    return [safe(line.expandtabs(4)) for line in lines]


def safe_json(text: str) -> str:
    """JSON `text` that means the same, with what could steer a terminal written as `\\uXXXX`.

    Line ends and tabs stand between values only, and stay.
    """
    return _UNSAFE.sub(_escape_json, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _escape_json(match: re.Match[str]) -> str:
    return match[0] if match[0] in "\t\r\n" else f"\\u{ord(match[0]):04x}"


def moment(rfc3339: str) -> datetime:
    """A time of the wire, in the local time zone."""
    return datetime.fromisoformat(rfc3339).astimezone()


def local_time(rfc3339: str) -> str:
    """`2026-03-02 12:15:00`."""
    return moment(rfc3339).strftime("%Y-%m-%d %H:%M:%S")


def brief_time(rfc3339: str, now: float, *, narrow: bool) -> str:
    """`12:15:00` today, `Mar 02 12:15` (narrow: `Mar 02`) this year, `2025-03-02` (narrow:
    `2025-03`) before; `now` in seconds since the epoch.
    """
    then, today = moment(rfc3339), datetime.fromtimestamp(now, UTC).astimezone()
    if then.date() == today.date():
        return then.strftime("%H:%M:%S")
    if then.year == today.year:
        return then.strftime("%b %d" if narrow else "%b %d %H:%M")
    return then.strftime("%Y-%m" if narrow else "%Y-%m-%d")


def log_time(then: datetime, today: datetime | None) -> str:
    """`12:15:00.130`, with the date in front unless it is that of `today`."""
    shape = "%H:%M:%S" if today and then.date() == today.date() else "%Y-%m-%d %H:%M:%S"
    return f"{then.strftime(shape)}.{then.microsecond // 1000:03d}"


def duration(seconds: float) -> str:
    """`18 ms`, `3.2 s`, `2 m 05 s`, `1 h 03 m`, `2 d 04 h`."""
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, part, part_size in (("m", 60, "s", 1), ("h", 3600, "m", 60)):
        if whole < size * (60 if unit == "m" else 24):
            return f"{whole // size} {unit} {whole % size // part_size:02d} {part}"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def period(seconds: float) -> str:
    """A duration that was chosen, so mostly a round one: `5 m` for `5 m 00 s`."""
    return _NO_REST.sub("", duration(seconds))


def between(start: str, end: str) -> float:
    """Seconds from one time of the wire to another."""
    return (moment(end) - moment(start)).total_seconds()


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 run`, `2,000 runs`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
