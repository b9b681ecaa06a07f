"""What costs are fitted to, and the file of those that were measured.

Imports `simulation.costs` of the scripts.
"""

from pathlib import Path

import pytest
from simulation.costs import Line, Measured, Sample, Size, fitted, read, write

from tests.simulation.made import COSTS


def samples(line: Line, *sizes: int) -> list[Sample]:
    return [Sample("swap", size, line.at(size)) for size in sizes]


def test_a_line_is_found_again() -> None:
    found = fitted(samples(Line(0.004, 0.0005), 1, 10, 100, 500))
    assert found.fixed == pytest.approx(0.004)
    assert found.each == pytest.approx(0.0005)


def test_one_size_is_not_enough() -> None:
    with pytest.raises(ValueError, match="one size"):
        fitted(samples(Line(0.004, 0.0005), 10, 10))


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    measured = Measured("today", COSTS, (), Size(1.0, 2.0), Size(3.0, 4.0), ())
    write(measured, tmp_path / "costs.json")
    assert read(tmp_path / "costs.json") == measured
