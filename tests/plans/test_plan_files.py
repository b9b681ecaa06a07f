"""The generators' files, and how inputs name files.

Imports the own modules of the plans csv_report and log_digest.
"""

import csv
import gzip
import io
from pathlib import Path
from types import ModuleType

import pytest

from plans.csv_report.actions import _files as csv_files
from plans.csv_report.actions._mess import Mess, file_pieces, style_of
from plans.log_digest.actions import _files as log_files
from plans.log_digest.actions._lines import new_log
from plans.log_digest.actions._traffic import LogFormat, log_lines

each_plan = pytest.mark.parametrize("files", [csv_files, log_files], ids=["csv", "log"])


@pytest.mark.parametrize("mess", ["none", "light", "heavy"])
def test_the_same_seed_gives_the_same_orders(mess: Mess) -> None:
    once = b"".join(file_pieces(300, 9, mess))
    assert once == b"".join(file_pieces(300, 9, mess))
    assert once != b"".join(file_pieces(300, 10, mess))
    assert len(list(file_pieces(0, 9, mess))) == 1


def test_seeds_give_different_ways_of_writing() -> None:
    assert len({style_of(seed, "heavy") for seed in range(8)}) == 4
    assert style_of(2, "heavy").encoding == "utf-16-le"


def test_clean_orders_are_clean() -> None:
    text = b"".join(file_pieces(500, 1, "none")).decode()
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    assert len({row["order_id"] for row in rows}) == 500
    assert [row["ordered_at"] for row in rows] != []
    assert all(float(row["unit_price"]) > 0 and int(row["quantity"]) > 0 for row in rows)


@pytest.mark.parametrize("log_format", ["common", "combined", "timed"])
def test_the_same_seed_gives_the_same_log(log_format: LogFormat) -> None:
    once = list(log_lines(500, 3, log_format, 2, 0.01))
    assert once == list(log_lines(500, 3, log_format, 2, 0.01))
    assert once != list(log_lines(500, 4, log_format, 2, 0.01))
    assert len(once) == 500


def test_a_log_is_compressed_if_its_name_says_so(tmp_path: Path) -> None:
    for name in ("a.log", "a.log.gz", "b.log.gz"):
        with new_log(tmp_path / name) as file:
            file.write(b"line\n" * 100)
    assert (tmp_path / "a.log").read_bytes() == gzip.decompress(
        (tmp_path / "a.log.gz").read_bytes()
    )
    assert (tmp_path / "a.log.gz").read_bytes() == (tmp_path / "b.log.gz").read_bytes()


@each_plan
def test_a_relative_name_is_of_the_data_folder_and_an_absolute_one_is_not(
    tmp_path: Path, files: ModuleType
) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere.csv"
    data.mkdir()
    elsewhere.write_text("x")
    (data / "own.csv").write_text("x")
    assert files.find_file("own.csv", data) == data / "own.csv"
    assert files.find_file(str(elsewhere), data) == elsewhere


@each_plan
def test_a_file_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, files: ModuleType
) -> None:
    with pytest.raises(FileNotFoundError, match="no file is yet"):
        files.find_file("none.csv", tmp_path)
    (tmp_path / "orders.csv").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"there are: orders\.csv"):
        files.find_file("none.csv", tmp_path)
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        files.find_file(".", tmp_path)
    with pytest.raises(FileNotFoundError):
        files.find_file("a\0b", tmp_path)


@each_plan
@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/x", "a/b", "a\\b", "a\0b"])
def test_nothing_is_written_outside_of_the_data_folder(
    tmp_path: Path, files: ModuleType, name: str
) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        files.new_file(name, tmp_path)
    assert files.new_file("x.csv", tmp_path) == tmp_path / "x.csv"
