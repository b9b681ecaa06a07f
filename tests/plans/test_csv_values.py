"""What one cell means.

Imports the plan csv_report's own modules.
"""

import pytest

from plans.csv_report.actions._values import Mark, classify, is_missing, read_date, read_number


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("\u221212", -12),
        ("0", 0),
        ("12.5", 12.5),
        ("12,5", 12.5),
        (".5", 0.5),
        ("-,5", -0.5),
        ("12.", 12),
        ("1.234,50", 1234.5),
        ("1,234.50", 1234.5),
        ("1,234,567", 1_234_567),
        ("1.234.567", 1_234_567),
        ("1 234 567,8", 1_234_567.8),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234", 1234),
        ("1'234'567.25", 1_234_567.25),
        ("1.5e3", 1500),
        ("2E-3", 0.002),
        ("$1,200.00", 1200),
        ("$ 5", 5),
        ("-$5", -5),
        ("12,50 €", 12.5),
        ("€12", 12),
        ("0,123", 0.123),
        ("0.123", 0.123),
    ],
)
def test_a_number_that_can_be_read_one_way_only(cell: str, value: float) -> None:
    for mark in (".", ","):
        assert read_number(cell, mark) == value


@pytest.mark.parametrize(
    ("cell", "mark", "value"),
    [
        ("1.234", ".", 1.234),
        ("1.234", ",", 1234),
        ("1,234", ".", 1234),
        ("1,234", ",", 1.234),
        ("-999,999", ",", -999.999),
    ],
)
def test_the_column_decides_where_a_cell_does_not(cell: str, mark: Mark, value: float) -> None:
    assert read_number(cell, mark) == value
    assert classify(cell) == "number"


@pytest.mark.parametrize(
    "cell",
    [
        *("", "-", "a", "12a", "1-2", "--5", "1..2", "1,,2", "1,23,456.7", "1.23.456", "12 34"),
        *("1 2345", "10.0.0.1", "1.2.3", "12:30", "1e", "e5", "5 %", '5"', "0x1F", "inf", "nan"),
        *("1_000", "٣", "²", "$", "1e999", "1e151", "00123", "-007", "1234567890123456", "1'23"),
    ],
)
def test_what_is_no_number(cell: str) -> None:
    assert read_number(cell, ".") is None
    assert read_number(cell, ",") is None


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("12", "number"),
        ("12.5", "number with dot"),
        ("12,5", "number with comma"),
        ("$1,234.50", "number with dot"),
        ("1.234,50 €", "number with comma"),
        ("1,234,567", "number with dot"),
        ("0.000", "number with dot"),
        ("00123", "code"),
        ("1234567890123456", "code"),
        ("2026-03-01", "date"),
        ("01/02/2026", "date"),
        ("31/12/2026", "day first"),
        ("12/31/2026", "month first"),
        ("31.12.2026", "date"),
        ("abc", "text"),
        ("12 apples", "text"),
        ("N/A", "missing"),
        ("", "missing"),
        ("9" * 65, "text"),
    ],
)
def test_the_kind_of_a_cell(cell: str, kind: str) -> None:
    assert classify(cell) == kind


@pytest.mark.parametrize(
    "cell", ["", "NA", "n/a", "#N/A", "NULL", "None", "nan", "NaN", "-", "\\N"]
)
def test_what_is_missing(cell: str) -> None:
    assert is_missing(cell)
    assert classify(cell) == "missing"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026/3/1", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01T12:30", "2026-03-01T12:30:00+00:00"),
        ("2026-03-01 12:30:45.123456789", "2026-03-01T12:30:45.123456+00:00"),
        ("2026-03-01T12:30:45Z", "2026-03-01T12:30:45+00:00"),
        ("2026-03-01T00:30:00+02:00", "2026-02-28T22:30:00+00:00"),
        ("2026-03-01 00:30:00-0530", "2026-03-01T06:00:00+00:00"),
        ("1.3.2026", "2026-03-01T00:00:00+00:00"),
        ("31.12.2026 23:59:59", "2026-12-31T23:59:59+00:00"),
        ("1 Mar 2026", "2026-03-01T00:00:00+00:00"),
        ("01-Mar-2026", "2026-03-01T00:00:00+00:00"),
        ("March 1, 2026", "2026-03-01T00:00:00+00:00"),
        ("Sept 9, 2026", "2026-09-09T00:00:00+00:00"),
        ("2026-03-01 12:05 AM", "2026-03-01T00:05:00+00:00"),
        ("2026-03-01 12:05 pm", "2026-03-01T12:05:00+00:00"),
        ("2026-03-01 1:05 PM", "2026-03-01T13:05:00+00:00"),
        ("29.2.2028", "2028-02-29T00:00:00+00:00"),
    ],
)
def test_a_date_that_can_be_read_one_way_only(cell: str, moment: str) -> None:
    for day_first in (True, False):
        found = read_date(cell, day_first=day_first)
        assert found is not None
        assert found.isoformat() == moment


def test_the_column_decides_which_number_is_the_day() -> None:
    day_first = read_date("01/02/2026", day_first=True)
    month_first = read_date("1-2-26".replace("-", "/"), day_first=False)
    assert day_first is not None
    assert month_first is not None
    assert (day_first.month, day_first.day) == (2, 1)
    assert (month_first.year, month_first.month, month_first.day) == (2026, 1, 2)


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-02-29", "2026-13-01", "31.4.2026", "2026-03-01 25:00", "2026-03-01 13:00 PM"),
        *("12:30", "20260301", "2026-03", "0000-01-01", "1 Foo 2026", "1.3.26", "2026-03/01"),
        *("2026-03-01 12:61", "0001-01-01T00:00+10:00", "yesterday", "1 Ma 2026"),
    ],
)
def test_what_is_no_date(cell: str) -> None:
    assert read_date(cell, day_first=True) is None
    assert read_date(cell, day_first=False) is None
