"""Packets: what one turn of the loop has to say, and never more than the other end takes.

Imports aura_aio.model, the frames and pytest.
"""

import asyncio

import pytest

from aura_aio.model.run import StepRecord
from aura_aio.worker.frames import (
    Earlier,
    Synced,
    ToWorker,
    encode_packets,
    read_for_worker,
)

FRAMES: list[ToWorker] = [
    *(Earlier(StepRecord("c", 1, f"s{n}", "success", output=bytes(100))) for n in range(9)),
    Synced(7),
]


async def read_all(data: bytes) -> list[tuple[ToWorker, ...]]:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    packets = []
    while packet := await read_for_worker(reader):
        packets.append(packet)
    return packets


async def test_what_is_said_in_one_turn_is_one_packet() -> None:
    assert await read_all(encode_packets(FRAMES)) == [tuple(FRAMES)]


@pytest.mark.parametrize("most_bytes", [1, 150, 400])
async def test_a_packet_that_is_too_long_is_several_in_order(most_bytes: int) -> None:
    packets = await read_all(encode_packets(FRAMES, most_bytes=most_bytes))
    assert len(packets) > 1
    assert [frame for packet in packets for frame in packet] == FRAMES
