"""The digest of an access log: lines of real formats, and figures found in another way.

Imports the plan log_digest's own modules.
"""

import gzip
import re
import statistics
import time
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from plans.log_digest.actions._digest import OTHER_PATHS, Digest, LogDigest, digest_file
from plans.log_digest.actions._durations import Durations
from plans.log_digest.actions._line import NO_METHOD, NO_PATH, Hit, TimeUnit, parse
from plans.log_digest.actions._lines import LONGEST_LINE, LogFile, new_log
from plans.log_digest.actions._traffic import LogFormat, log_lines

# From the documentation of Apache's mod_log_config, and as nginx writes its predefined "combined".
COMMON = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
COMBINED = f'{COMMON} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
NGINX = (
    '192.0.2.7 - - [02/Mar/2026:09:30:00 +0100] "POST /api/cart?id=5 HTTP/2.0" 503 0 '
    '"-" "curl/8.5.0"'
)


def _digest(path: Path, unit: TimeUnit = "auto", top: int = 10, least: int = 1) -> Digest:
    return digest_file(path, unit, top, least, lambda _: None)


def _digest_of(folder: Path, content: str | bytes) -> Digest:
    path = folder / "access.log"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return _digest(path)


def test_lines_as_the_servers_document_them() -> None:
    apache = Hit("10/Oct/2000:13", "GET", "/apache_pb.gif", 200, 2326, None)
    assert parse(COMMON) == apache
    assert parse(COMBINED) == apache
    assert parse(NGINX) == Hit("02/Mar/2026:09", "POST", "/api/cart", 503, 0, None)


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("127.0.0.1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:192.0.2.1"),
        ("127.0.0.1", "client.example"),
        (" frank ", " frank the 2nd "),
        (" frank ", ' "" '),
        (" frank ", " "),
        (" HTTP/1.0", ""),
        (" HTTP/1.0", " HTTP/2"),
        ("pb.gif", "pb.gif?q=1&r=2"),
        ("/apache_pb.gif", "http://a.example/apache_pb.gif?q"),
        ("Mozilla", 'odd \\"client\\" '),
        ("Mozilla", "[1/Jan/2000:00:00:00 +0000] "),
        ("Mozilla", "\\x22"),
        ("start.html", "a\\\\"),
        ('"http://www.example.com/start.html"', '""'),
        ('Nav)"', 'Nav)" some "more \\"quoted\\" fields"'),
    ],
)
def test_what_changes_nothing_that_is_counted(part: str, instead: str) -> None:
    assert part in COMBINED
    assert parse(COMBINED.replace(part, instead)) == parse(COMBINED)


@pytest.mark.parametrize(
    ("request_line", "method", "path"),
    [
        ('GET /say\\"hi\\"?q=\\\\ HTTP/1.1', "GET", '/say\\"hi\\"'),
        ("GET /say\\x22hi HTTP/1.1", "GET", "/say\\x22hi"),
        ("GET /two words HTTP/1.1", "GET", "/two words"),
        ("GET http://a.example HTTP/1.1", "GET", "/"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*"),
        ("CONNECT a.example:443 HTTP/1.1", "CONNECT", "a.example:443"),
        ("\\x16\\x03\\x01", NO_METHOD, NO_PATH),
        ("GET", NO_METHOD, NO_PATH),
        ("-", NO_METHOD, NO_PATH),
        ("", NO_METHOD, NO_PATH),
    ],
)
def test_a_request_of_any_kind(request_line: str, method: str, path: str) -> None:
    for line in (COMMON, COMBINED):
        hit = parse(line.replace("GET /apache_pb.gif HTTP/1.0", request_line))
        assert hit is not None
        assert (hit.method, hit.path, hit.status, hit.size) == (method, path, 200, 2326)


def test_an_answer_without_a_body() -> None:
    hit = parse(COMMON.replace(" 2326", " -"))
    assert hit is not None
    assert hit.size == 0


@pytest.mark.parametrize(
    ("line", "unit", "taken_ms"),
    [
        (f"{COMBINED} 0.123", "auto", 123),
        (f"{COMBINED} 0.000", "auto", 0),
        (f"{COMMON} 1.5", "auto", 1500),
        (f"{COMBINED} 123456", "auto", 123.456),
        (f"{COMBINED} 123456", "ms", 123_456),
        (f"{COMBINED} 2", "s", 2000),
        (f'{COMBINED} "0.050"', "auto", 50),
        (f'{COMBINED} rt=0.250 uct="0.001" urt="0.249"', "auto", 250),
        (f"{COMBINED} request_time=0.250", "auto", 250),
        (f'{COMBINED} "198.51.100.4" 0.005 0.004 .', "auto", 5),
        (f'{COMBINED} "198.51.100.4"', "auto", None),
        (f"{COMBINED} -", "auto", None),
        (f"{COMBINED} https/443", "auto", None),
        (f'{COMBINED} "a 5 b" status=200 7.5', "auto", 7500),
        (f"{COMBINED} 1.2.3", "auto", None),
    ],
)
def test_a_request_time(line: str, unit: TimeUnit, taken_ms: float | None) -> None:
    hit = parse(line, unit)
    assert hit is not None
    assert hit.taken_ms == (None if taken_ms is None else pytest.approx(taken_ms))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "2026/03/02 10:11:12 [error] 1234#0: *5 upstream timed out",
        COMMON[:-20],
        COMMON.replace(" 200 ", " 999 "),
        COMMON.replace(" 200 ", " abc "),
        COMMON.replace("2326", "2326x"),
        COMMON.replace("[10/Oct/2000:13:55:36 -0700]", "[2000-10-10T13:55:36-07:00]"),
        COMMON.replace('"', "'"),
        COMBINED[:-1],
        "\ufffd" * 4,
    ],
)
def test_what_is_no_line_of_an_access_log(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "a b " + '[10/Oct/2000:13:55:36 -0700] "' * 1_000,
        COMMON.replace("/apache_pb.gif", '\\"' * 16_000),
        COMMON.replace("/apache_pb.gif", "/ HTTP/1." * 4_000),
        COMMON.replace("GET /apache_pb.gif HTTP/1.0", "A-" * 16_000),
        f'{COMMON} {"a" * 32_000}""',
        f"{COMMON} {'a_ ' * 10_000}",
        f"{COMMON} {chr(34) * 32_000}",
        "a " * 16_000,
        "a b " + "[" * 32_000,
    ],
)
def test_no_line_takes_long_to_read(line: str) -> None:
    """Long lines made to be hard take milliseconds; a rule that tracks back takes minutes."""
    start = time.perf_counter()
    parse(line)
    assert time.perf_counter() - start < 1


class Naive:
    """The same figures, found by splitting the lines at their quotes."""

    def __init__(self, lines: list[str]) -> None:
        self.hours: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.methods: Counter[str] = Counter()
        self.paths: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.sizes: Counter[str] = Counter()
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.bad = self.blank = 0
        for line in lines:
            if not line:
                self.blank += 1
            elif not self._take(line.replace('\\"', "'").split('"')):
                self.bad += 1

    def _take(self, parts: list[str]) -> bool:
        try:
            stamp = re.findall(r"\[(.*)\] $", parts[0])[0]
            hour = datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z")
            status, size = parts[2].split()
            words = parts[1].split()
            method, path = (
                (words[0], words[1].split("?")[0]) if len(words) == 3 else ("(none)", NO_PATH)
            )
        except (ValueError, IndexError):
            return False
        self.hours[f"{hour:%Y-%m-%d %H:00}"] += 1
        self.statuses[int(status)] += 1
        self.methods[method] += 1
        self.paths[path] += 1
        self.errors[path] += int(status) >= 400
        self.sizes[path] += 0 if size == "-" else int(size)
        if len(parts) > 6 and parts[6].strip():
            self.times[path].append(float(parts[6]) * 1000)
        return True


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(((k, n) for k, n in counts.items() if n), key=lambda item: (-item[1], item[0]))


@pytest.mark.parametrize("log_format", ["common", "combined", "timed"])
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_generated_log(
    tmp_path: Path, log_format: LogFormat, seed: int, compressed: bool
) -> None:
    lines = list(log_lines(6_000, seed, log_format, 3, 0.01))
    path = tmp_path / ("access.log.gz" if compressed else "access.log")
    with new_log(path) as file:
        file.writelines(line.encode() + b"\n" for line in lines)
    naive, found = Naive(lines), _digest(path, top=1000)

    assert found["lines"] == 6_000
    assert found["requests"] == naive.hours.total()
    assert (found["bad_lines"], found["blank_lines"]) == (naive.bad, naive.blank)
    assert naive.bad > 10
    assert found["bytes"] == naive.sizes.total()
    assert found["statuses"] == {str(status): n for status, n in sorted(naive.statuses.items())}
    assert found["status_classes"] == {
        f"{k}xx": sum(n for status, n in naive.statuses.items() if status // 100 == k)
        for k in range(1, 6)
    }
    assert found["errors"] == naive.errors.total()
    assert found["error_share"] == pytest.approx(found["errors"] / found["requests"], abs=1e-6)
    assert found["methods"] == naive.methods
    assert [(row["hour"], row["requests"]) for row in found["busiest_hours"]] == _ranked(
        naive.hours
    )
    assert (found["first_hour"], found["last_hour"]) == (min(naive.hours), max(naive.hours))
    assert [(row["path"], row["requests"]) for row in found["top_paths"]] == _ranked(naive.paths)
    assert [(row["path"], row["errors"]) for row in found["error_paths"]] == _ranked(naive.errors)
    assert {row["path"]: row["bytes"] for row in found["top_paths"]} == naive.sizes
    _compare_times(found, naive)


def _compare_times(found: Digest, naive: Naive) -> None:
    every = sorted(time for times in naive.times.values() for time in times)
    if not every:
        assert found["times"] is None
        assert found["slowest_paths"] == []
        return
    times = found["times"]
    assert times is not None
    assert times["requests"] == len(every)
    assert times["max_ms"] == pytest.approx(every[-1])
    assert times["mean_ms"] == pytest.approx(statistics.fmean(every), abs=0.001)
    for name, percent in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
        exact = every[-(-len(every) * percent // 100) - 1]
        assert times[name] == pytest.approx(exact, rel=0.0101)  # type: ignore[literal-required]
    slow = found["slowest_paths"]
    assert [row["mean_ms"] for row in slow] == sorted(
        (row["mean_ms"] for row in slow), reverse=True
    )
    assert {row["path"] for row in slow} == set(naive.times)
    for row in slow:
        expected = naive.times[row["path"]]
        assert row["requests"] == len(expected)
        assert row["mean_ms"] == pytest.approx(statistics.fmean(expected), abs=0.001)
        assert row["max_ms"] == pytest.approx(max(expected), abs=0.001)


def test_lists_have_the_length_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("\n".join(log_lines(3_000, 1, "timed", 3, 0)))
    found = _digest(path, top=3)
    for rows in (
        *(found["top_paths"], found["error_paths"], found["busiest_hours"]),
        *(found["slowest_paths"], found["methods"]),
    ):
        assert len(rows) == 3


def test_a_path_must_have_had_some_requests_to_be_slow(tmp_path: Path) -> None:
    fast, slow = f"{COMBINED} 0.010\n", COMBINED.replace("/apache", "/slow") + " 9.000\n"
    path = tmp_path / "access.log"
    path.write_text(fast * 5 + slow)
    assert _digest(path)["slowest_paths"][0]["path"] == "/slow_pb.gif"
    assert [row["path"] for row in _digest(path, least=2)["slowest_paths"]] == ["/apache_pb.gif"]


def test_bad_lines_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    bad = "x" * 500
    found = _digest_of(tmp_path, f"{COMMON}\n\n{bad}\n" + "what?\n" * 9 + f"{COMMON}\r\n   \n")
    assert (found["lines"], found["requests"]) == (14, 2)
    assert (found["bad_lines"], found["blank_lines"]) == (10, 2)
    examples = found["bad_line_examples"]
    assert [row["line"] for row in examples] == [3, 4, 5, 6, 7]
    assert examples[0]["text"] == "x" * 200 + "…"


def test_a_day_that_does_not_exist_makes_a_bad_line(tmp_path: Path) -> None:
    lines = [COMMON.replace("10/Oct", day) for day in ("31/Feb", "01/Foo", "00/Jan", "29/Feb")]
    found = _digest_of(tmp_path, "\n".join([*lines, COMMON.replace(":13:", ":24:")]))
    assert (found["requests"], found["bad_lines"]) == (1, 4)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\xff\x00\xff" * 9, gzip.compress(b"")])
def test_a_log_without_requests(tmp_path: Path, content: bytes) -> None:
    found = _digest_of(tmp_path, content)
    assert found["requests"] == found["errors"] == found["bytes"] == found["error_share"] == 0
    assert found["first_hour"] == found["last_hour"] == ""
    assert found["times"] is None
    assert not any("\0" in row["text"] for row in found["bad_line_examples"])


def test_bytes_that_are_no_characters(tmp_path: Path) -> None:
    line = COMBINED.encode().replace(b"/apache", b"/caf\xe9") + b"\n"
    found = _digest_of(tmp_path, line)
    assert found["top_paths"][0]["path"] == "/caf\ufffd_pb.gif"


def test_a_compressed_log_that_is_cut_off(tmp_path: Path) -> None:
    whole = gzip.compress(
        "".join(f"{line}\n" for line in log_lines(5_000, 1, "timed", 1, 0)).encode()
    )
    found = _digest_of(tmp_path, whole[: len(whole) // 2])
    assert found["ends_early"]
    assert 1_000 < found["requests"] < 5_000
    assert found["bad_lines"] == 0
    assert not _digest_of(tmp_path, whole)["ends_early"]


def test_a_compressed_log_that_is_broken(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress("\n".join(log_lines(5_000, 1, "timed", 1, 0)).encode()))
    whole[len(whole) // 2 : len(whole) // 2 + 200] = b"\xff" * 200
    with pytest.raises(ValueError, match="no intact gzip file"):
        _digest_of(tmp_path, bytes(whole))


def test_several_compressed_logs_in_one_file(tmp_path: Path) -> None:
    found = _digest_of(tmp_path, gzip.compress(f"{COMMON}\n".encode()) * 3)
    assert found["requests"] == 3


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"x" * (200 * LONGEST_LINE) + f"\n{COMMON}\n".encode())
    tracemalloc.start()
    try:
        lines = list(LogFile(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [len(line) for line in lines] == [LONGEST_LINE, len(COMMON) + 1]
    assert peak < 20 * LONGEST_LINE


def test_memory_does_not_grow_with_the_number_of_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plans.log_digest.actions._digest.MOST_PATHS", 50)

    def scanner() -> Iterator[str]:
        for number in range(1_000):
            yield COMMON.replace("/apache_pb.gif", f"/{number}").replace(" 200 ", " 404 ")

    digest = LogDigest()
    digest.add_lines(scanner())
    digest.add_lines([COMMON.replace("/apache_pb.gif", "/7")])
    paths = {row["path"]: row["requests"] for row in digest.result(1000)["top_paths"]}
    assert len(paths) == 51
    assert paths[OTHER_PATHS] == 950
    assert paths["/7"] == 2


def test_percentiles_of_durations() -> None:
    durations = Durations()
    assert durations.percentile(50) == durations.mean_ms == 0
    for number in range(1, 10_001):
        durations.add(number / 10)
    for percent in (1, 50, 90, 99, 99.9):
        assert durations.percentile(percent) == pytest.approx(percent * 10, rel=0.0101)
    assert durations.percentile(100) <= durations.max_ms == 1000
    zeros = Durations()
    zeros.add(0)
    assert zeros.percentile(99) == 0


def test_progress_grows_to_one_and_can_stop_the_work(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(f"{COMMON}\n" * 70_000)
    seen: list[float] = []
    digest_file(path, "auto", 3, 1, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) >= 4

    def stop(fraction: float) -> None:
        raise InterruptedError(f"stopped at {fraction}")

    with pytest.raises(InterruptedError, match="stopped"):
        digest_file(path, "auto", 3, 1, stop)
