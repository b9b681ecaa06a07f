"""The disk: with too little room nothing new is taken, until there is clearly enough again.

Imports pytest, aura_aio's model and scheduler, and `bench`.
"""

import logging
from collections.abc import AsyncIterator

import pytest

from aura_aio.model.overload import DiskNearlyFull
from aura_aio.scheduler.free_space import MIB, FreeSpace
from tests.scheduler.bench import TurnedClock
from tests.waiting import until


class Disk:
    """So much room, or nobody knows; and how often it was asked for."""

    def __init__(self) -> None:
        self.mib: float | None = 1000.0
        self.asked = 0
        self.clock = TurnedClock()
        self.space = FreeSpace(self.free_bytes, least_mib=100, clock=self.clock)

    def free_bytes(self) -> int:
        """Called in a thread."""
        self.asked += 1
        if self.mib is None:
            raise OSError("It does not say.")
        return int(self.mib * MIB)

    async def has(self, mib: float | None) -> None:
        """From now on so much room, which has been seen."""
        self.mib, before = mib, self.asked
        self.clock.turn(1)
        await until(lambda: self.asked > before and self.clock.sleepers)


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    """A disk that is looked at, with room."""
    disk = Disk()
    await disk.space.start()
    await until(lambda: disk.clock.sleepers)
    yield disk
    assert disk.space.alive
    await disk.space.aclose()


async def test_a_disk_that_is_nearly_full_takes_nothing_new_until_there_is_a_tenth_more(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.free_space")
    disk.space.check()
    await disk.has(100)
    disk.space.check()
    for mib in (99, 105, None, 109):
        await disk.has(mib)
        with pytest.raises(DiskNearlyFull, match="100 MiB"):
            disk.space.check()
    await disk.has(110.1)
    disk.space.check()
    await disk.has(105)
    disk.space.check()
    told = [(vars(record)["action"], vars(record)["mib"]) for record in caplog.records]
    assert told == [("disk_low", 99), ("disk_ok", 110)]


async def test_at_its_start_it_looks_before_anything_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.free_space")
    disk = Disk()
    await disk.space.start()
    await disk.space.aclose()
    assert (disk.asked, caplog.records) == (1, [])  # there is nothing to tell
    disk.mib = 5
    await disk.space.start()
    with pytest.raises(DiskNearlyFull):
        disk.space.check()
    await disk.space.aclose()


async def test_without_a_least_it_does_not_look() -> None:
    disk = Disk()
    space = FreeSpace(disk.free_bytes, least_mib=0, clock=disk.clock)
    disk.mib = 0
    await space.start()
    space.check()
    assert (disk.asked, disk.clock.sleepers) == (0, 0)
    await space.aclose()
