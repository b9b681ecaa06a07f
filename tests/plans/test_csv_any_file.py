"""Any file at all: what always holds of a report.

Imports the plan csv_report's own modules, and Hypothesis, which makes the files.
"""

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plans.csv_report.actions._charts import column_chart, completeness_chart
from plans.csv_report.actions._dialect import Wishes, detect_format
from plans.csv_report.actions._encoding import OTHER_FORMATS
from plans.csv_report.actions._markdown import report
from plans.csv_report.actions._profile import Profile, read_profile
from plans.csv_report.actions._reader import CsvReader

#: Pieces that mean something in a CSV file come up more often than pure chance would have it.
_PIECES = st.sampled_from(
    (
        *(b",", b";", b"\t", b"|", b'"', b"'", b"\n", b"\r\n", b"\r", b"\0", b"\\", b" ", b"\xff"),
        *(b"1", b"-2,5", b"1.234", b"2026-03-01", b"31/12/2026", b"N/A", b"word", b"00123"),
        *("é€漢".encode(), b"\xef\xbb\xbf", b"\xff\xfe", b"<b>&", b"sep=;\n", b"\x80\x81"),
    )
)
_FILES = st.lists(_PIECES, max_size=120).map(b"".join) | st.binary(max_size=400)
_CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\",;'\n\r ab1"),
    max_size=12,
)


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "any.csv"


def _profile(path: Path) -> Profile:
    return read_profile(detect_format(path, Wishes()), lambda _: None)


@given(content=_FILES)
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_report_whose_figures_add_up(path: Path, content: bytes) -> None:
    assume(not content.startswith(tuple(signature for signature, _ in OTHER_FORMATS)))
    path.write_bytes(content)
    found = _profile(path)
    assert found["valid_rows"] <= found["rows"]
    for column in found["columns"]:
        assert column["present"] + column["missing"] + column["invalid"] == found["rows"]
        assert len({"numbers", "dates", "texts"} & set(column)) == (column["present"] > 0)
        if "numbers" in column:
            numbers = column["numbers"]
            assert numbers["min"] <= numbers["median"] <= numbers["max"]
        if "texts" in column:
            assert (
                sum(row["count"] for row in column["texts"]["most_frequent"]) <= column["present"]
            )
        if drawing := column_chart(column):
            ET.fromstring(drawing)  # noqa: S314 - our own picture
    ET.fromstring(completeness_chart(found))  # noqa: S314
    assert report(found, "any", {}).startswith("# any\n")


@given(
    rows=st.lists(st.lists(_CELLS, min_size=2, max_size=4), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
@settings(max_examples=200, deadline=None)
def test_what_the_csv_module_writes_is_read_back(
    path: Path, rows: list[list[str]], delimiter: str, line_end: str, encoding: str
) -> None:
    written = io.StringIO()
    # All is quoted, for the writer leaves a lone carriage return bare, which ends a line.
    writer = csv.writer(
        written, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL
    )
    writer.writerows(rows)
    path.write_bytes(written.getvalue().encode(encoding))
    source = detect_format(path, Wishes(encoding, delimiter, '"', "no"))
    source["skip_lines"], source["escape"] = 0, ""
    read = [record.cells for record in CsvReader(source)]
    assert read == [[cell.strip() for cell in row] for row in rows]
