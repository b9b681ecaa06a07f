"""Messy CSV files, each kind of mess by itself, and the arithmetic below the figures.

Imports the plan csv_report's own modules.
"""

import statistics
from array import array
from pathlib import Path
from random import Random

import pytest

from plans.csv_report.actions._dialect import Wishes, detect_format
from plans.csv_report.actions._profile import DESCRIBED, ROWS_PER_REPORT, read_profile
from plans.csv_report.actions._ranks import at_ranks, median
from plans.csv_report.actions._tallies import LONGEST_KEPT, TextTally
from tests.plans.csv_profiles import column_of, profile_of


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\n", b"\r\n", b"\0\0\0", b"   \n"])
def test_a_file_without_anything(tmp_path: Path, content: bytes) -> None:
    found = profile_of(tmp_path, content)
    assert found["valid_rows"] == found["rows"] <= 1
    assert all(column["kind"] == "empty" for column in found["columns"])


def test_a_file_with_a_header_alone(tmp_path: Path) -> None:
    found = profile_of(tmp_path, "id;name\n")
    assert found["rows"] == 0
    assert [(c["name"], c["kind"], c["missing"]) for c in found["columns"]] == [
        ("id", "empty", 0),
        ("name", "empty", 0),
    ]


def test_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    for line_end in ("\n", "\r\n", "\r"):
        found = profile_of(tmp_path, line_end.join(["id,name", "1,Anna", "2,Ben"]))
        assert found["rows"] == 2
        assert column_of(found, "id")["numbers"]["sum"] == 3


def test_ragged_rows_are_named_by_their_line(tmp_path: Path) -> None:
    content = 'id,name,note\n1,Anna,"two\nlines"\n2\n\n3,Ben,x,more,still more\nx,Zoë,\n' + (
        "4,Max,y\n" * 20
    )
    found = profile_of(tmp_path, content)
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
    assert column_of(found, "name")["missing"] == 1


def test_of_each_kind_of_problem_the_first_are_described(tmp_path: Path) -> None:
    content = "id,name\n" + "1,Anna\n" * 900 + "x,Ben\n" * 50
    found = profile_of(tmp_path, content)
    assert found["problem_counts"] == {"not a number": 50}
    assert [problem["line"] for problem in found["problems"]] == [902 + i for i in range(DESCRIBED)]


def test_mixed_decimal_marks(tmp_path: Path) -> None:
    cells = ["1.234,50", "1,234.50", "12,5", "0,25", "1.234", "1234", "$ 3,00", "7,5"]
    found = profile_of(tmp_path, "sum;x\n" + "".join(f"{cell};a\n" for cell in cells))
    # Most cells prove a decimal comma, so that 1.234 is more than a thousand.
    expected = [1234.5, 1234.5, 12.5, 0.25, 1234, 1234, 3, 7.5]
    assert column_of(found, "sum")["numbers"]["sum"] == sum(expected)
    assert column_of(found, "sum")["numbers"]["median"] == statistics.median(expected)


def test_the_order_of_day_and_month_is_the_columns(tmp_path: Path) -> None:
    american = profile_of(tmp_path, "at,x\n01/02/2026,1\n12/31/2026,2\n03/04/2026,3\n")
    assert column_of(american, "at")["dates"]["first"] == "2026-01-02"
    european = profile_of(tmp_path, "at,x\n01/02/2026,1\n31/12/2026,2\n03/04/2026,3\n")
    assert column_of(european, "at")["dates"]["first"] == "2026-02-01"


def test_codes_are_text(tmp_path: Path) -> None:
    content = "postcode,n\n" + "".join(f"{number:05},1\n" for number in range(9_900, 10_500))
    assert column_of(profile_of(tmp_path, content), "postcode")["kind"] == "text"


def test_a_few_wrong_cells_do_not_change_the_type_and_many_do(tmp_path: Path) -> None:
    few = profile_of(tmp_path, "n,x\n" + "1,a\n" * 90 + "?!,a\n" * 10)
    assert (column_of(few, "n")["kind"], column_of(few, "n")["invalid"]) == ("number", 10)
    many = profile_of(tmp_path, "n,x\n" + "1,a\n" * 89 + "?!,a\n" * 11)
    assert (column_of(many, "n")["kind"], column_of(many, "n")["invalid"]) == ("text", 0)


def test_a_sorted_file_whose_type_shows_at_its_end(tmp_path: Path) -> None:
    found = profile_of(tmp_path, "n,x\n" + "1,a\n" * 40_000 + "word,a\n" * 60_000)
    assert column_of(found, "n")["kind"] == "text"
    assert column_of(found, "n")["texts"]["most_frequent"][0] == {"value": "word", "count": 60_000}


def test_nuls_are_removed_and_counted(tmp_path: Path) -> None:
    found = profile_of(tmp_path, b"id,na\0me\n1,An\0\0na\n2,Ben\n")
    assert found["problem_counts"] == {"NUL character": 3}
    values = [row["value"] for row in column_of(found, "name")["texts"]["most_frequent"]]
    assert values == ["Anna", "Ben"]


def test_broken_characters_are_counted(tmp_path: Path) -> None:
    found = profile_of(tmp_path, "id,name\n1,éèü\n2,".encode() + b"\xff\n")
    assert found["problem_counts"] == {"undecodable character": 1}


def test_huge_fields(tmp_path: Path) -> None:
    huge, other = "lorem ipsum, " * 300_000, "lorem ipsum, " * 300_001
    found = profile_of(tmp_path, f'id,note\n1,"{huge}"\n2,"{other}"\n3,"{huge}"\n')
    note = column_of(found, "note")["texts"]
    assert found["rows"] == 3
    assert (note["distinct"], note["longest"]) == (2, len(other) - 1)
    assert max(len(row["value"]) for row in note["most_frequent"]) < LONGEST_KEPT + 20


def test_a_field_without_an_end_is_refused_with_advice(tmp_path: Path) -> None:
    content = 'id,note\n1,"never closed' + "x,y\n" * 5_000_000
    with pytest.raises(ValueError, match=r"Line 2 .* quote: none"):
        profile_of(tmp_path, content)


def test_a_quote_that_never_closes_is_told(tmp_path: Path) -> None:
    content = 'id,note\n1,fine\n2,"never closed\n3,fine\n4,fine\n'
    found = profile_of(tmp_path, content)
    assert found["problem_counts"] == {"unclosed quote": 1}
    assert found["problems"][0]["line"] == 3
    plain = profile_of(tmp_path, content, Wishes(quote=""))
    assert plain["rows"] == 4
    assert not plain["problem_counts"]


def test_a_quote_that_closes_on_a_later_line_is_no_problem(tmp_path: Path) -> None:
    for content in ('1,"two\nlines"', '1,a\n2,"two\nlines"\n', '"two\nlines",1\n3,5" pipe\n'):
        found = profile_of(tmp_path, content, Wishes(header="no"))
        assert not found["problem_counts"]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    content = "sep=;\nA title;;\n\nid;name;sum\n1;Anna;2,5\n" + "2;Ben;3,5\n" * 20 + "x;Ben\n"
    found = profile_of(tmp_path, content)
    assert [(p["line"], p["kind"]) for p in found["problems"]] == [
        (26, "short row"),
        (26, "not a number"),
    ]


def test_quotes_within_a_cell_are_no_trouble(tmp_path: Path) -> None:
    content = 'id,note\n1,5" pipe\n2,"say ""hi"""\n3,"a, b"\n4,"two\nlines"\n5,x"y\n'
    found = profile_of(tmp_path, content)
    assert found["rows"] == found["valid_rows"] == 5
    assert not found["problem_counts"]
    values = {row["value"] for row in column_of(found, "note")["texts"]["most_frequent"]}
    assert values == {'5" pipe', 'say "hi"', "a, b", "two\nlines", 'x"y'}


def test_numbers_out_of_the_ordinary(tmp_path: Path) -> None:
    found = profile_of(tmp_path, "n,x\n1e150,a\n-1e150,b\n1e-300,c\n")
    numbers = column_of(found, "n")["numbers"]
    assert (numbers["min"], numbers["max"], numbers["median"]) == (-1e150, 1e150, 1e-300)
    assert numbers["stdev"] == pytest.approx(1e150)
    one = column_of(profile_of(tmp_path, "n,x\n5,a\n"), "n")["numbers"]
    assert (one["mean"], one["stdev"], one["bins"]) == (
        5,
        None,
        [{"start": 5, "end": 5, "count": 1}],
    )


@pytest.mark.parametrize("outlier", [1_000_000_000, -1_000_000_000])
def test_figures_far_out_do_not_hide_the_others(tmp_path: Path, outlier: int) -> None:
    rows = "".join(f"{number % 100},a\n" for number in range(5_000))
    bins = column_of(profile_of(tmp_path, f"n,x\n{rows}{outlier},a\n"), "n")["numbers"]["bins"]
    assert [(bin_["start"], bin_["count"]) for bin_ in bins] == [(10 * n, 500) for n in range(10)]


def test_the_middle_of_many_is_found_without_sorting_them_all() -> None:
    random = Random(7)
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
