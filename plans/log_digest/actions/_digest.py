"""The digest of an access log, line by line. Imports the standard library only.

Memory does not grow with the log: paths beyond the first `MOST_PATHS` different ones are counted
together, and durations in buckets.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, TypedDict

from ._durations import Durations
from ._line import Hit, TimeUnit, parse
from ._lines import LogFile

#: A scanner asks for a new path each time: beyond so many, all new ones count as `OTHER_PATHS`.
MOST_PATHS: Final = 100_000
OTHER_PATHS: Final = "(other paths)"
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_BAD_LINES_SHOWN: Final = 5
_LONGEST_SHOWN: Final = 200
#: So many lines lie between two reports of how far the work is.
_LINES_PER_REPORT: Final = 20_000

#: Told how far the work is, from 0 to 1. What it raises (for a cancelled run) ends the work.
Progress = Callable[[float], None]


class PathCount(TypedDict):
    """A path, and how often it was asked for."""

    path: str
    requests: int
    errors: int
    bytes: int


class SlowPath(TypedDict):
    """A path, and how long its requests took."""

    path: str
    requests: int
    mean_ms: float
    max_ms: float


class HourCount(TypedDict):
    """An hour of the log's own time zone, as 2000-10-10 13:00, and its requests."""

    hour: str
    requests: int


class Times(TypedDict):
    """How long requests took; percentiles are exact to 1 %."""

    requests: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class BadLine(TypedDict):
    """A line in neither format."""

    line: int
    text: str


class Digest(TypedDict):
    """What a log tells."""

    lines: int
    requests: int
    bad_lines: int
    blank_lines: int
    first_hour: str
    last_hour: str
    bytes: int
    status_classes: dict[str, int]
    statuses: dict[str, int]
    methods: dict[str, int]
    errors: int  # 4xx and 5xx
    error_share: float  # of the requests, 0 to 1
    top_paths: list[PathCount]
    error_paths: list[PathCount]
    busiest_hours: list[HourCount]
    times: Times | None  # None: the log has no request times
    slowest_paths: list[SlowPath]
    bad_line_examples: list[BadLine]
    ends_early: bool  # a compressed log was cut off: the digest is of what could be read


class _PathTally:
    """What is counted of one path. Slots, because there may be a hundred thousand."""

    __slots__ = ("errors", "max_ms", "requests", "size", "timed", "total_ms")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.size = 0
        self.timed = 0
        self.total_ms = 0.0
        self.max_ms = 0.0

    def add(self, hit: Hit) -> None:
        self.requests += 1
        self.size += hit.size
        if hit.status >= 400:
            self.errors += 1
        if hit.taken_ms is not None:
            self.timed += 1
            self.total_ms += hit.taken_ms
            self.max_ms = max(self.max_ms, hit.taken_ms)


class LogDigest:
    """Takes lines, and tells what it has seen."""

    def __init__(self, unit: TimeUnit = "auto") -> None:
        self._unit: TimeUnit = unit
        self._lines = 0
        self._blank_lines = 0
        self._bad_lines = 0
        self._bad_line_examples: list[BadLine] = []
        self._hours: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._methods: Counter[str] = Counter()
        self._paths: dict[str, _PathTally] = {}
        self._durations = Durations()

    @property
    def lines(self) -> int:
        """How many lines have been counted."""
        return self._lines

    def add_lines(self, lines: Iterable[str]) -> None:
        """Counts `lines`, with or without their line ends."""
        for written in lines:
            self._lines += 1
            line = written.rstrip("\r\n")
            hit = parse(line, self._unit)
            if hit is not None and (hit.hour in self._hours or _hour(hit.hour) is not None):
                self._add(hit)
            elif not line.strip():
                self._blank_lines += 1
            else:
                self._note_bad(line)

    def result(self, top: int, min_requests: int = 1, *, ends_early: bool = False) -> Digest:
        """The digest, with `top` entries in each list.

        A path must have had `min_requests` timed requests to be among the slowest.
        """
        requests = self._hours.total()
        errors = sum(count for status, count in self._statuses.items() if status >= 400)
        hours = sorted(filter(None, map(_hour, self._hours)))
        return Digest(
            lines=self._lines,
            requests=requests,
            bad_lines=self._bad_lines,
            blank_lines=self._blank_lines,
            first_hour=hours[0] if hours else "",
            last_hour=hours[-1] if hours else "",
            bytes=sum(tally.size for tally in self._paths.values()),
            status_classes=_by_class(self._statuses),
            statuses={str(status): self._statuses[status] for status in sorted(self._statuses)},
            methods=dict(self._methods.most_common(top)),
            errors=errors,
            error_share=round(errors / requests, 6) if requests else 0.0,
            top_paths=self._top_paths(top),
            error_paths=self._error_paths(top),
            busiest_hours=self._busiest_hours(top),
            times=self._times(),
            slowest_paths=self._slowest_paths(top, min_requests),
            bad_line_examples=self._bad_line_examples,
            ends_early=ends_early,
        )

    def _add(self, hit: Hit) -> None:
        self._hours[hit.hour] += 1
        self._statuses[hit.status] += 1
        self._methods[hit.method] += 1
        if hit.taken_ms is not None:
            self._durations.add(hit.taken_ms)
        tally = self._paths.get(hit.path)
        if tally is None:
            path = hit.path if len(self._paths) < MOST_PATHS else OTHER_PATHS
            tally = self._paths.setdefault(path, _PathTally())
        tally.add(hit)

    def _note_bad(self, line: str) -> None:
        self._bad_lines += 1
        if len(self._bad_line_examples) < _BAD_LINES_SHOWN:
            shown = line if len(line) <= _LONGEST_SHOWN else line[:_LONGEST_SHOWN] + "…"
            self._bad_line_examples.append(BadLine(line=self._lines, text=shown))

    def _top_paths(self, top: int) -> list[PathCount]:
        counted = sorted(self._path_counts(), key=lambda row: (-row["requests"], row["path"]))
        return counted[:top]

    def _error_paths(self, top: int) -> list[PathCount]:
        counted = sorted(self._path_counts(), key=lambda row: (-row["errors"], row["path"]))
        return [row for row in counted[:top] if row["errors"]]

    def _path_counts(self) -> Iterator[PathCount]:
        for path, tally in self._paths.items():
            yield PathCount(
                path=path, requests=tally.requests, errors=tally.errors, bytes=tally.size
            )

    def _slowest_paths(self, top: int, min_requests: int) -> list[SlowPath]:
        slow = [
            SlowPath(
                path=path,
                requests=tally.timed,
                mean_ms=round(tally.total_ms / tally.timed, 3),
                max_ms=round(tally.max_ms, 3),
            )
            for path, tally in self._paths.items()
            if tally.timed >= max(1, min_requests)
        ]
        slow.sort(key=lambda row: (-row["mean_ms"], row["path"]))
        return slow[:top]

    def _busiest_hours(self, top: int) -> list[HourCount]:
        counted = ((_hour(hour) or hour, count) for hour, count in self._hours.items())
        ordered = sorted(counted, key=lambda item: (-item[1], item[0]))
        return [HourCount(hour=hour, requests=count) for hour, count in islice(ordered, top)]

    def _times(self) -> Times | None:
        durations = self._durations
        if not durations.count:
            return None
        return Times(
            requests=durations.count,
            mean_ms=round(durations.mean_ms, 3),
            p50_ms=round(durations.percentile(50), 3),
            p95_ms=round(durations.percentile(95), 3),
            p99_ms=round(durations.percentile(99), 3),
            max_ms=round(durations.max_ms, 3),
        )


def digest_file(
    path: Path, unit: TimeUnit, top: int, min_requests: int, on_progress: Progress
) -> Digest:
    """The digest of the log `path`, as `LogDigest.result` gives it."""
    digest, log = LogDigest(unit), LogFile(path)
    lines, counted = iter(log), -1
    while digest.lines > counted:
        counted = digest.lines
        digest.add_lines(islice(lines, _LINES_PER_REPORT))
        on_progress(log.fraction_read)
    return digest.result(top, min_requests, ends_early=log.ends_early)


def _by_class(statuses: Counter[int]) -> dict[str, int]:
    classes = dict.fromkeys(("1xx", "2xx", "3xx", "4xx", "5xx"), 0)
    for status, count in statuses.items():
        classes[f"{status // 100}xx"] += count
    return classes


def _hour(written: str) -> str | None:
    """10/Oct/2000:13 as 2000-10-10 13:00, which sorts by time; None for the 99th of October."""
    day, month, rest = written.split("/")
    year, _, hour = rest.partition(":")
    try:
        moment = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour))  # noqa: DTZ001
    except ValueError:
        return None
    return f"{moment:%Y-%m-%d %H:00}"
