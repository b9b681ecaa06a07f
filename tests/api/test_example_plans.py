"""The example plans on a real server: their results against figures found in another way."""

import csv
import importlib.metadata
import re
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The server's data folder."""
    return tmp_path / "data"


@pytest.fixture
async def examples(make_server: MakeServer, data_dir: Path) -> Served:
    """A server with the plans of the repository."""
    return await make_server(data_dir=str(data_dir))


async def _result(server: Served, plan: str, task: str, **inputs: Any) -> Any:
    run = await server.finished(await server.run(plan, task, inputs=inputs), within=100)
    assert run["status"] == "succeeded", run
    return run["result"]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def _charts(report: Path) -> list[str]:
    """The images that a report shows."""
    names = re.findall(r"\(([^)]+\.svg)\)", report.read_text("utf-8"))
    return [(report.parent / name).read_text("utf-8") for name in names]


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


async def test_hello_greets(examples: Served) -> None:
    result = await _result(examples, "hello", "greet", name="Ada")
    assert result == {"greeting": "Hello, Ada!"}


async def test_csv_report_on_generated_data(examples: Served, data_dir: Path) -> None:
    made = await _result(examples, "csv_report", "generate", rows=5000, seed=7, mess="none")
    result = await _result(examples, "csv_report", "report", path=made["path"])
    rows = _rows(data_dir / "plans" / "csv_report" / made["path"])
    quantities = [int(row["quantity"]) for row in rows if row["quantity"]]
    assert result["rows"] == result["valid_rows"] == len(rows) == 5000
    figures = result["columns"]["quantity"]
    assert figures["missing"] == len(rows) - len(quantities)
    assert (figures["min"], figures["max"]) == (min(quantities), max(quantities))
    assert figures["sum"] == sum(quantities)
    assert figures["median"] == statistics.median(quantities)
    assert figures["mean"] == pytest.approx(statistics.fmean(quantities))
    assert figures["stdev"] == pytest.approx(statistics.stdev(quantities))
    charts = _charts(data_dir / "plans" / "csv_report" / result["report"])
    assert charts
    assert all(chart.startswith("<svg") for chart in charts)


async def test_csv_report_on_a_real_file(examples: Served) -> None:
    """The RECORD of an installed package: a CSV file of path, digest and size."""
    files = importlib.metadata.files("aiohttp")
    assert files is not None
    record = next(file for file in files if file.name == "RECORD")
    result = await _result(examples, "csv_report", "report", path=str(record.locate()))
    sizes = [file.size for file in files if file.size is not None]
    assert result["rows"] == len(files)
    (figures,) = [each for each in result["columns"].values() if each["kind"] == "number"]
    assert (figures["min"], figures["max"]) == (min(sizes), max(sizes))
    assert figures["sum"] == sum(sizes)


async def test_log_digest_on_a_hundred_thousand_lines(examples: Served, data_dir: Path) -> None:
    made = await _result(
        examples, "log_digest", "generate", lines=100_000, seed=3, format="combined"
    )
    found = await _result(examples, "log_digest", "digest", path=made["path"], top=5)
    quoted = r'"(?:[^"\\]|\\.)*"'
    pattern = re.compile(
        rf'\S+ \S+ .*? \[[^]]+\] (?:"(\S+) (\S+) \S+"|{quoted}) (\d{{3}}) (\d+|-) {quoted} {quoted}'
    )
    lines = _lines(data_dir / "plans" / "log_digest" / made["path"])
    matches = [match for line in lines if (match := pattern.fullmatch(line))]
    statuses = Counter(match[3] for match in matches)
    paths = Counter(match[2].split("?")[0] for match in matches if match[2])
    assert found["lines"] == len(lines) == 100_000
    assert found["requests"] == len(matches)
    assert found["bad_lines"] == sum(bool(line) for line in lines) - len(matches)
    assert found["bytes"] == sum(int(match[4]) for match in matches if match[4] != "-")
    errors = sum(count for status, count in statuses.items() if status >= "400")
    assert found["error_share"] == pytest.approx(errors / len(matches), abs=1e-6)
    top = [(row["path"], row["requests"]) for row in found["top_paths"]]
    assert top == sorted(paths.items(), key=lambda item: (-item[1], item[0]))[:5]


async def test_site_check_on_this_server(examples: Served) -> None:
    urls = [examples.url + "/healthz", examples.url + "/api/no/such"]
    result = await _result(examples, "site_check", "check", urls=urls)
    assert [(row["url"], row["status"], row["ok"]) for row in result["table"]] == [
        (urls[0], 200, True),
        (urls[1], 404, False),
    ]
