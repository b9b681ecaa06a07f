"""The written report: Markdown and pictures that hold whatever a file holds, and nothing more.

Imports the plan csv_report's own modules; markdown-it and xml.etree read what they wrote.
"""

import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from plans.csv_report.actions._dialect import Wishes, detect_format
from plans.csv_report.actions._mess import Mess, file_pieces
from plans.csv_report.actions._numbers import share, short, written
from plans.csv_report.actions._profile import Profile, read_profile
from plans.csv_report.actions._report import slug, write_charts, write_report
from plans.csv_report.actions._svg import fit

_SVG: Final = "{http://www.w3.org/2000/svg}"
_EVIL: Final = [
    *("<script>alert(1)</script>", "[link](javascript:x)", "![p](http://x/y.png)", "a|b|c", "`x`"),
    *("**bold**", "_under_", "\\", "&amp; &lt;", "]]>", '" onload="x', "# no heading", "~~gone~~"),
    *(
        "\x01\x08\x1f",
        "\u2028line\u2029",
        "\ufffe\uffff",
        "\U0001f600",
        "漢字" * 40,
        "$x$",
        "\u200b",
    ),
]


def _write(
    folder: Path, content: str | bytes, most: int = 12, wishes: Wishes | None = None
) -> tuple[Profile, Path]:
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    profile = read_profile(detect_format(path, wishes or Wishes()), lambda _: None)
    charts = write_charts(profile, folder / "report", most)
    return profile, write_report(profile, folder / "report", charts)


def _tokens(report: Path) -> list[Token]:
    blocks = MarkdownIt("gfm-like", {"linkify": False}).parse(report.read_text(encoding="utf-8"))
    return [*blocks, *(child for block in blocks for child in block.children or [])]


def _pictures(report: Path) -> list[ET.Element]:
    found = sorted((report.parent / "charts").glob("*.svg"))
    return [ET.fromstring(path.read_text(encoding="utf-8")) for path in found]  # noqa: S314


def _texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{_SVG}text")]


@pytest.mark.parametrize("mess", ["none", "light", "heavy"])
def test_a_whole_report(tmp_path: Path, mess: Mess) -> None:
    profile, report = _write(tmp_path, b"".join(file_pieces(500, 5, mess)))
    text = report.read_text(encoding="utf-8")
    pictures = re.findall(r"^!\[.*\]\((.*)\)$", text, re.MULTILINE)
    assert len(pictures) == 13
    assert all((report.parent / name).is_file() for name in pictures)
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Report on file.csv"]
    assert "| Rows | 500 |" in text
    for column in profile["columns"]:
        assert re.search(rf"^## \d+\. {column['name']}$", text, re.MULTILINE)
    for kind, count in profile["problem_counts"].items():
        assert f"| {kind} | {count:,} |" in text


def test_nothing_in_a_file_becomes_markup(tmp_path: Path) -> None:
    quoted = [f'"{text.replace(chr(34), 2 * chr(34))}"' for text in _EVIL]
    header = ",".join(quoted)
    rows = "\n".join([header, *(",".join(quoted[i:] + quoted[:i]) for i in range(1, 5))])
    profile, report = _write(tmp_path, rows + "\n", 100, Wishes(header="yes"))
    assert len(profile["columns"]) == len(_EVIL)
    assert profile["columns"][0]["name"] == _EVIL[0]
    kinds = {token.type for token in _tokens(report)}
    assert "image" in kinds
    assert kinds.isdisjoint(
        {"html_inline", "html_block", "link_open", "strong_open", "em_open", "s_open"}
        | {"code_inline", "fence", "code_block", "blockquote_open", "bullet_list_open"}
    )
    images = [token for token in _tokens(report) if token.type == "image"]
    assert all(str(token.attrs["src"]).startswith("charts/") for token in images)
    _, _, rest = report.read_text(encoding="utf-8").partition("| Column | Type |")
    table = rest.partition("\n\n")[0].splitlines()[1:]
    assert len(table) == 1 + len(_EVIL)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {7}


def test_text_survives_the_escaping(tmp_path: Path) -> None:
    cells = ["a|b", "<b>x</b>", "1*2*3", "snake_case_name", "[x]", "back\\slash", "_edge_", "x & y"]
    _, report = _write(tmp_path, "n,text\n" + "".join(f"1,{cell}\n" for cell in cells))
    shown = {token.content for token in _tokens(report) if token.type == "inline"}
    plain = {re.sub(r"\\(\W|_)", r"\1", text) for text in shown}
    assert plain >= set(cells)
    (picture,) = [
        found for found in _pictures(report) if "text: most frequent values" in _texts(found)
    ]
    assert set(_texts(picture)) >= set(cells)


def test_every_picture_is_whole_and_within_its_frame(tmp_path: Path) -> None:
    quoted = [f'"{text.replace(chr(34), 2 * chr(34))}"' for text in _EVIL]
    rows = "".join(
        f"{i},{1.5**i:.4f},2026-{i % 12 + 1:02}-03,{quoted[i % 20]}\n" for i in range(90)
    )
    _, report = _write(tmp_path, "whole,part,day,text\n" + rows)
    pictures = _pictures(report)
    assert len(pictures) == 5
    for picture in pictures:
        width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
        assert picture.find(f"{_SVG}title") is not None
        for box in picture.iter(f"{_SVG}rect"):
            x, y = float(box.get("x", 0)), float(box.get("y", 0))
            assert x >= 0
            assert y >= 0
            assert x + float(box.get("width", 0)) <= width
            assert y + float(box.get("height", 0)) <= height
        for text in picture.iter(f"{_SVG}text"):
            assert 0 <= float(text.get("x", -1)) <= width
            assert 0 <= float(text.get("y", -1)) <= height


def test_the_bars_have_the_lengths_of_the_counts(tmp_path: Path) -> None:
    _, report = _write(tmp_path, "n,word\n" + "1,ten\n" * 10 + "1,five\n" * 5 + "1,two\n" * 2)
    picture = next(
        found for found in _pictures(report) if "word: most frequent values" in _texts(found)
    )
    lengths = [float(box.get("width", 0)) for box in picture.iter(f"{_SVG}rect")][1:]
    assert lengths[1] / lengths[0] == pytest.approx(0.5, rel=1e-4)
    assert lengths[2] / lengths[0] == pytest.approx(0.2, rel=1e-4)
    amounts = [text for text in _texts(picture) if "%" in text]
    assert amounts == ["10 · 58.8 %", "5 · 29.4 %", "2 · 11.8 %"]


def test_an_empty_file_gives_a_report_without_pictures(tmp_path: Path) -> None:
    _, report = _write(tmp_path, "")
    text = report.read_text(encoding="utf-8")
    assert "The file holds no rows." in text
    assert "![" not in text
    assert not (report.parent / "charts").exists()


def test_fewer_pictures_and_none_at_all(tmp_path: Path) -> None:
    content = "a,b,c,d\n" + "1,2,3,4\n" * 5
    _, report = _write(tmp_path, content, most=2)
    assert len(_pictures(report)) == 3
    _, report = _write(tmp_path, content, most=0)
    assert "![" not in report.read_text(encoding="utf-8")


def test_columns_whose_names_look_alike_have_pictures_of_their_own(tmp_path: Path) -> None:
    _, report = _write(tmp_path, "sum €,sum $,漢字\n" + "1,2,3\n" * 5)
    names = {path.name for path in (report.parent / "charts").iterdir()}
    assert names == {"00-completeness.svg", "01-sum.svg", "02-sum.svg", "03.svg"}


def test_a_report_that_is_written_again_replaces_the_old_one(tmp_path: Path) -> None:
    _write(tmp_path, "a,b\n1,2\n")
    _, report = _write(tmp_path, "a,b\n1,2\n3,4\n")
    assert "| Rows | 2 |" in report.read_text(encoding="utf-8")
    assert not list(report.parent.rglob(".*"))


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("Orders 2026.csv", 0, "orders-2026-csv"),
        ("../../etc/passwd", 3, "03-etc-passwd"),
        ("漢字", 0, "report"),
        ("x" * 99, 0, "x" * 40),
    ],
)
def test_a_file_name_made_of_a_columns_name(name: str, number: int, expected: str) -> None:
    assert slug(name, number) == expected


@pytest.mark.parametrize(
    ("number", "text", "on_an_axis"),
    [
        (0, "0", "0"),
        (1234.5, "1,234.5", "1,234.5"),
        (12345678, "12,345,678", "12.35M"),
        (0.00123, "0.00123", "0.00123"),
        (1 / 3, "0.3333", "0.333333"),
        (-2.5, "-2.5", "-2.5"),
        (1.2e30, "1.2e+30", "1.2e+30"),
        (4e-9, "4e-09", "4e-09"),
        (3e9, "3,000,000,000", "3G"),
    ],
)
def test_numbers_for_people(number: float, text: str, on_an_axis: str) -> None:
    assert written(number) == text
    assert short(number) == on_an_axis


def test_a_share_never_looks_like_all_or_nothing_when_it_is_not() -> None:
    assert share(0, 5) == "0 %"
    assert share(5, 5) == "100 %"
    assert share(1, 3) == "33.3 %"
    assert share(99_999, 100_000) == "> 99.9 %"
    assert share(1, 100_000) == "< 0.1 %"
    assert share(0, 0) == "0 %"


def test_labels_are_cut_to_their_room() -> None:
    assert fit("short", 100) == "short"
    assert fit("x" * 50, 66) == "x" * 9 + "…"
    assert fit("漢" * 50, 66) == "漢" * 4 + "…"
    assert fit("two\n lines", 100) == "two lines"
    assert fit("x" * 10, 66) == "x" * 10
