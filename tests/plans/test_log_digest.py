"""The digest of an access log, and figures found in another way.

Imports the plan log_digest's own modules.
"""

import gzip
import re
import statistics
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from plans.log_digest.actions._digest import OTHER_PATHS, Digest, LogDigest, digest_file
from plans.log_digest.actions._durations import Durations
from plans.log_digest.actions._line import NO_PATH, TimeUnit
from plans.log_digest.actions._lines import LONGEST_LINE, LogFile, new_log
from plans.log_digest.actions._traffic import LogFormat, log_lines
from tests.plans.log_samples import COMBINED, COMMON


def _digest(path: Path, unit: TimeUnit = "auto", top: int = 10, least: int = 1) -> Digest:
    return digest_file(path, unit, top, least, lambda _: None)


def _digest_of(folder: Path, content: str | bytes) -> Digest:
    path = folder / "access.log"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return _digest(path)


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


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\x00\xff\x00\xff" * 9, gzip.compress(b"", mtime=0)]
)
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
