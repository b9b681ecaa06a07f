"""Who judges what a first look has not let pass comes once, when called or when there is time.

Imports asyncio, pytest, aura_aio and `waiting`.
"""

import asyncio
from threading import Event

import pytest

from aura_aio.api import judges
from aura_aio.api.judges import Judges
from aura_aio.api.judging import MarshmallowJudging
from tests.waiting import until


class Way:
    """How they come: who has been brought, once they may."""

    def __init__(self) -> None:
        self.may = Event()
        self.begun = 0
        self.brought: list[MarshmallowJudging] = []

    def __call__(self) -> MarshmallowJudging:
        self.begun += 1
        assert self.may.wait(5)
        self.brought.append(MarshmallowJudging())
        return self.brought[-1]


async def test_whoever_needs_them_waits_for_the_same() -> None:
    way = Way()
    way.may.set()
    them = Judges(way)
    first, second = await asyncio.gather(them.come(), them.come())
    assert way.brought == [first] == [second] == [await them.come()]
    await them.aclose()


async def test_they_come_when_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "WHEN_IDLE_SEC", 0.0)
    way = Way()
    way.may.set()
    them = Judges(way)
    them.come_when_idle()
    await until(lambda: way.brought)
    await them.aclose()


async def test_nobody_comes_after_the_end() -> None:
    way = Way()
    them = Judges(way)
    them.come_when_idle()
    await them.aclose()
    assert not way.begun


async def test_one_who_waits_and_leaves_stops_nobody() -> None:
    way = Way()
    them = Judges(way)
    waiting = asyncio.create_task(them.come())
    await until(lambda: way.begun)
    other = asyncio.create_task(them.come())
    waiting.cancel()
    way.may.set()
    assert await other in way.brought
    await them.aclose()
