"""`--backend postgres`: what it offers, and our side on a real PostgreSQL, with nobody beside it.

Imports the benchmarks of the scripts.
"""

import signal
import sys
from pathlib import Path

import pytest
from benchmarks import __main__ as bench
from benchmarks import noop, on_postgres, peer, processes

from tests.postgres_server import new_database


def test_only_what_there_is_on_postgresql_can_be_asked_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["bench.py", "--backend", "postgres", "noop", "submit"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "no scenario submit; there is: noop, latency" in capsys.readouterr().err


def test_runs_are_counted_on_postgresql_and_a_peer_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "FOLDER", tmp_path)
    with on_postgres.ready(lambda: new_database().secret, workers=1) as sides:
        for way, url in sides.urls.items():
            assert processes.get(f"{url}/api/system/capabilities")["dispatcher"] == way
            assert noop.runs_per_sec(url, 20) > 0
            assert processes.succeeded(url) == 20
            assert len(processes.workers_of(url)) == 1
        assert len(sides.urls) == 2
        assert sides.peer is None
        assert "scripts/bench.py --peers" in sides.absent["Procrastinate"]
