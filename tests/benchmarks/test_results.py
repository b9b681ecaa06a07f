"""What is made of figures: ratios, verdicts, tables, pictures, files.

Imports the benchmarks of the scripts, and `made`.
"""

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from benchmarks import chart, record, table
from benchmarks.results import BEST_PEER, LIMIT, Bar, Verdict
from benchmarks.rounds import Contender, alternate

from tests.benchmarks.made import less, more


def test_a_bar_is_met_by_the_middle_of_the_ratios_round_by_round() -> None:
    assert more().ratios(LIMIT) == (0.5, 0.6, 0.55)
    assert more().verdict(Bar(0.55, LIMIT)) is Verdict.MET
    assert more().verdict(Bar(0.56, LIMIT)) is Verdict.NOT_MET
    assert more().reach(Bar(0.275, LIMIT)) == pytest.approx(2)


def test_the_best_peer_is_the_one_whose_middle_is_best() -> None:
    assert more().ratios(BEST_PEER) == (5.0, 3.0, 5.5)
    assert less().ratios(BEST_PEER) == (0.5, 0.5, 0.5)
    assert less().ratios("slow") == pytest.approx((2 / 9,) * 3)


def test_where_less_is_better_a_bar_is_not_to_be_passed() -> None:
    assert less().verdict(Bar(2.0)) is Verdict.MET
    assert less().verdict(Bar(1.9)) is Verdict.NOT_MET
    assert less().reach(Bar(1.0)) == 0.5


def test_a_bar_against_who_was_not_measured_is_neither_met_nor_missed() -> None:
    assert more().verdict(Bar(2.0, "gone")) is Verdict.UNKNOWN
    assert less().verdict(Bar(2.0, LIMIT)) is Verdict.UNKNOWN


def test_sides_take_turns_and_every_second_round_goes_the_other_way() -> None:
    turns: list[str] = []

    def contender(name: str) -> Contender:
        def measure() -> float:
            turns.append(name)
            return float(len(turns))

        return Contender(name, f"it is {name}", measure, warm_up=lambda: turns.append(name + "?"))

    first, second = alternate([contender("a"), contender("b")], 3)
    assert turns == ["a?", "b?", "a", "b", "b", "a", "a", "b"]
    assert (first.name, first.what, first.figures) == ("a", "it is a", (3, 6, 7))
    assert second.figures == (4, 5, 8)


def test_the_table_has_a_line_for_each_bar_and_one_for_who_has_none() -> None:
    bare = msgspec.structs.replace(less(), bars=(), peers=())
    rows = list(table.rows([more(), bare]))
    assert [row.verdict for row in rows] == ["met", "met", ""]
    assert rows[0] == (
        "noop", "550 runs/s", "limit: 1,000 runs/s", "0.55", "0.5 … 0.6", "≥ 0.5", "met",
    )  # fmt: skip
    assert rows[2].what == "latency, p50"


def test_the_page_has_the_table_as_markdown() -> None:
    lines = table.markdown([less()]).splitlines()
    assert lines[0].startswith("| what | measured |")
    assert lines[2] == "| latency, p50 | 2 ms |  |  | 2 … 2 | ≤ 1 ms | not met |"


def test_who_could_not_be_measured_is_named_with_the_reason() -> None:
    notes = "\n".join(table.notes([more()]))
    assert "not measured: gone, because it cannot be installed" in notes
    assert "100 runs/s  quick: by hand" in notes


def test_the_picture_is_a_document_that_names_who_was_compared() -> None:
    drawn = ElementTree.fromstring(chart.svg([more(), less()]))  # noqa: S314 - it is our own
    texts = ["".join(each.itertext()) for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "noop / quick" in texts
    assert "0.5 of the bar: short" in texts
    assert texts.index("quick") < texts.index("slow")


def test_a_side_that_is_better_has_the_longer_bar() -> None:
    drawn = ElementTree.fromstring(chart.svg([more()]))  # noqa: S314 - it is our own
    bars = drawn.findall("{http://www.w3.org/2000/svg}rect")
    width = {bar.get("class"): float(bar.get("width", "0")) for bar in bars}
    assert width["limit"] > width["ours"] > width["peer"]


def test_a_file_of_results_keeps_the_scenarios_that_were_not_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert record.read(file) == ()
    record.write(file, [more(), less()])
    assert record.read(file) == (more(), less())
    again = more((1, 2, 3))
    record.write(file, record.merged(record.read(file), [again]))
    assert record.read(file) == (again, less())
