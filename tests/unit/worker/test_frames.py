"""Packets: what one turn of the loop has to say, and never more than the other end takes.

Imports aura_aio.model, the frames, tests.waiting and pytest.
"""

import asyncio

import pytest

from aura_aio.model.run import StepRecord
from aura_aio.worker.frames import (
    SOON_TURNS,
    Earlier,
    Synced,
    ToWorker,
    encode_packets,
    read_for_worker,
)
from tests.unit.worker.conftest import Ends
from tests.waiting import turns

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


class Sent:
    """The packets that a FrameWriter has sent over a real socket."""

    def __init__(self, ends: Ends) -> None:
        self.frames, self._theirs = ends

    async def next(self) -> tuple[ToWorker, ...]:
        """The next packet."""
        async with asyncio.timeout(10):
            return await read_for_worker(self._theirs)


@pytest.fixture
def sent(ends: Ends) -> Sent:
    """A link of its own."""
    return Sent(ends)


async def test_what_can_wait_travels_with_what_comes_within_its_turns(sent: Sent) -> None:
    sent.frames.send_soon(Synced(1))
    await turns(SOON_TURNS - 1)
    sent.frames.send_soon(Synced(2))
    sent.frames.send(Synced(3))
    assert await sent.next() == (Synced(1), Synced(2), Synced(3))
    sent.frames.send(Synced(4))
    assert await sent.next() == (Synced(4),)


async def test_what_has_not_left_is_replaced_where_it_stands(sent: Sent) -> None:
    begun = Synced(1)
    sent.frames.send_soon(begun)
    sent.frames.send(Synced(2))
    assert sent.frames.replace(begun, Synced(3))
    assert await sent.next() == (Synced(3), Synced(2))
    assert not sent.frames.replace(begun, Synced(4))


async def test_what_can_wait_leaves_by_itself(sent: Sent) -> None:
    for number in range(3):
        sent.frames.send_soon(Synced(number))
        assert await sent.next() == (Synced(number),)


async def test_what_can_wait_is_sent_before_the_link_is_closed(sent: Sent) -> None:
    sent.frames.send_soon(Synced(1))
    await sent.frames.aclose()
    assert await sent.next() == (Synced(1),)
