"""The figures of a CSV file, checked against figures that are found in another way.

Imports the plan csv_report's own modules, and to check them csv, statistics and importlib.metadata.
"""

import csv
import importlib.metadata
import io
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from plans.csv_report.actions._columns import Aggregates
from plans.csv_report.actions._dialect import ONE_COLUMN
from plans.csv_report.actions._mess import Mess, Style, file_pieces, style_of
from plans.csv_report.actions._orders import HEADER
from plans.csv_report.actions._tallies import LONGEST_KEPT
from tests.plans.csv_profiles import column_of, profile_at, profile_of

NUMBERS = ("order_id", "quantity", "unit_price", "discount", "rating")
DATES = ("ordered_at", "shipped_on")


class Naive:
    """The same figures of a generated file, for one who knows how it was written."""

    def __init__(self, content: bytes, style: Style) -> None:
        text = content.decode("utf-16" if style.encoding == "utf-16-le" else style.encoding)
        text = text.removeprefix("\ufeff").replace("\0", "")
        self._style = style
        self._read = cache(self._as_value)  # it is asked for the same cells again and again
        csv.field_size_limit(1 << 24)  # the huge field is longer than the module's default
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=style.delimiter))
        assert rows[0] == list(HEADER)
        self.blank_lines = sum(not row for row in rows)
        self.rows = [[cell.strip() for cell in row] for row in rows[1:] if row]
        self.short = sum(len(row) < len(HEADER) for row in self.rows)
        self.long = sum(len(row) > len(HEADER) for row in self.rows)

    def cells(self, name: str) -> list[str]:
        index = HEADER.index(name)
        return [row[index] if index < len(row) else "" for row in self.rows]

    def missing(self, name: str) -> int:
        return sum(self._is_missing(cell) for cell in self.cells(name))

    def values(self, name: str) -> list[Any]:
        found = (self._read(name, cell) for cell in self.cells(name) if not self._is_missing(cell))
        return [value for value in found if value is not None]

    def invalid(self, name: str) -> int:
        return len(self.rows) - self.missing(name) - len(self.values(name))

    def valid_rows(self) -> int:
        return sum(
            len(row) == len(HEADER)
            and all(
                self._is_missing(cell) or self._read(name, cell) is not None
                for name, cell in zip(HEADER, row, strict=True)
            )
            for row in self.rows
        )

    @staticmethod
    def _is_missing(cell: str) -> bool:
        return cell in {"", "N/A", "null", "-"}

    def _as_value(self, name: str, cell: str) -> Any:
        if name in {"order_id", "quantity", "rating"}:
            return int(cell) if cell.isdigit() else None
        if name == "discount":
            return float(cell.replace(",", "."))
        if name == "unit_price":
            price = re.fullmatch(r"\$? ?([\d.,]+[.,]\d\d)(?: €)?", cell)
            return int(re.sub(r"\D", "", price[1])) / 100 if price else None
        if name in DATES:
            shape = self._style.date_format + (" %H:%M:%S" if name == "ordered_at" else "")
            try:
                return datetime.strptime(cell, shape)  # noqa: DTZ007
            except ValueError:
                return None
        return cell


@pytest.mark.parametrize("mess", ["none", "light", "heavy"])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 1234])
def test_a_generated_file(tmp_path: Path, mess: Mess, seed: int) -> None:
    content = b"".join(file_pieces(2_000, seed, mess))
    naive = Naive(content, style_of(seed, mess))
    found = profile_of(tmp_path, content)

    assert [column["name"] for column in found["columns"]] == list(HEADER)
    assert found["rows"] == len(naive.rows) == 2_000
    assert found["valid_rows"] == naive.valid_rows()
    for name in HEADER:
        column = column_of(found, name)
        values = naive.values(name)
        assert column["missing"] == naive.missing(name)
        assert column["invalid"] == naive.invalid(name)
        assert column["present"] == len(values)
        if name in NUMBERS:
            _compare_numbers(column, values)
        elif name in DATES:
            _compare_dates(column, values)
        else:
            _compare_texts(column, values)
        _compare_figures(found["figures"][name], column)
    counts = Counter(found["problem_counts"])
    assert counts["short row"] == naive.short
    assert counts["long row"] == naive.long
    assert counts["blank line"] == naive.blank_lines
    assert counts["not a number"] == sum(naive.invalid(name) for name in NUMBERS)
    assert counts["not a date"] == sum(naive.invalid(name) for name in DATES)
    if mess == "none":
        assert not counts
    if mess == "heavy":
        assert counts["NUL character"] > 0


def _compare_numbers(column: Aggregates, values: Sequence[float]) -> None:
    assert column["kind"] == "number"
    numbers = column["numbers"]
    assert numbers["min"] == min(values)
    assert numbers["max"] == max(values)
    assert numbers["median"] == statistics.median(values)
    assert numbers["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert numbers["sum"] == pytest.approx(sum(values), rel=1e-9)
    assert numbers["stdev"] == pytest.approx(statistics.stdev(values), rel=1e-9)
    bins = numbers["bins"]
    drawn = [value for value in values if bins[0]["start"] <= value <= bins[-1]["end"]]
    assert 0.98 * len(values) <= sum(bin_["count"] for bin_ in bins) <= len(drawn)
    for bin_ in bins[:-1]:
        if numbers["whole"]:
            expected = sum(bin_["start"] <= value <= bin_["end"] for value in values)
        else:
            expected = sum(bin_["start"] <= value < bin_["end"] for value in values)
        if bin_ is not bins[0]:  # the first one may begin within the values that are left out
            assert bin_["count"] == expected


def _compare_dates(column: Aggregates, values: Sequence[datetime]) -> None:
    assert column["kind"] == "date"
    dates = column["dates"]
    has_times = any(value.hour or value.minute or value.second for value in values)
    first, last = (
        str(value if has_times else value.date()) for value in (min(values), max(values))
    )
    assert (dates["first"], dates["last"]) == (first, last)
    months = Counter(f"{value:%Y-%m}" for value in values)
    assert {period["value"]: period["count"] for period in dates["per_period"]} == months


def _compare_texts(column: Aggregates, values: Sequence[str]) -> None:
    assert column["kind"] == "text"
    texts = column["texts"]
    counts = Counter(values)
    assert texts["distinct"] == len(counts)
    assert texts["distinct_is_exact"]
    assert texts["longest"] == max(map(len, values))
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]
    cut = [(value[:LONGEST_KEPT], count) for value, count in frequent]
    assert [(row["value"][:LONGEST_KEPT], row["count"]) for row in texts["most_frequent"]] == cut


def _compare_figures(figures: dict[str, Any], column: Aggregates) -> None:
    """The flat form tells the same."""
    for name in ("kind", "present", "missing", "invalid"):
        assert figures.pop(name) == {**column}[name]
    if "numbers" in column:
        assert figures == {name: {**column["numbers"]}[name] for name in figures}
        assert set(figures) == {"min", "max", "sum", "mean", "median", "stdev"}
        assert isinstance(figures["sum"], int if column["numbers"]["whole"] else float)
    elif "dates" in column:
        assert figures == {name: {**column["dates"]}[name] for name in ("first", "last")}
    elif "texts" in column:
        rows = column["texts"]["most_frequent"][:3]
        assert figures.pop("most_frequent") == {row["value"]: row["count"] for row in rows}
        assert figures == {"distinct": column["texts"]["distinct"]}


@pytest.mark.parametrize("package", ["mypy", "hypothesis", "aiohttp", "Pygments", "tomlkit"])
def test_a_real_file_of_an_installed_package(package: str) -> None:
    """Each installed package has a RECORD, a CSV file: path, digest, size, without a header."""
    files = importlib.metadata.files(package)
    assert files is not None
    record = next(file for file in files if file.name == "RECORD")
    found = profile_at(Path(str(record.locate())))
    path, digest, size = found["columns"]

    sizes = [file.size for file in files if file.size is not None]
    digests = {file.hash.value for file in files if file.hash is not None}
    assert found["rows"] == found["valid_rows"] == len(files)
    assert not found["format"]["has_header"]
    assert (path["kind"], digest["kind"], size["kind"]) == ("text", "text", "number")
    assert path["texts"]["distinct"] == len({str(file) for file in files})
    assert digest["texts"]["distinct"] == len(digests)
    assert digest["missing"] == sum(file.hash is None for file in files)
    assert size["missing"] == len(files) - len(sizes)
    numbers = size["numbers"]
    assert (numbers["min"], numbers["max"], numbers["sum"]) == (min(sizes), max(sizes), sum(sizes))
    assert numbers["whole"]
    _compare_numbers(size, sizes)


def test_a_real_file_of_onecolumn_of() -> None:
    """The list of all top-level domains, which a package ships: one word per line, no commas."""
    files = importlib.metadata.files("hypothesis")
    assert files is not None
    listed = next(file for file in files if file.name == "tlds-alpha-by-domain.txt")
    lines = Path(str(listed.locate())).read_text().splitlines()
    found = profile_at(Path(str(listed.locate())))
    assert found["format"]["delimiter"] == ONE_COLUMN
    assert found["rows"] == len(lines)
    (column,) = found["columns"]
    assert column["kind"] == "text"
    assert column["present"] + column["missing"] == len(lines)
    assert column["texts"]["distinct"] == len(set(lines)) - column["missing"]
