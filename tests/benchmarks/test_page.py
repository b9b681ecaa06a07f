"""The page about performance shows what is published, and nothing else.

Imports the benchmarks of the scripts, and `made`.
"""

from pathlib import Path

import pytest
from benchmarks import page

from tests.benchmarks.made import less, more


def test_the_page_and_its_picture_are_fresh() -> None:
    results = page.published()
    assert results, "python scripts/bench.py --all --publish"
    for name, text in page.shown(results).items():
        assert (page.FOLDER / name).read_text("utf-8") == text, "python scripts/bench.py --publish"


def test_what_is_published_takes_the_place_of_what_was(tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text(f"before\n{page.BEGIN}old\n{page.END}after\n", "utf-8")
    page.publish([less()], tmp_path)
    page.publish([more()], tmp_path)
    text = file.read_text("utf-8")
    assert text.startswith(f"before\n{page.BEGIN}")
    assert text.endswith(f"{page.END}after\n")
    assert "old" not in text
    assert "| noop |" in text
    assert "| latency, p50 |" in text
    assert "Measured 2026-03-02 on Linux x86_64, 2 cores, Python 3.11.7" in text
    assert page.published(tmp_path) == (less(), more())
    assert (tmp_path / "benchmarks.svg").is_file()


def test_a_page_that_does_not_say_where_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text("no lines for it", "utf-8")
    with pytest.raises(ValueError, match="has no lines"):
        page.publish([less()], tmp_path)
    assert file.read_text("utf-8") == "no lines for it"
