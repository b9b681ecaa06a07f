"""Hosts on one database, each with a fleet of its own, and a clock that is turned for all of them.

Imports aura_aio's scheduler and model, `bench` and the stores of tests.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.fleet import (
    FleetStore,
    Host,
    HostStatus,
    Leadership,
    Stop,
    worker_name,
)
from aura_aio.scheduler.fleet import BEATS, Fleet
from tests.scheduler.bench import TurnedClock
from tests.store.opened import Opened
from tests.waiting import until

LOST_SEC = 6.0
BEAT_SEC = LOST_SEC / BEATS


class Member:
    """A host with a fleet of its own over the one store, which may be out of its reach."""

    def __init__(
        self,
        store: FleetStore,
        host_id: str,
        clock: TurnedClock,
        *,
        may_lead: bool = True,
        key: str = "k",
    ) -> None:
        self.leadership = Leadership(leads=False)
        self.given_up = self.changes = 0
        self.looked = 0
        self.is_cut_off = False
        self.has_beaten = False
        self.held = asyncio.Event()
        self.held.set()
        self._store = store
        self.fleet = Fleet(
            self, host_id, self.leadership, clock, may_lead=may_lead, lost_sec=LOST_SEC, key=key
        )

    async def begin(self) -> None:
        """Join, and beat."""
        await self.fleet.join()
        self.fleet.tell(HostStatus, self._was_given_up, self._others_changed)

    def _was_given_up(self) -> None:
        self.given_up += 1

    def _others_changed(self) -> None:
        self.changes += 1

    def _reach(self) -> FleetStore:
        if self.is_cut_off:
            raise StoreUnavailable("cut off")
        return self._store

    async def join(self, host_id: str, status: HostStatus, *, may_lead: bool) -> None:
        await self._reach().join(host_id, status, may_lead=may_lead)

    async def beat(self, host_id: str, status: HostStatus) -> bool:
        self.has_beaten = True
        await self.held.wait()
        return await self._reach().beat(host_id, status)

    async def leave(self, host_id: str) -> None:
        await self._reach().leave(host_id)

    async def members(self) -> tuple[Host, ...]:
        return await self._reach().members()

    async def give_up(
        self, beats: Mapping[str, int], *, reason: str
    ) -> Mapping[str, Sequence[str]]:
        self.looked += 1
        return await self._reach().give_up(beats, reason=reason)

    async def orphans(self) -> bool:
        return await self._reach().orphans()

    async def set_stopped(self, stop: Stop | None) -> None:
        await self._reach().set_stopped(stop)

    async def stopped(self) -> Stop | None:
        return await self._reach().stopped()


class Site:
    """A store, a clock, and the hosts."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.store = opened.store.fleet
        self.clock = TurnedClock()
        self.clock.turn(100.5)
        self.members: list[Member] = []

    async def add(self, host_id: str, **options: Any) -> Member:
        """One more host, which beats."""
        member = Member(self.store, host_id, self.clock, **options)
        await member.begin()
        self.members.append(member)
        return member

    async def turn(self, beats: int) -> None:
        """Let time pass, beat by beat; each host does what it does at each."""
        for _ in range(beats):
            await until(lambda: len(self.clock._sleepers) == len(self.members))
            for member in self.members:
                member.has_beaten = False
            self.clock.turn(BEAT_SEC)
            await until(lambda: all(member.has_beaten for member in self.members))
            await until(lambda: len(self.clock._sleepers) == len(self.members))

    async def see(self, member: Member, beats: int) -> None:
        """Let time pass, beat by beat of one host, whatever others do; all sleep before each."""
        sleepers = self.clock.sleepers
        for _ in range(beats):
            await until(lambda: self.clock.sleepers == sleepers)
            member.has_beaten = False
            self.clock.turn(BEAT_SEC)
            await until(lambda: member.has_beaten)

    async def claim(self, host_id: str, **changes: Any) -> str:
        """A run that is carried out on that host."""
        cid = await self.opened.enqueue(**changes)
        await self.opened.store.queue.claim([worker_name(host_id, 1)])
        return cid
