"""The limits do what they are said to do, asked as the benchmarks ask them: a few requests each.

Imports the benchmarks of the scripts.
"""

from pathlib import Path

import pytest
import uvloop
from benchmarks import fanout, noop, processes

SCRIPTS = Path(processes.__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _modules_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTS))


def test_one_loop_runs_what_it_is_sent() -> None:
    with processes.bare("benchmarks.bare_runs") as bare:
        assert noop.runs_per_sec(bare.url, 50) > 0
        assert processes.succeeded(bare.url) == 50


def test_every_monitor_gets_every_line_in_both_ways() -> None:
    with processes.bare("benchmarks.bare_fanout") as bare:
        for way in ("joined", "one_by_one"):
            assert uvloop.run(fanout.of_bare(bare.url, way, 3, 300)) > 0
