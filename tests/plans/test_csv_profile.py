"""The figures of a CSV file, checked against figures that are found in another way.

Imports the plan csv_report's own modules, and to check them csv, statistics and importlib.metadata.
"""

import csv
import importlib.metadata
import io
import re
import statistics
from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from plans.csv_report.actions._columns import Aggregates
from plans.csv_report.actions._dialect import ONE_COLUMN, Wishes, detect_format
from plans.csv_report.actions._mess import Mess, Style, file_pieces, style_of
from plans.csv_report.actions._orders import HEADER
from plans.csv_report.actions._profile import DESCRIBED, ROWS_PER_REPORT, Profile, read_profile
from plans.csv_report.actions._ranks import at_ranks, median
from plans.csv_report.actions._tallies import LONGEST_KEPT, TextTally

NUMBERS = ("order_id", "quantity", "unit_price", "discount", "rating")
DATES = ("ordered_at", "shipped_on")


def _profile(path: Path, wishes: Wishes | None = None) -> Profile:
    return read_profile(detect_format(path, wishes or Wishes()), lambda _: None)


def _profile_of(folder: Path, content: str | bytes, wishes: Wishes | None = None) -> Profile:
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return _profile(path, wishes)


def _column(profile: Profile, name: str) -> Aggregates:
    return next(column for column in profile["columns"] if column["name"] == name)


class Naive:
    """The same figures of a generated file, for one who knows how it was written."""

    def __init__(self, content: bytes, style: Style) -> None:
        text = content.decode("utf-16" if style.encoding == "utf-16-le" else style.encoding)
        text = text.removeprefix("\ufeff").replace("\0", "")
        self._style = style
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

    def _read(self, name: str, cell: str) -> Any:
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
    found = _profile_of(tmp_path, content)

    assert [column["name"] for column in found["columns"]] == list(HEADER)
    assert found["rows"] == len(naive.rows) == 2_000
    assert found["valid_rows"] == naive.valid_rows()
    for name in HEADER:
        column = _column(found, name)
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
    found = _profile(Path(str(record.locate())))
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


def test_a_real_file_of_one_column() -> None:
    """The list of all top-level domains, which a package ships: one word per line, no commas."""
    files = importlib.metadata.files("hypothesis")
    assert files is not None
    listed = next(file for file in files if file.name == "tlds-alpha-by-domain.txt")
    lines = Path(str(listed.locate())).read_text().splitlines()
    found = _profile(Path(str(listed.locate())))
    assert found["format"]["delimiter"] == ONE_COLUMN
    assert found["rows"] == len(lines)
    (column,) = found["columns"]
    assert column["kind"] == "text"
    assert column["present"] + column["missing"] == len(lines)
    assert column["texts"]["distinct"] == len(set(lines)) - column["missing"]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\n", b"\r\n", b"\0\0\0", b"   \n"])
def test_a_file_without_anything(tmp_path: Path, content: bytes) -> None:
    found = _profile_of(tmp_path, content)
    assert found["valid_rows"] == found["rows"] <= 1
    assert all(column["kind"] == "empty" for column in found["columns"])


def test_a_file_with_a_header_alone(tmp_path: Path) -> None:
    found = _profile_of(tmp_path, "id;name\n")
    assert found["rows"] == 0
    assert [(c["name"], c["kind"], c["missing"]) for c in found["columns"]] == [
        ("id", "empty", 0),
        ("name", "empty", 0),
    ]


def test_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    for line_end in ("\n", "\r\n", "\r"):
        found = _profile_of(tmp_path, line_end.join(["id,name", "1,Anna", "2,Ben"]))
        assert found["rows"] == 2
        assert _column(found, "id")["numbers"]["sum"] == 3


def test_ragged_rows_are_named_by_their_line(tmp_path: Path) -> None:
    content = 'id,name,note\n1,Anna,"two\nlines"\n2\n\n3,Ben,x,more,still more\nx,Zoë,\n' + (
        "4,Max,y\n" * 20
    )
    found = _profile_of(tmp_path, content)
    assert found["problem_counts"] == {
        "short row": 1,
        "long row": 1,
        "not a number": 1,
        "blank line": 1,
    }
    assert [(p["line"], p["column"], p["kind"], p["detail"]) for p in found["problems"]] == [
        (0, "", "blank line", "1 skipped"),
        (4, "", "short row", "1 cells, of 3 columns"),
        (6, "", "long row", "5 cells, of 3 columns"),
        (7, "id", "not a number", "x"),
    ]
    assert found["rows"] == 24
    assert found["valid_rows"] == 21
    assert _column(found, "name")["missing"] == 1


def test_of_each_kind_of_problem_the_first_are_described(tmp_path: Path) -> None:
    content = "id,name\n" + "1,Anna\n" * 900 + "x,Ben\n" * 50
    found = _profile_of(tmp_path, content)
    assert found["problem_counts"] == {"not a number": 50}
    assert [problem["line"] for problem in found["problems"]] == [902 + i for i in range(DESCRIBED)]


def test_mixed_decimal_marks(tmp_path: Path) -> None:
    cells = ["1.234,50", "1,234.50", "12,5", "0,25", "1.234", "1234", "$ 3,00", "7,5"]
    found = _profile_of(tmp_path, "sum;x\n" + "".join(f"{cell};a\n" for cell in cells))
    # Most cells prove a decimal comma, so that 1.234 is more than a thousand.
    expected = [1234.5, 1234.5, 12.5, 0.25, 1234, 1234, 3, 7.5]
    assert _column(found, "sum")["numbers"]["sum"] == sum(expected)
    assert _column(found, "sum")["numbers"]["median"] == statistics.median(expected)


def test_the_order_of_day_and_month_is_the_columns(tmp_path: Path) -> None:
    american = _profile_of(tmp_path, "at,x\n01/02/2026,1\n12/31/2026,2\n03/04/2026,3\n")
    assert _column(american, "at")["dates"]["first"] == "2026-01-02"
    european = _profile_of(tmp_path, "at,x\n01/02/2026,1\n31/12/2026,2\n03/04/2026,3\n")
    assert _column(european, "at")["dates"]["first"] == "2026-02-01"


def test_codes_are_text(tmp_path: Path) -> None:
    content = "postcode,n\n" + "".join(f"{number:05},1\n" for number in range(9_900, 10_500))
    assert _column(_profile_of(tmp_path, content), "postcode")["kind"] == "text"


def test_a_few_wrong_cells_do_not_change_the_type_and_many_do(tmp_path: Path) -> None:
    few = _profile_of(tmp_path, "n,x\n" + "1,a\n" * 90 + "?!,a\n" * 10)
    assert (_column(few, "n")["kind"], _column(few, "n")["invalid"]) == ("number", 10)
    many = _profile_of(tmp_path, "n,x\n" + "1,a\n" * 89 + "?!,a\n" * 11)
    assert (_column(many, "n")["kind"], _column(many, "n")["invalid"]) == ("text", 0)


def test_a_sorted_file_whose_type_shows_at_its_end(tmp_path: Path) -> None:
    found = _profile_of(tmp_path, "n,x\n" + "1,a\n" * 40_000 + "word,a\n" * 60_000)
    assert _column(found, "n")["kind"] == "text"
    assert _column(found, "n")["texts"]["most_frequent"][0] == {"value": "word", "count": 60_000}


def test_nuls_are_removed_and_counted(tmp_path: Path) -> None:
    found = _profile_of(tmp_path, b"id,na\0me\n1,An\0\0na\n2,Ben\n")
    assert found["problem_counts"] == {"NUL character": 3}
    values = [row["value"] for row in _column(found, "name")["texts"]["most_frequent"]]
    assert values == ["Anna", "Ben"]


def test_broken_characters_are_counted(tmp_path: Path) -> None:
    found = _profile_of(tmp_path, "id,name\n1,éèü\n2,".encode() + b"\xff\n")
    assert found["problem_counts"] == {"undecodable character": 1}


def test_huge_fields(tmp_path: Path) -> None:
    huge, other = "lorem ipsum, " * 300_000, "lorem ipsum, " * 300_001
    found = _profile_of(tmp_path, f'id,note\n1,"{huge}"\n2,"{other}"\n3,"{huge}"\n')
    note = _column(found, "note")["texts"]
    assert found["rows"] == 3
    assert (note["distinct"], note["longest"]) == (2, len(other) - 1)
    assert max(len(row["value"]) for row in note["most_frequent"]) < LONGEST_KEPT + 20


def test_a_field_without_an_end_is_refused_with_advice(tmp_path: Path) -> None:
    content = 'id,note\n1,"never closed' + "x,y\n" * 5_000_000
    with pytest.raises(ValueError, match=r"Line 2 .* quote: none"):
        _profile_of(tmp_path, content)


def test_a_quote_that_never_closes_is_told(tmp_path: Path) -> None:
    content = 'id,note\n1,fine\n2,"never closed\n3,fine\n4,fine\n'
    found = _profile_of(tmp_path, content)
    assert found["problem_counts"] == {"unclosed quote": 1}
    assert found["problems"][0]["line"] == 3
    plain = _profile_of(tmp_path, content, Wishes(quote=""))
    assert plain["rows"] == 4
    assert not plain["problem_counts"]


def test_a_quote_that_closes_on_a_later_line_is_no_problem(tmp_path: Path) -> None:
    for content in ('1,"two\nlines"', '1,a\n2,"two\nlines"\n', '"two\nlines",1\n3,5" pipe\n'):
        found = _profile_of(tmp_path, content, Wishes(header="no"))
        assert not found["problem_counts"]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    content = "sep=;\nA title;;\n\nid;name;sum\n1;Anna;2,5\n" + "2;Ben;3,5\n" * 20 + "x;Ben\n"
    found = _profile_of(tmp_path, content)
    assert [(p["line"], p["kind"]) for p in found["problems"]] == [
        (26, "short row"),
        (26, "not a number"),
    ]


def test_quotes_within_a_cell_are_no_trouble(tmp_path: Path) -> None:
    content = 'id,note\n1,5" pipe\n2,"say ""hi"""\n3,"a, b"\n4,"two\nlines"\n5,x"y\n'
    found = _profile_of(tmp_path, content)
    assert found["rows"] == found["valid_rows"] == 5
    assert not found["problem_counts"]
    values = {row["value"] for row in _column(found, "note")["texts"]["most_frequent"]}
    assert values == {'5" pipe', 'say "hi"', "a, b", "two\nlines", 'x"y'}


def test_numbers_out_of_the_ordinary(tmp_path: Path) -> None:
    found = _profile_of(tmp_path, "n,x\n1e150,a\n-1e150,b\n1e-300,c\n")
    numbers = _column(found, "n")["numbers"]
    assert (numbers["min"], numbers["max"], numbers["median"]) == (-1e150, 1e150, 1e-300)
    assert numbers["stdev"] == pytest.approx(1e150)
    one = _column(_profile_of(tmp_path, "n,x\n5,a\n"), "n")["numbers"]
    assert (one["mean"], one["stdev"], one["bins"]) == (
        5,
        None,
        [{"start": 5, "end": 5, "count": 1}],
    )


def test_figures_far_out_do_not_hide_the_others(tmp_path: Path) -> None:
    content = "n,x\n" + "".join(f"{number % 100},a\n" for number in range(5_000)) + "1000000000,a\n"
    bins = _column(_profile_of(tmp_path, content), "n")["numbers"]["bins"]
    assert [(bin_["start"], bin_["count"]) for bin_ in bins] == [(10 * n, 500) for n in range(10)]


def test_the_middle_of_many_is_found_without_sorting_them_all() -> None:
    random = Random(7)  # noqa: S311
    for values in (
        [random.gauss(0, 1) for _ in range(5_001)],
        [random.lognormvariate(0, 40) for _ in range(4_000)],
        [float(random.randrange(3)) for _ in range(4_000)],
        [5.0] * 3_000,
        [5.0] * 3_000 + [5e-324, 1e150, -1e150],
        [1e-320 * random.randrange(50) for _ in range(3_000)],
    ):
        assert median(array("d", values), sortable=100) == statistics.median(values)
        ordered = sorted(values)
        ranks = [0, 1, len(values) // 3, len(values) - 1]
        assert at_ranks(array("d", values), ranks, 100) == [ordered[rank] for rank in ranks]


def test_more_different_texts_than_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plans.csv_report.actions._tallies.MOST_DISTINCT", 3)
    tally = TextTally()
    for text in "aabcddddb":
        tally.add(text)
    summary = tally.summary()
    assert (summary["distinct"], summary["distinct_is_exact"], len(tally)) == (3, False, 9)
    assert [(row["value"], row["count"]) for row in summary["most_frequent"]] == [
        ("a", 2),
        ("b", 2),
        ("c", 1),
    ]


def test_progress_grows_to_one_and_can_stop_the_work(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id,name\n" + "1,Anna\n" * (3 * ROWS_PER_REPORT))
    source = detect_format(path, Wishes())
    seen: list[float] = []
    read_profile(source, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 7

    def stop(fraction: float) -> None:
        raise InterruptedError(f"stopped at {fraction}")

    with pytest.raises(InterruptedError, match="stopped"):
        read_profile(source, stop)
