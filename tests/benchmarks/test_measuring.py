"""What measures: monitors that count, and peers that are not there.

Imports the benchmarks of the scripts.
"""

import asyncio
from pathlib import Path

import pytest
from benchmarks import peer, side_by_side
from benchmarks.monitors import MARKER, Monitor
from benchmarks.peer import QUEUES

PIECES = [
    pytest.param([b"HTTP/1.1 101 ...\r\n\r\n", MARKER * 3], id="whole"),
    pytest.param([b"HTTP/1.1 101 ...\r\n\r\n~li", b"ne~ and ~line~, ~", b"line~"], id="cut"),
    pytest.param([b"HTTP/1.1 101 " + MARKER, *(bytes([each]) for each in MARKER * 2)], id="bytes"),
]


@pytest.mark.parametrize("pieces", PIECES)
async def test_a_monitor_counts_each_line_once_however_it_arrives(pieces: list[bytes]) -> None:
    monitor = Monitor(b"")
    for piece in pieces:
        monitor.get_buffer(-1)[: len(piece)] = piece
        monitor.buffer_updated(len(piece))
    assert monitor.open.done()
    assert monitor.lines == 3


async def test_a_monitor_that_is_turned_away_says_with_what() -> None:
    monitor = Monitor(b"")
    answer = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
    monitor.get_buffer(-1)[: len(answer)] = answer
    monitor.buffer_updated(len(answer))
    with pytest.raises(RuntimeError, match="503"):
        await monitor.open


async def test_who_waits_for_lines_goes_on_when_they_are_there() -> None:
    monitor = Monitor(b"")
    monitor.open.set_result(None)

    async def lines_come() -> None:
        for _ in range(2):
            monitor.get_buffer(-1)[: len(MARKER)] = MARKER
            monitor.buffer_updated(len(MARKER))

    await asyncio.gather(monitor.until(2), lines_come())
    assert monitor.lines == 2


def test_a_peer_that_is_not_installed_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "FOLDER", tmp_path)
    with side_by_side.queues() as (ready, absent):
        assert list(ready) == []
        assert absent.keys() == {each.name for each in QUEUES}
        assert all("scripts/bench.py --peers" in why for why in absent.values())


def test_every_peer_has_its_pins() -> None:
    folder = Path(peer.__file__).with_name("peers")
    for each in (peer.FASTAPI, *QUEUES):
        pinned = (folder / f"{each.key}.txt").read_text("utf-8")
        for package in each.packages:
            assert f"\n{package.partition('[')[0]}==" in pinned
