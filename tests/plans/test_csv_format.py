"""How a CSV file is written: encoding, delimiter, quotes, header.

Imports the plan csv_report's own modules.
"""

from pathlib import Path

import pytest

from plans.csv_report.actions._dialect import ONE_COLUMN, Format, Wishes, detect_format

_TEXT = "name;grösse\nJürgen;1,5\nChloé;2,25\n"


def _detect(folder: Path, content: str | bytes, wishes: Wishes | None = None) -> Format:
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return detect_format(path, wishes or Wishes())


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        (_TEXT.encode(), "utf-8"),
        (_TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (_TEXT.encode("latin-1"), "latin-1"),
        ((_TEXT + "5 €;“x”\n").encode("cp1252"), "cp1252"),
        (_TEXT.encode("latin-1") + b"\x80\x81\n", "latin-1"),
        (_TEXT.encode("utf-16"), "utf-16"),
        (_TEXT.encode("utf-16-le"), "utf-16-le"),
        (_TEXT.encode("utf-16-be"), "utf-16-be"),
        (_TEXT.encode("utf-32"), "utf-32"),
        (_TEXT.encode() * 3 + b"broken \xff;1\n", "utf-8"),
        (_TEXT.encode() + "cut é".encode()[:-1], "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding(tmp_path: Path, content: bytes, encoding: str) -> None:
    assert _detect(tmp_path, content)["encoding"] == encoding


def test_the_byte_that_decides_may_stand_at_the_end(tmp_path: Path) -> None:
    filler = b"a;1\n" * 800_000
    assert _detect(tmp_path, filler + "Jürgen;2\n".encode("latin-1"))["encoding"] == "latin-1"
    assert _detect(tmp_path, filler + "Jürgen;2\n".encode())["encoding"] == "utf-8"


def test_a_character_is_not_broken_by_the_end_of_a_block(tmp_path: Path) -> None:
    for shift in range(3):
        content = b"x" * shift + "€".encode() * 700_000
        assert _detect(tmp_path, content)["encoding"] == "utf-8"


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\nsome text, with a comma\t1\nmore, of it, here\t2\n", "\t"),
        ("a|b\n1|x;y\n2|z\n", "|"),
        ("t|n\na, b, c, d, e|1\na, b, c|2\na, b, c, d|3\nv, w, x, y|4\na, b|5\n", "|"),
        ('a,b\n"one;two;three",1\n"four;five;six",2\n', ","),
        ('name,price\n"Doe, John",5\n"Roe, Jane",6\n', ","),
        ("date,value\n2026-03-01 10:00:00,5\n2026-03-02 11:00:00,6\n", ","),
        ("word\nother\nthird\n", ONE_COLUMN),
        ("just a sentence, so to say\nand another one\nno comma here\n", ONE_COLUMN),
        ("sep=|\na|b\n1|2\n", "|"),
        ("", ONE_COLUMN),
        ("a,b,c\n", ","),
    ],
)
def test_the_delimiter(tmp_path: Path, content: str, delimiter: str) -> None:
    assert _detect(tmp_path, content)["delimiter"] == delimiter


def test_single_quotes_and_backslashes(tmp_path: Path) -> None:
    assert _detect(tmp_path, "a,b\n'one, two',1\n'three, four',2\n")["quote"] == "'"
    assert _detect(tmp_path, "a,b\nrock 'n' roll,1\nit's,2\n")["quote"] == '"'
    assert _detect(tmp_path, 'a,b\n"5\\" pipe",1\n')["escape"] == "\\"
    assert _detect(tmp_path, 'a,b\n"5"" pipe",1\n')["escape"] == ""
    assert _detect(tmp_path, 'a,b\n"say ""hi"" now","C:\\"x"\n')["escape"] == ""
    assert _detect(tmp_path, 'a,b\n"C:\\dir\\",1\n"x",2\n')["escape"] == ""


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("id,name\n1,Anna\n2,Ben\n", ["id", "name"]),
        ("1,Anna\n2,Ben\n", None),
        ("2026-03-01,5\n2026-03-02,6\n", None),
        ("name,city\nAnna,Paris\nBen,Rome\n", ["name", "city"]),
        ("Anna,Paris\nBen,Rome\nAnna,Rome\nBen,Paris\n", None),
        (" a ,a,\nAnna,2,1\n", ["a", "a_2", "column_3"]),
        ("a,b\n1,2,3\n4,5,6\n", ["a", "b", "column_3"]),
        ("a,b,c\n", ["a", "b", "c"]),
        ("1,2,3\n", None),
        ("total,5\n3,6\n4,7\n", None),
        ('" two\n lines ",b\n1,2\n', ["two lines", "b"]),
    ],
)
def test_the_header(tmp_path: Path, content: str, columns: list[str] | None) -> None:
    found = _detect(tmp_path, content)
    assert found["has_header"] == (columns is not None)
    if columns is not None:
        assert found["columns"] == columns
    else:
        assert found["columns"] == [f"column_{i + 1}" for i in range(len(found["columns"]))]


def test_lines_above_the_table_are_skipped(tmp_path: Path) -> None:
    content = (
        "sep=;\nSales of March;;\n\nexported 2026-04-01;;\nid;name;sum\n1;Anna;2,5\n2;Ben;3,5\n"
    )
    found = _detect(tmp_path, content)
    assert found["skip_lines"] == 4
    assert found["columns"] == ["id", "name", "sum"]


def test_what_the_caller_says_is_taken(tmp_path: Path) -> None:
    found = _detect(tmp_path, "a;b,c\n1;2,3\n", Wishes("latin-1", ",", "'", "no"))
    assert found["encoding"] == "latin-1"
    assert found["delimiter"] == ","
    assert found["quote"] == "'"
    assert not found["has_header"]
    assert found["columns"] == ["column_1", "column_2"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04 and so on", "Excel"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_what_is_no_csv_file_is_called_by_its_name(
    tmp_path: Path, content: bytes, word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        _detect(tmp_path, content)
