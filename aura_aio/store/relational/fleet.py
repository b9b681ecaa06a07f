"""Who shares the database: `model.fleet.FleetStore` in tables.

May import store.writer, the rest of `store.relational`, the standard library, msgspec and model
only.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from aura_aio.model.clock import Clock
from aura_aio.model.fleet import Host, HostStatus, PlanDigests, Stop
from aura_aio.model.news import Topic
from aura_aio.store.relational import changes, sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

_status: Final = msgspec.json.Decoder(HostStatus)
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class SqlFleet:
    """Implements `model.fleet.FleetStore`."""

    def __init__(
        self, writer: Writer[Transaction], look_ups: Reader, clock: Clock, max_attempts: int
    ) -> None:
        self._writer = writer
        self._look_ups = look_ups
        self._clock = clock
        self._max_attempts = max_attempts
        self._told: str | None = ""
        """The digest of the plans that it has told of last; None while that is in doubt."""

    async def join(self, host_id: str, status: HostStatus, *, may_lead: bool) -> None:
        """Be one of the hosts from now on."""
        row = (host_id, int(may_lead), msgspec.json.encode(status), _digest(status.plans))
        await self._writer.submit(lambda tx: tx.connection.execute(sql.JOIN_FLEET, row))

    async def beat(self, host_id: str, status: HostStatus) -> bool:
        """Say that it is still there."""
        digest = _digest(status.plans)
        told, self._told = self._told, None

        def operation(tx: Transaction) -> bool:
            row = (msgspec.json.encode(status), digest, host_id)
            is_there = tx.connection.execute(sql.BEAT, row).rowcount == 1
            if digest != told:  # others may take what was left to this host
                tx.tell_of(Topic.QUEUE)
            return is_there

        is_there = await self._writer.submit(operation)
        self._told = digest
        return is_there

    async def leave(self, host_id: str) -> None:
        """Be none of the hosts any more."""

        def operation(tx: Transaction) -> None:
            tx.connection.execute(sql.LEAVE_FLEET, (host_id,))
            tx.tell_of(Topic.QUEUE)

        await self._writer.submit(operation)

    async def members(self) -> tuple[Host, ...]:
        """Every host, who joined first comes first."""

        def query(connection: Connection) -> tuple[Host, ...]:
            rows = sorted(connection.execute(sql.FLEET), key=lambda row: row[-1])
            return tuple(Host(row[0], bool(row[1]), row[2], _status.decode(row[3])) for row in rows)

        return await self._look_ups.ask(query)

    async def give_up(
        self, beats: Mapping[str, int], *, reason: str
    ) -> Mapping[str, Sequence[str]]:
        """Take these hosts for dead, and decide over what belongs to no host."""
        loss = changes.Loss(reason, True, self._max_attempts, self._clock.now())

        def operation(tx: Transaction) -> Mapping[str, Sequence[str]]:
            if beats:
                tx.connection.executemany(sql.GIVE_UP, list(beats.items()))
                tx.tell_of(Topic.QUEUE)
            return changes.recover(tx, loss)

        return await self._writer.submit(operation)

    async def orphans(self) -> bool:
        """Whether a run is under way that belongs to no host."""
        return await self._look_ups.ask(lambda connection: bool(changes.orphans(connection)))

    async def set_stopped(self, stop: Stop | None) -> None:
        """Keep that no run is dispatched, or that runs are."""

        def operation(tx: Transaction) -> None:
            tx.connection.execute(sql.START)
            if stop is not None:
                tx.connection.execute(sql.STOP, (int(stop.cancels), stop.ends_at))
            tx.tell_of(Topic.SYSTEM)

        await self._writer.submit(operation)

    async def stopped(self) -> Stop | None:
        """The stop that holds, if there is one."""

        def query(connection: Connection) -> Stop | None:
            row = connection.execute(sql.STOPPED).fetchone()
            return None if row is None else Stop(bool(row[0]), row[1])

        return await self._look_ups.ask(query)


def _digest(plans: PlanDigests) -> str:
    """A digest of all digests; empty if there is none."""
    return hashlib.sha256(_encode(plans)).hexdigest() if plans else ""
